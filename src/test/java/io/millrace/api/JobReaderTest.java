package io.millrace.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.tuple;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import io.millrace.api.Problem.FieldError;
import io.millrace.handler.TestHandlers;
import io.millrace.job.Backoff;
import io.millrace.job.JobOptions;
import io.millrace.job.NewJob;
import io.millrace.job.Priority;
import io.millrace.job.RetryPolicy;
import io.millrace.support.TestConfig;

@DisplayNameGeneration(ReplaceUnderscores.class)
class JobReaderTest {

    static final int MAX_BODY = 65_536;
    static final int MAX_DEPTH = 8;

    final JobReader reader = new JobReader(TestHandlers.trial(), TestConfig.of(ApiConfig.class,
            Map.of("millrace.api.max-body", String.valueOf(MAX_BODY), "millrace.api.max-bulk-body", "150000",
                    "millrace.api.max-bulk-jobs", "3", "millrace.api.max-depth", String.valueOf(MAX_DEPTH))));

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    NewJob read(String body) {
        return reader.readJob(utf8(body), "tenant", null).job();
    }

    /** A job of type echo with more fields. */
    NewJob readEcho(String fields) {
        return read("{\"type\": \"echo\", " + fields + "}");
    }

    Problem refusal(byte[] body) {
        ProblemException refusal = catchThrowableOfType(ProblemException.class, () -> reader.readJob(body, "tenant", null));
        assertThat(refusal).isNotNull();
        return refusal.problem();
    }

    Problem refusal(String body) {
        return refusal(utf8(body));
    }

    Problem echoRefusal(String fields) {
        return refusal("{\"type\": \"echo\", " + fields + "}");
    }

    static String nested(int depth) {
        return "[".repeat(depth) + "]".repeat(depth);
    }

    @Nested
    class WhatMayBeLeftOut {
        @Test
        void a_type_is_enough_and_the_rest_is_as_the_type_says() {
            NewJob job = read("{\"type\":\"echo\"}");

            assertThat(job).isEqualTo(new NewJob(job.id(), "tenant", "default", "echo", Priority.NORMAL, "{}", JobOptions.NONE,
                    List.of(), RetryPolicy.DEFAULT.maxAttempts(), null, null));
            assertThat(job.id().version()).isEqualTo(7);
        }

        @Test
        void everything_may_be_said() {
            NewJob job = readEcho("""
                    "queue": "slow.mail_2", "priority": "high", "delay": "PT1H30M", "timeout": "PT5S", "tags": ["a:b", "2024"],
                    "retry": {"maxAttempts": 9, "backoff": "fixed", "base": "PT3S", "cap": "PT1M", "jitter": "full"},
                    "payload": [1]""");

            Backoff backoff = new Backoff(Backoff.Curve.FIXED, Duration.ofSeconds(3), Duration.ofMinutes(1),
                    Backoff.Jitter.FULL);
            assertThat(job).isEqualTo(new NewJob(job.id(), "tenant", "slow.mail_2", "echo", Priority.HIGH, "[1]",
                    new JobOptions(Duration.ofSeconds(5), backoff), List.of("a:b", "2024"), 9, null, Duration.ofMinutes(90)));
        }

        @Test
        void one_retry_setting_leaves_the_others_to_the_type() {
            assertThat(readEcho("\"retry\": {\"jitter\": \"equal\"}").options().backoff())
                    .isEqualTo(new Backoff(Backoff.Curve.EXPONENTIAL, Duration.ofSeconds(1), Duration.ofHours(1),
                            Backoff.Jitter.EQUAL));
        }

        @Test
        void a_base_above_the_cap_of_the_type_raises_the_cap() {
            assertThat(readEcho("\"retry\": {\"base\": \"PT2H\"}").options().backoff().cap()).isEqualTo(Duration.ofHours(2));
        }

        @Test
        void attempts_alone_say_nothing_about_the_backoff() {
            assertThat(readEcho("\"retry\": {\"maxAttempts\": 1}").options()).isEqualTo(JobOptions.NONE);
        }
    }

