package io.millrace.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.LongStream;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(ReplaceUnderscores.class)
class TimesTest {

    @Test
    void a_percentile_is_the_time_that_so_many_kept_to() {
        Times times = new Times(LongStream.rangeClosed(1, 1_000).map(i -> (1_001 - i) * 1_000).toArray());

        assertThat(times.percentileMs(50)).isEqualTo(500);
        assertThat(times.percentileMs(99)).isEqualTo(990);
        assertThat(times.percentileMs(99.95)).isEqualTo(1_000);
        assertThat(times.maxMs()).isEqualTo(1_000);
    }

    @Test
    void one_time_is_all_percentiles() {
        Times times = new Times(new long[]{1_234});

        assertThat(times.percentileMs(1)).isEqualTo(1.234);
        assertThat(times.maxMs()).isEqualTo(1.234);
    }
}
