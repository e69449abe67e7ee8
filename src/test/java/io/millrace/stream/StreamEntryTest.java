package io.millrace.stream;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.UUID;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import io.millrace.job.Priority;

@DisplayNameGeneration(ReplaceUnderscores.class)
class StreamEntryTest {

    static final String ID = "0190b7a1-0000-7000-8000-000000000001";

    @Test
    void an_entry_holds_the_id_of_a_job() {
        assertThat(StreamEntry.jobId("j", ID)).isEqualTo(UUID.fromString(ID));
    }

    @ParameterizedTest
    @CsvSource({"job, " + ID, "j, 42", "j, ''"})
    void what_somebody_else_wrote_holds_none(String field, String value) {
        assertThat(StreamEntry.jobId(field, value)).isNull();
    }

    @Test
    void all_keys_of_a_queue_share_its_hash_tag() {
        assertThat(RedisKeys.stream("mail", Priority.HIGH)).isEqualTo("{mail}:high");
        assertThat(RedisKeys.delayed("mail")).isEqualTo("{mail}:delayed");
        assertThat(RedisKeys.deadLetters("mail")).isEqualTo("{mail}:dlq");
    }
}