    @Nested
    class Payloads {
        @ParameterizedTest
        @ValueSource(strings = {"1.0", "1e400", "12345678901234567890123", "-0", "-0.0", "0.1000", "1E+2", "true", "null",
                "\"\"",
                "\"text\"", "[]", "{}", "[ 1 ,\t2\n, {\"a\" :\r\n [ ] } ]", "{\"a\":1,\"a\":2}", "{\"b\":1,\"a\":2}",
                "\"\u00fc \ud83d\ude00 \\u00fc \\ud83d\\ude00 \\\"\\\\\\/\\b\\f\\n\\r\\t\"", "{\"\":{\"\\u0041\":\"\u2028\"}}",
                "\"}{\"", "\"\u007f\""})
        void a_payload_is_kept_to_the_byte(String payload) {
            assertThat(readEcho("\"payload\":" + payload).payload()).isEqualTo(payload);
            assertThat(read("{ \"payload\" : " + payload + " , \"type\" : \"echo\" }").payload()).isEqualTo(payload);
        }

        @ParameterizedTest
        @ValueSource(ints = {3_980, 3_990, 4_000, 8_000, 32_700, 32_768, 60_000})
        void a_payload_is_kept_to_the_byte_wherever_a_buffer_ends(int length) {
            String padding = "\u00fc".repeat(length / 2);
            String payload = "{\"text\": \"" + padding + "\\u00fc\", \"n\": [1.50, " + "7".repeat(900) + ", 1e9 , true ]}";
            assertThat(readEcho("\"tags\": [\"a\"], \"payload\": " + payload).payload()).isEqualTo(payload);
        }

        @ParameterizedTest
        @ValueSource(strings = {"\\u0000", "a\\u0000b", "\\\\\\u0000"})
        void the_character_NUL_is_refused_because_no_text_in_PostgreSQL_can_hold_it(String text) {
            Problem problem = echoRefusal("\"payload\": {\"text\": \"" + text + "\"}");

            assertThat(problem.status()).isEqualTo(422);
            assertThat(problem.errors()).containsExactly(
                    new FieldError("/payload", "unreadable-text", "holds the character NUL (\\u0000)"));
        }

        @ParameterizedTest
        @ValueSource(strings = {"\\ud83d", "\\ude00", "\\ud83d.\\ude00", "\\ude00\\ud83d", "\\ud83d\\ud83d\\ude00",
                "\\ud83d\\n", "\\uD83D\\\\ude00"})
        void half_of_a_surrogate_pair_is_refused(String text) {
            Problem problem = echoRefusal("\"payload\": [\"" + text + "\"]");

            assertThat(problem.status()).isEqualTo(422);
            assertThat(problem.errors()).extracting(FieldError::message).containsExactly("holds half of a surrogate pair");
        }

        @ParameterizedTest
        @ValueSource(strings = {"\\\\u0000", "\\\\ud83d", "\\\\\\\\u0000", "\\ud83d\\ude00", "\\uD83D\\uDE00\\ud83d\\ude00",
                "\\u0001", "\\\\\\ud83d\\ude00"})
        void what_only_looks_like_it_is_allowed(String text) {
            String payload = "\"" + text + "\"";
            assertThat(readEcho("\"payload\": " + payload).payload()).isEqualTo(payload);
        }

        @Test
        void a_payload_nests_as_deep_as_the_limit_and_no_deeper() {
            assertThat(readEcho("\"payload\": " + nested(MAX_DEPTH)).payload()).isEqualTo(nested(MAX_DEPTH));

            Problem problem = echoRefusal("\"payload\": " + nested(MAX_DEPTH + 1));
            assertThat(problem.status()).isEqualTo(400);
            assertThat(problem.errors())
                    .containsExactly(new FieldError("/payload", "too-deep", "nests deeper than " + MAX_DEPTH + " levels"));
        }

        @Test
        void a_body_that_nests_a_hundred_thousand_levels_costs_nothing() {
            assertThat(echoRefusal("\"payload\": " + nested(MAX_BODY / 2 - 20)).status()).isEqualTo(400);
            assertThat(echoRefusal("\"tags\": " + nested(MAX_BODY / 2 - 20)).status()).isEqualTo(400);
        }
    }

