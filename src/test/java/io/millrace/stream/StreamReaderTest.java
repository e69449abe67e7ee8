package io.millrace.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import io.millrace.job.Priority;
import io.millrace.support.PlainRedis;

@Timeout(60)
@DisplayNameGeneration(ReplaceUnderscores.class)
class StreamReaderTest extends RedisTest {

    /** As many as are read by plain commands while one stream flows. */
    static final int MANY = 64;

    final String queue = "q-" + UUID.randomUUID();
    StreamReader reader;

    @BeforeEach
    void open() {
        reader = new StreamReader(vertx, streams.server, streams.config, queue, "worker");
    }

    @AfterEach
    void close() {
        reader.close();
    }

    void append(Priority priority, int count) {
        streams.jobs
                .append(queue, Stream.generate(() -> new JobStream.Ready(UUID.randomUUID(), priority)).limit(count).toList(),
                        PATIENCE)
                .await().atMost(PATIENCE);
    }

    List<Priority> read(int most) {
        return reader.readNew(most).await().atMost(PATIENCE).stream().map(StreamEntry::priority).toList();
    }

    static List<Priority> times(int count, Priority priority) {
        return Collections.nCopies(count, priority);
    }

    static List<Priority> inOrder(List<Priority> high, List<Priority> normal, List<Priority> low) {
        return Stream.of(high, normal, low).flatMap(List::stream).toList();
    }

    @ParameterizedTest
    @EnumSource
    void a_stream_that_flows_is_read_to_its_end_and_each_entry_once(Priority priority) {
        append(priority, 3 * MANY + 10);
        List<StreamEntry> all = Stream.generate(() -> reader.readNew(MANY).await().atMost(PATIENCE)).limit(6)
                .flatMap(List::stream).toList();

        assertThat(all).hasSize(3 * MANY + 10).doesNotHaveDuplicates().allMatch(entry -> entry.priority() == priority);
        assertThat(all).extracting(StreamEntry::jobId).doesNotHaveDuplicates().doesNotContainNull();
    }

    @Test
    void what_has_a_higher_priority_comes_first_while_another_stream_flows() {
        append(Priority.NORMAL, 4 * MANY);
        assertThat(read(MANY)).isEqualTo(times(MANY, Priority.NORMAL));
        append(Priority.HIGH, 3);
        assertThat(read(MANY)).startsWith(Priority.HIGH, Priority.HIGH, Priority.HIGH).hasSizeBetween(MANY / 2, MANY)
                .filteredOn(Priority.HIGH::equals).hasSize(3);
        assertThat(read(MANY)).containsOnly(Priority.NORMAL);
    }

    @Test
    void a_flood_of_a_higher_priority_waits_for_one_read_at_most() {
        append(Priority.LOW, 4 * MANY);
        assertThat(read(MANY)).isEqualTo(times(MANY, Priority.LOW));
        append(Priority.HIGH, 2 * MANY);
        assertThat(read(MANY)).startsWith(times(8, Priority.HIGH).toArray(Priority[]::new)).hasSizeLessThanOrEqualTo(MANY);
        assertThat(read(MANY)).isEqualTo(times(MANY, Priority.HIGH));
        assertThat(read(MANY)).isEqualTo(times(2 * MANY - 8 - MANY, Priority.HIGH));
        assertThat(read(MANY)).isEqualTo(times(MANY, Priority.LOW));
    }

    @Test
    void a_reader_for_few_keeps_the_order_strictly() {
        append(Priority.NORMAL, 10);
        assertThat(read(2)).isEqualTo(times(2, Priority.NORMAL));
        append(Priority.HIGH, 5);
        append(Priority.LOW, 1);
        assertThat(read(3)).isEqualTo(times(3, Priority.HIGH));
        assertThat(read(20)).isEqualTo(inOrder(times(2, Priority.HIGH), times(8, Priority.NORMAL), times(1, Priority.LOW)));
    }

    @Test
    void a_read_is_never_larger_than_it_was_asked_to_be() {
        for (Priority priority : Priority.values()) {
            append(priority, 3 * MANY);
        }
        List<Priority> all = new ArrayList<>();
        for (List<Priority> some = read(MANY); !some.isEmpty(); some = read(MANY)) {
            assertThat(some).hasSizeLessThanOrEqualTo(MANY);
            all.addAll(some);
        }
        assertThat(all).isEqualTo(
                inOrder(times(3 * MANY, Priority.HIGH), times(3 * MANY, Priority.NORMAL), times(3 * MANY, Priority.LOW)));
    }

    @Test
    void a_group_that_is_gone_fails_a_flowing_read_too_and_is_made_again_after_it() {
        append(Priority.NORMAL, 2 * MANY);
        assertThat(read(MANY)).hasSize(MANY);
        PlainRedis.ask(url, "FLUSHALL");

        assertThatThrownBy(() -> read(MANY)).hasMessageContaining("NOGROUP");
        reader.disconnect();
        append(Priority.NORMAL, 1);
        assertThat(read(MANY)).containsExactly(Priority.NORMAL);
    }
}
