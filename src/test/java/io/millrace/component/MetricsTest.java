package io.millrace.component;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.greaterThanOrEqualTo;
import static org.hamcrest.Matchers.is;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

import org.junit.jupiter.api.Test;

import io.millrace.support.Api;
import io.millrace.support.PlainRedis;
import io.quarkus.test.junit.QuarkusTest;

/** What /q/metrics shows is what docs/metrics.md says, and it moves when something happens. */
@QuarkusTest
class MetricsTest extends RunningApp {

    /** What the operations of this system, its alerts and its autoscaling are built on. */
    private static final Set<String> PROMISED = Set.of("millrace_queue_depth gauge queue,state",
            "millrace_queue_oldest_ready_age_seconds gauge queue", "millrace_start_latency_seconds histogram queue",
            "millrace_jobs_submitted_total counter queue,type", "millrace_attempts_total counter outcome,queue,type",
            "millrace_attempt_duration_seconds histogram queue,type", "millrace_retries_total counter queue,type",
            "millrace_dead_letters gauge queue", "millrace_in_flight gauge ", "millrace_worker_slots gauge ",
            "millrace_pending_entries gauge queue", "millrace_oldest_pending_idle_seconds gauge queue",
            "millrace_reclaimed_total counter queue", "millrace_reconciled_total counter reason",
            "millrace_promotion_lateness_seconds histogram queue", "millrace_stale_settles_total counter queue");

    private static final Pattern DOCUMENTED = Pattern
            .compile("(?m)^\\| `(millrace_[a-z_]+)` \\| (counter|gauge|histogram) \\| ([a-z, ]*) ?\\|");
    private static final Pattern TYPE = Pattern.compile("(?m)^# TYPE (millrace_[a-z_]+) ([a-z]+)$");
    private static final Pattern HELP = Pattern.compile("(?m)^# HELP (millrace_[a-z_]+) (.*)$");
    private static final Pattern SAMPLE = Pattern.compile("(?m)^(millrace_[a-z_]+)(?:\\{(.*)})? (\\S+)$");
    /** Of the samples of a histogram. */
    private static final Pattern PART = Pattern.compile("_(bucket|count|sum)$");

    /** A queue that no worker reads. */
    private final String unread = "unread-" + UUID.randomUUID();

    private static String scrape() {
        return new Api("http://localhost:" + setting("quarkus.management.test-port")).get("/q/metrics").body();
    }

    /** @param labels as Prometheus writes them, in alphabetical order; a sample that has these among others counts, too */
    private static double value(String name, String... labels) {
        return SAMPLE.matcher(scrape()).results().filter(sample -> sample.group(1).equals(name))
                .filter(sample -> Arrays.stream(labels).allMatch(label -> String.valueOf(sample.group(2)).contains(label)))
                .mapToDouble(sample -> Double.parseDouble(sample.group(3))).filter(value -> !Double.isNaN(value)).sum();
    }

    private static String label(String name, String value) {
        return name + "=\"" + value + "\"";
    }