    @Nested
    class FieldsThatAreWrong {
        @Test
        void all_of_them_are_named_at_once() {
            Problem problem = refusal(
                    """
                            {"type": "unknown", "queue": "No Such", "priority": "urgent", "runAt": "tomorrow", "delay": "1h",
                             "timeout": "PT0S", "retry": {"maxAttempts": 0, "backoff": "linear", "bas": 1}, "tags": ["ok", "-"], "paylod": 1}
                            """);

            assertThat(problem.status()).isEqualTo(400);
            assertThat(problem.type()).isEqualTo("urn:millrace:problem:invalid-request");
            assertThat(problem.errors()).extracting(FieldError::path, FieldError::code).containsExactly(
                    tuple("/priority", "unknown-value"), tuple("/runAt", "invalid-time"), tuple("/delay", "invalid-duration"),
                    tuple("/timeout", "out-of-range"), tuple("/retry/maxAttempts", "out-of-range"),
                    tuple("/retry/backoff", "unknown-value"), tuple("/retry/bas", "unknown-field"),
                    tuple("/tags/1", "invalid-tag"), tuple("/paylod", "unknown-field"), tuple("/type", "unknown-type"),
                    tuple("/queue", "invalid-name"));
        }

        @ParameterizedTest
        @CsvSource({"type, /type, not-a-string", "queue, /queue, not-a-string", "priority, /priority, not-a-string",
                "runAt, /runAt, not-a-string", "delay, /delay, not-a-string", "timeout, /timeout, not-a-string",
                "retry, /retry, not-an-object", "tags, /tags, not-an-array"})
        void a_value_of_the_wrong_kind_is_one_error_whatever_it_is(String field, String path, String code) {
            for (String value : List.of("1", "1.5", "true", "null", "{\"a\": [\"b\"]}", "[[\"b\"]]", "\"x\"")) {
                boolean fits = value.equals("\"x\"") && code.equals("not-a-string")
                        || field.equals("retry") && value.startsWith("{") || field.equals("tags") && value.startsWith("[");
                if (!fits) {
                    String type = field.equals("type") ? "" : "\"type\": \"echo\", ";
                    assertThat(refusal("{" + type + "\"" + field + "\": " + value + ", \"payload\": {}}").errors()).as(value)
                            .extracting(FieldError::path, FieldError::code).containsExactly(tuple(path, code));
                }
            }
        }

        @ParameterizedTest
        @ValueSource(strings = {"0", "51", "-1", "1.0", "1e1", "99999999999", "\"5\"", "null", "[5]"})
        void attempts_are_a_whole_number_within_bounds(String attempts) {
            assertThat(echoRefusal("\"retry\": {\"maxAttempts\": " + attempts + "}").errors())
                    .containsExactly(
                            new FieldError("/retry/maxAttempts", "out-of-range", "must be a whole number from 1 to 50"));
        }

        @ParameterizedTest
        @CsvSource({"delay, -PT1S, out-of-range", "delay, P367D, out-of-range", "delay, P1Y, invalid-duration",
                "delay, 30, invalid-duration", "delay, '', invalid-duration", "delay, PT9999999999999999H, invalid-duration",
                "timeout, PT0S, out-of-range", "timeout, PT24H0.001S, out-of-range"})
        void a_duration_is_ISO_8601_and_within_bounds(String field, String text, String code) {
            assertThat(echoRefusal("\"" + field + "\": \"" + text + "\"").errors())
                    .extracting(FieldError::path, FieldError::code).containsExactly(tuple("/" + field, code));
        }

        @Test
        void an_explicit_cap_is_not_below_the_base() {
            assertThat(echoRefusal("\"retry\": {\"base\": \"PT5S\", \"cap\": \"PT4S\"}").errors())
                    .containsExactly(new FieldError("/retry/cap", "out-of-range", "must be at least base, which is PT5S"));
            assertThat(echoRefusal("\"retry\": {\"cap\": \"PT0.5S\"}").errors())
                    .containsExactly(new FieldError("/retry/cap", "out-of-range", "must be at least base, which is PT1S"));
        }

        @Test
        void a_missing_type_says_which_there_are() {
            assertThat(refusal("{\"payload\": {}}").errors()).containsExactly(
                    new FieldError("/type", "missing", "is missing; known types: echo, fail, flaky, sleep"));
        }

        @ParameterizedTest
        @CsvSource({"Payload, payload", "run_at, runAt", "dely, delay", "tag, tags", "retries, retry", "x, tags"})
        void an_unknown_field_is_answered_with_the_nearest_known_one(String field, String nearest) {
            assertThat(echoRefusal("\"" + field + "\": {\"a\": [1]}").errors()).containsExactly(
                    new FieldError("/" + field, "unknown-field", "is no known field; did you mean " + nearest + "?"));
        }

        @Test
        void a_path_is_a_JSON_pointer() {
            assertThat(echoRefusal("\"a/b~c\": 1, \"retry\": {\"/\": 1}").errors()).extracting(FieldError::path)
                    .containsExactly("/a~1b~0c", "/retry/~1");
        }

        @Test
        void a_field_that_is_there_twice_is_refused_because_nobody_knows_which_was_meant() {
            assertThat(echoRefusal("\"queue\": \"a\", \"queue\": \"a\", \"retry\": {\"base\": \"PT1S\", \"base\": \"PT1S\"}")
                    .errors()).containsExactly(new FieldError("/queue", "duplicate", "is there twice"),
                            new FieldError("/retry/base", "duplicate", "is there twice"));
        }

        @Test
        void there_are_at_most_20_tags() {
            String twenty = "\"t\"" + ", \"t\"".repeat(19);
            assertThat(readEcho("\"tags\": [" + twenty + "]").tags()).hasSize(20);
            assertThat(echoRefusal("\"tags\": [" + twenty + ", \"t\"]").errors())
                    .containsExactly(new FieldError("/tags", "too-many", "holds more than 20 tags"));
        }

        @ParameterizedTest
        @ValueSource(strings = {"", " ", "a b", "a,b", "{a}", "\u00fc", ":a", "\\u0000", "\\\""})
        void a_tag_holds_nothing_that_would_have_to_be_quoted(String tag) {
            assertThat(echoRefusal("\"tags\": [\"" + tag + "\"]").errors()).extracting(FieldError::path, FieldError::code)
                    .containsExactly(tuple("/tags/0", "invalid-tag"));
        }

        @Test
        void the_answer_to_a_body_full_of_errors_stays_short() {
            String unknown = IntStream.range(0, 5_000).mapToObj(i -> "\"f" + i + "\": 1").collect(Collectors.joining(","));
            assertThat(echoRefusal(unknown).errors()).hasSize(20);
            assertThat(echoRefusal("\"tags\": [1" + ", 1".repeat(5_000) + "]").errors()).hasSize(20);
            assertThat(echoRefusal("\"queue\": 1" + ", \"queue\": 1".repeat(2_000)).errors()).hasSize(20);
        }
    }

    @Nested
    class Times {
        @ParameterizedTest
        @CsvSource({"2024-06-01T10:00:00Z, 2024-06-01T10:00:00Z",
                "2024-06-01T10:00:00.123456+05:30, 2024-06-01T04:30:00.123456Z",
                "0001-01-01T00:00:00Z, 1970-01-01T00:00:00Z"})
        void a_time_is_read_with_its_zone_and_may_be_past(String text, Instant time) {
            assertThat(readEcho("\"runAt\": \"" + text + "\"").runAt()).isEqualTo(time);
        }

        @ParameterizedTest
        @ValueSource(strings = {"2030-01-31T08:00:00", "2030-01-31", "08:00", "now", "1700000000", "2030-02-30T00:00:00Z",
                "2030-01-31T08:00:00+02:00[Europe/Berlin]"})
        void a_time_without_a_zone_is_refused_because_it_could_be_any_of_24(String text) {
            assertThat(echoRefusal("\"runAt\": \"" + text + "\"").errors()).extracting(FieldError::path, FieldError::code)
                    .containsExactly(tuple("/runAt", "invalid-time"));
        }