    private static Set<String> documented() throws IOException {
        return DOCUMENTED.matcher(Files.readString(Path.of("docs/metrics.md"))).results()
                .map(row -> row.group(1) + " " + row.group(2) + " " + sorted(Arrays.stream(row.group(3).split(","))
                        .map(String::strip).collect(Collectors.toSet())))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Set<String> exported() {
        String body = scrape();
        TreeMap<String, Set<String>> labels = new TreeMap<>();
        SAMPLE.matcher(body).results().forEach(sample -> labels.computeIfAbsent(family(sample), name -> new TreeSet<>())
                .addAll(sample.group(2) == null ? Set.of() : names(sample.group(2))));
        return TYPE.matcher(body).results().filter(type -> !type.group(1).endsWith("_seconds_max"))
                .map(type -> type.group(2).equals("counter")
                        ? type.group(1).replaceFirst("(_total)?$", "_total") + " counter "
                        : type.group(1) + " " + type.group(2) + " ")
                .map(named -> named + sorted(labels.getOrDefault(named.substring(0, named.indexOf(' ')), Set.of())))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static String family(MatchResult sample) {
        return sample.group(1).contains("_seconds_") ? PART.matcher(sample.group(1)).replaceFirst("") : sample.group(1);
    }

    private static Set<String> names(String labels) {
        return Pattern.compile("([a-z_]+)=\"").matcher(labels).results().map(name -> name.group(1))
                .filter(name -> !name.equals("le")).collect(Collectors.toSet());
    }

    private static String sorted(Set<String> labels) {
        return labels.stream().filter(label -> !label.isEmpty()).sorted().collect(Collectors.joining(","));
    }

    @Test
    void every_metric_is_documented_with_its_type_and_labels_and_every_documented_one_is_there() throws IOException {
        api.run("{\"type\":\"echo\"}");
        await().until(() -> value("millrace_attempts_total"), greaterThanOrEqualTo(1.0));

        assertThat(documented()).containsAll(PROMISED);
        await().untilAsserted(() -> assertThat(exported()).isEqualTo(documented()));
    }

    @Test
    void no_metric_is_without_a_name_of_its_own() {
        api.run("{\"type\":\"echo\"}");
        assertThat(scrape()).contains("# TYPE millrace_in_flight gauge").doesNotContain("\nm_");
    }

    @Test
    void every_metric_says_what_it_is() {
        assertThat(HELP.matcher(scrape()).results().map(help -> help.group(1) + " " + help.group(2).strip()))
                .hasSizeGreaterThan(PROMISED.size())
                .allMatch(help -> help.contains(" ") && !help.endsWith(" "), "has a help text");
    }

    @Test
    void a_job_that_succeeds_is_counted_on_its_way() {
        String kind = label("type", "echo");
        String queue = label("queue", DEFAULT);
        double submitted = value("millrace_jobs_submitted_total", queue, kind);
        double completed = value("millrace_attempts_total", label("outcome", "completed"), queue, kind);
        double durations = value("millrace_attempt_duration_seconds_count", queue, kind);
        double starts = value("millrace_start_latency_seconds_count", queue);
        double dispatched = value("millrace_dispatched_total", label("way", "accepted"));
        double inserts = value("millrace_batch_items_total", label("batch", "insert"));
        double settles = value("millrace_batches_total", label("batch", "settle"));
        double statements = value("millrace_postgres_command_seconds_count", label("pool", "engine"));
        double questions = value("millrace_postgres_command_seconds_count", label("pool", "query"));
        double commands = value("millrace_redis_command_seconds_count", label("pool", "commands"));

        api.run("{\"type\":\"echo\"}");

        await().untilAsserted(() -> {
            assertThat(value("millrace_attempts_total", label("outcome", "completed"), queue, kind)).isEqualTo(completed + 1);
            assertThat(value("millrace_batches_total", label("batch", "settle"))).isGreaterThan(settles);
        });
        assertThat(value("millrace_jobs_submitted_total", queue, kind)).isEqualTo(submitted + 1);
        assertThat(value("millrace_attempt_duration_seconds_count", queue, kind)).isEqualTo(durations + 1);
        assertThat(value("millrace_start_latency_seconds_count", queue)).isEqualTo(starts + 1);
        assertThat(value("millrace_dispatched_total", label("way", "accepted"))).isEqualTo(dispatched + 1);
        assertThat(value("millrace_batch_items_total", label("batch", "insert"))).isEqualTo(inserts + 1);
        assertThat(value("millrace_postgres_command_seconds_count", label("pool", "engine")))
                .isGreaterThanOrEqualTo(statements + 3); // insert, claim, settle
        assertThat(value("millrace_postgres_command_seconds_count", label("pool", "query"))).isGreaterThan(questions);
        assertThat(value("millrace_redis_command_seconds_count", label("pool", "commands"))).isGreaterThan(commands);
    }

    @Test
    void what_fails_is_counted_as_a_retry_and_in_the_end_as_a_dead_letter() {
        double retried = value("millrace_attempts_total", label("outcome", "retried"), label("type", "flaky"));
        double retries = value("millrace_retries_total", label("type", "flaky"));
        double starts = value("millrace_start_latency_seconds_count");
        double promoted = value("millrace_promotion_lateness_seconds_count", label("queue", DEFAULT));
        api.run("{\"type\":\"flaky\",\"payload\":{\"failures\":1},\"retry\":{\"base\":\"PT0.05S\"}}");
        await().until(() -> value("millrace_attempts_total", label("outcome", "retried"), label("type", "flaky")),
                is(retried + 1));
        assertThat(value("millrace_retries_total", label("type", "flaky"))).isEqualTo(retries + 1);
        assertThat(value("millrace_start_latency_seconds_count")).as("the first start alone").isEqualTo(starts + 1);
        assertThat(value("millrace_promotion_lateness_seconds_count", label("queue", DEFAULT))).isGreaterThan(promoted);

        double dead = value("millrace_attempts_total", label("outcome", "dead_lettered"), label("type", "fail"));
        api.run("{\"type\":\"fail\",\"payload\":{\"permanent\":true}}");
        await().until(() -> value("millrace_attempts_total", label("outcome", "dead_lettered"), label("type", "fail")),
                is(dead + 1));
        await().untilAsserted(() -> assertThat(value("millrace_dead_letters", label("queue", DEFAULT)))
                .isEqualTo(Double.parseDouble(query("select count(*) from job where state = 'FAILED' and queue = 'default'"))));
    }

    @Test
    void what_runs_takes_a_place_in_the_slots() {
        assertThat(value("millrace_worker_slots")).isEqualTo(500);
        String id = api.enqueue("{\"type\":\"sleep\",\"payload\":{\"ms\":3000}}");
        await().until(() -> value("millrace_in_flight"), greaterThanOrEqualTo(1.0));
        await().until(() -> value("millrace_queue_depth", label("queue", DEFAULT), label("state", "running")),
                greaterThanOrEqualTo(1.0));
        await().until(() -> value("millrace_pending_entries", label("queue", DEFAULT)), greaterThanOrEqualTo(1.0));
        api.ended(id);
    }

    @Test
    void what_waits_is_counted_also_where_nobody_reads() {
        for (int i = 0; i < 3; i++) {
            api.enqueue("{\"type\":\"echo\",\"queue\":\"" + unread + "\"}");
        }
        // Sooner than the 10,000 that another test leaves behind: no more are counted of those that wait, the next first.
        api.enqueue("{\"type\":\"echo\",\"queue\":\"" + unread + "\",\"delay\":\"PT3M\"}");

        await().until(() -> value("millrace_queue_depth", label("queue", unread), label("state", "ready")), is(3.0));
        // A census that was on its way counts what waits before what is ready.
        await().until(() -> value("millrace_queue_depth", label("queue", unread), label("state", "waiting")), is(1.0));
        double age = value("millrace_queue_oldest_ready_age_seconds", label("queue", unread));
        await().until(() -> value("millrace_queue_oldest_ready_age_seconds", label("queue", unread)),
                greaterThanOrEqualTo(age + 1));
        execute("update job set state = 'CANCELLED', phase = 2, finished_at = now() where queue = '" + unread + "'");
        await().until(() -> value("millrace_queue_depth", label("queue", unread)), is(0.0));
        assertThat(value("millrace_queue_oldest_ready_age_seconds", label("queue", unread))).isZero();
    }

    /** As if the worker had been silent and another had taken the job, and that one had died. */
    @Test
    void a_lost_lease_is_counted_by_the_worker_that_lost_it_and_by_the_chore_that_took_the_job_back() {
        double stale = value("millrace_stale_settles_total", label("queue", DEFAULT));
        double relayed = value("millrace_dispatched_total", label("way", "relayed"));
        double reaped = value("millrace_reconciled_total", label("reason", "lease_expired"));
        String id = api.enqueue("{\"type\":\"sleep\",\"payload\":{\"ms\":1500}}");
        await().until(() -> api.job(id).path("state").asText(), is("PROCESSING"));
        execute("update job set epoch = epoch + 1, lease_id = gen_random_uuid(), lease_until = now() where id = '" + id + "'");

        await().until(() -> value("millrace_stale_settles_total", label("queue", DEFAULT)), is(stale + 1));
        await().until(() -> value("millrace_reconciled_total", label("reason", "lease_expired")), is(reaped + 1));
        assertThat(api.ended(id).path("state").asText()).isEqualTo("COMPLETED");
        assertThat(value("millrace_dispatched_total", label("way", "relayed"))).isGreaterThan(relayed);
    }

    @Test
    void an_entry_that_nobody_finishes_is_seen_to_be_idle_and_then_taken_over() {
        double reclaimed = value("millrace_reclaimed_total", label("queue", DEFAULT));
        String stream = "{" + DEFAULT + "}:normal";
        String entry = PlainRedis.ask(setting("millrace.redis.url"), "XADD " + stream + " * j " + UUID.randomUUID()).get(1);
        await().until(() -> streams.pending(DEFAULT), greaterThanOrEqualTo(1));
        String silent = "XCLAIM " + stream + " workers ghost 0 " + entry + " IDLE 500000";
        await().until(() -> {
            PlainRedis.ask(setting("millrace.redis.url"), silent); // again: a sweep may have taken it over in between
            return value("millrace_oldest_pending_idle_seconds", label("queue", DEFAULT));
        }, greaterThanOrEqualTo(500.0));
        await().until(() -> value("millrace_reclaimed_total", label("queue", DEFAULT)), greaterThanOrEqualTo(reclaimed + 1));
        PlainRedis.ask(setting("millrace.redis.url"), "XACK " + stream + " workers " + entry, "XDEL " + stream + " " + entry);
    }
}