        @ParameterizedTest
        @ValueSource(strings = {"2999-01-01T00:00:00Z", "+999999999-12-31T23:59:59-18:00"})
        void a_time_too_far_ahead_is_refused(String text) {
            assertThat(echoRefusal("\"runAt\": \"" + text + "\"").errors()).extracting(FieldError::path, FieldError::code)
                    .containsExactly(tuple("/runAt", "out-of-range"));
        }

        @Test
        void a_time_and_a_delay_contradict_each_other() {
            assertThat(echoRefusal("\"delay\": \"PT1S\", \"runAt\": \"2024-06-01T10:00:00Z\"").errors())
                    .containsExactly(new FieldError("/delay", "conflict", "cannot be combined with runAt"));
        }
    }

    @Nested
    class BodiesThatAreNoJob {
        @ParameterizedTest
        @ValueSource(strings = {"", " ", "null", "[]", "\"echo\"", "{", "{\"type\"", "{\"type\": \"echo\"", "{'type': 'echo'}",
                "{\"type\": \"echo\",}", "{\"type\": \"echo\", \"payload\": 01}", "{\"type\": \"echo\", \"payload\": NaN}",
                "{\"type\": \"echo\"} x", "{\"type\": \"echo\"}{}", "{\"type\": \"echo\"} // done", "type=echo",
                "\ufeff{\"type\": \"echo\"}", "{\"type\": \"echo\", \"payload\": \"\t\"}",
                "{\"type\": \"echo\", \"payload\": \"\\x\"}"})
        void anything_but_one_JSON_object_is_refused(String body) {
            Problem problem = refusal(body);

            assertThat(problem.status()).isEqualTo(400);
            assertThat(problem.type()).isEqualTo("urn:millrace:problem:invalid-json");
            assertThat(problem.detail()).isNotBlank();
        }

        @Test
        void a_syntax_error_says_where() {
            assertThat(refusal("{\"type\": \"echo\",\n  \"payload\": }").detail()).endsWith("at line 2, column 14");
        }

        @Test
        void no_body_at_all_is_refused() {
            assertThat(refusal((byte[]) null).detail()).isEqualTo("the body is empty");
        }

        @Test
        void text_that_is_not_UTF_8_is_refused() {
            assertThat(refusal("{\"type\": \"\u00fc\"}".getBytes(StandardCharsets.ISO_8859_1)).detail())
                    .isEqualTo("the body is not valid UTF-8");
            byte[] encodedSurrogate = {'"', (byte) 0xed, (byte) 0xa0, (byte) 0xbd, '"'};
            assertThat(refusal(encodedSurrogate).detail()).isEqualTo("the body is not valid UTF-8");
        }

        @Test
        void a_body_may_be_as_large_as_the_limit_and_no_larger() {
            String head = "{\"type\": \"echo\", \"payload\": \"";
            String largest = head + "x".repeat(MAX_BODY - head.length() - 2) + "\"}";
            assertThat(read(largest).payload()).hasSizeGreaterThan(MAX_BODY - 100);

            Problem problem = refusal(largest + " ");
            assertThat(problem.status()).isEqualTo(413);
            assertThat(problem.detail()).contains("65536 bytes");
        }

        @Test
        void a_number_of_a_thousand_digits_is_refused() {
            assertThat(echoRefusal("\"payload\": " + "7".repeat(1_001)).type()).isEqualTo("urn:millrace:problem:invalid-json");
        }
    }

    @Nested
    class ManyJobs {
        static final String ECHO = "{\"type\": \"echo\"}";

        List<JobReader.Item> read(String array) {
            return reader.readJobs(utf8(array), false, "tenant");
        }

        List<JobReader.Item> readLines(String lines) {
            return reader.readJobs(utf8(lines), true, "tenant");
        }

        Problem refusal(String body, boolean isLines) {
            ProblemException refusal = catchThrowableOfType(ProblemException.class,
                    () -> reader.readJobs(utf8(body), isLines, "tenant"));
            assertThat(refusal).isNotNull();
            return refusal.problem();
        }

        @Test
        void each_item_has_its_result_in_order() {
            List<JobReader.Item> items = read(
                    "[{\"type\": \"echo\", \"payload\": 1}, {\"type\": \"sleep\", \"payload\": {\"ms\": 2}}]");

            assertThat(items).extracting(JobReader.Item::problem).containsOnlyNulls();
            assertThat(items).extracting(item -> item.job().job().type(), item -> item.job().job().payload())
                    .containsExactly(tuple("echo", "1"), tuple("sleep", "{\"ms\": 2}"));
        }

        @ParameterizedTest
        @CsvSource(delimiter = '|', value = {"{\"type\": \"none\"}|invalid-request",
                "{\"type\": [{}], \"x\": {\"y\": []}}|invalid-request",
                "42|invalid-json", "null|invalid-json", "[[{\"type\": \"echo\"}]]|invalid-json",
                "{\"type\": \"echo\", \"payload\": \"\\u0000\"}|unreadable-text",
                "{\"type\": \"echo\", \"payload\": [[[[[[[[[]]]]]]]]]}|invalid-request"})
        void a_bad_item_does_not_fail_its_neighbours(String bad, String problem) {
            for (List<JobReader.Item> items : List.of(read("[" + ECHO + "," + bad + "," + ECHO + "]"),
                    readLines(ECHO + "\n" + bad + "\r\n" + ECHO))) {
                assertThat(items).hasSize(3);
                assertThat(items.get(0).job()).isNotNull();
                assertThat(items.get(1).job()).isNull();
                assertThat(items.get(1).problem().problem().type()).isEqualTo("urn:millrace:problem:" + problem);
                assertThat(items.get(2).job()).isNotNull();
            }
        }

        @Test
        void a_line_that_is_no_JSON_does_not_fail_the_others() {
            List<JobReader.Item> items = readLines(ECHO + "\n{\"type\":\n" + ECHO + ECHO);

            assertThat(items).extracting(item -> item.problem() == null).containsExactly(true, false, false);
            assertThat(items.get(2).problem().problem().detail()).isEqualTo("there is more than one JSON value on the line");
        }

        @Test
        void blank_lines_are_no_jobs() {
            assertThat(readLines("\n" + ECHO + "\n \r\n\n" + ECHO + "\n")).hasSize(2).extracting(JobReader.Item::problem)
                    .containsOnlyNulls();
        }

        @Test
        void nothing_is_no_error() {
            assertThat(read("[]")).isEmpty();
            assertThat(readLines("\n")).isEmpty();
        }

        @ParameterizedTest
        @ValueSource(strings = {"{\"type\": \"echo\"}", "null", "[{\"type\": \"echo\"}", "[{\"type\": \"echo\"},]",
                "[{\"type\": \"echo\"}] []", "[{\"type\" \"echo\"}]"})
        void an_array_that_cannot_be_read_to_its_end_is_refused_as_a_whole(String body) {
            assertThat(refusal(body, false).type()).isEqualTo("urn:millrace:problem:invalid-json");
        }

        @Test
        void too_many_jobs_are_refused_as_a_whole() {
            assertThat(read("[" + ECHO + "," + ECHO + "," + ECHO + "]")).hasSize(3);
            assertThat(refusal("[" + ECHO + "," + ECHO + "," + ECHO + "," + ECHO + "]", false).errors())
                    .containsExactly(new FieldError("", "too-many", "holds more than 3 jobs; split it"));
            assertThat(refusal((ECHO + "\n").repeat(4), true).errors()).extracting(FieldError::code)
                    .containsExactly("too-many");
        }

        @Test
        void the_limit_of_one_job_does_not_bound_many_and_theirs_does() {
            String large = "{\"type\": \"echo\", \"payload\": \"" + "x".repeat(MAX_BODY) + "\"}";
            assertThat(read("[" + large + "]")).hasSize(1);
            assertThat(refusal("[" + large + "," + large + "," + large, false).status()).isEqualTo(413);
        }

        @Test
        void an_empty_body_is_refused() {
            assertThat(refusal("", false).detail()).isEqualTo("the body is empty");
            assertThat(refusal("", true).detail()).isEqualTo("the body is empty");
        }
    }
}
