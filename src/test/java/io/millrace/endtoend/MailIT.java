package io.millrace.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import com.fasterxml.jackson.databind.JsonNode;

import io.millrace.account.SigningKeys;
import io.millrace.support.Api;
import io.millrace.support.MillraceProcess;
import io.millrace.support.SmtpSink;
import io.millrace.support.TestServers;

/** The mail scheduler's flow with processes of their own, and how many mails there are when a worker is killed on the way. */
@Timeout(240)
@DisplayNameGeneration(ReplaceUnderscores.class)
class MailIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String PASSWORD = "a long password";

    @TempDir
    Path folder;
    private final String database = TestServers.migratedDatabase();
    private final Processes processes = new Processes(database, TestServers.freshRedis());
    private SmtpSink sink = new SmtpSink(SmtpSink.freePort());

    @BeforeEach
    void makeKeys() throws IOException {
        SigningKeys.makeFiles(folder.resolve("private.pem"), folder.resolve("public.pem"));
    }

    @AfterEach
    void stop() {
        processes.close();
        sink.close();
    }

    private MillraceProcess start(String mode) {
        return processes.start(mode, "MILLRACE_AUTH", "required", "MILLRACE_AUTH_PRIVATE_KEY",
                folder.resolve("private.pem").toString(), "MILLRACE_AUTH_PUBLIC_KEY", folder.resolve("public.pem").toString(),
                "MILLRACE_MAIL_HOST", "127.0.0.1", "MILLRACE_MAIL_PORT", Integer.toString(sink.port()), "MILLRACE_MAIL_FROM",
                "jobs@millrace.example", "MILLRACE_LEASE_DURATION", "5s", "MILLRACE_LEASE_HEARTBEAT", "1s",
                "MILLRACE_LEASE_STOP_AFTER", "4s", "MILLRACE_MAINTENANCE_REAP_EVERY", "1s",
                "MILLRACE_MAINTENANCE_RECLAIM_EVERY",
                "2s", "MILLRACE_MAINTENANCE_RECLAIM_IDLE", "8s");
    }

    /** One caller of one process. */
    private record Caller(Api api, String token) {
        static Caller signUp(Api api) {
            String login = "{\"username\":\"user-" + UUID.randomUUID() + "\",\"password\":\"" + PASSWORD + "\"}";
            assertThat(api.post("/signup", login).status()).isEqualTo(201);
            Api.Answer answer = api.post("/login", login);
            assertThat(answer.status()).as(answer.toString()).isEqualTo(200);
            return new Caller(api, answer.json().path("access_token").asText());
        }

        Caller at(Api other) {
            return new Caller(other, token);
        }

        String[] header() {
            return new String[]{"Authorization", "Bearer " + token};
        }

        Api.Answer add(String email) {
            return api.post("/addJob", "{\"email\":\"" + email + "\",\"name\":\"Ada\"}", header());
        }

        String added(String email) {
            Api.Answer answer = add(email);
            assertThat(answer.status()).as(answer.toString()).isEqualTo(200);
            assertThat(answer.json().path("message").asText()).isEqualTo("Job added to queue");
            return answer.json().path("job_id").asText();
        }

        JsonNode ended(String id) {
            await().atMost(PATIENCE).until(() -> List.of("COMPLETED", "FAILED").contains(job(id).path("state").asText()));
            return job(id);
        }

        JsonNode job(String id) {
            return api.get("/v1/jobs/" + id + "?expand=attempts", header()).json();
        }

        JsonNode get(String path) {
            Api.Answer answer = api.get(path, header());
            assertThat(answer.status()).as(answer.toString()).isEqualTo(200);
            return answer.json();
        }
    }

    private String query(String sql) {
        try (Connection connection = TestServers.connect(database);
                ResultSet rows = connection.createStatement().executeQuery(sql)) {
            return rows.next() ? rows.getString(1) : "";
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    private static void say(String text, Object... values) {
        System.getLogger("MailIT").log(System.Logger.Level.INFO, String.format(Locale.ROOT, text, values));
    }

    @Test
    void the_flow_of_the_mail_scheduler() {
        Api api = start("all").awaitReady().api();
        assertThat(api.post("/addJob", "{\"email\":\"ada@example.org\",\"name\":\"Ada\"}").status()).isEqualTo(401);
        Caller ann = Caller.signUp(api);

        String id = ann.added("ada@example.org");
        assertThat(ann.ended(id).path("state").asText()).isEqualTo("COMPLETED");
        assertThat(sink.mailsTo("ada@example.org")).hasSize(1);
        ann.ended(ann.added("ada@example.org"));
        assertThat(sink.mailsTo("ada@example.org")).as("asked for again").hasSize(1);

        int port = sink.port();
        sink.close(); // the mail server is stopped
        List<String> lost = List.of("one@example.org", "two@example.org", "three@example.org");
        List<String> ids = lost.stream().map(ann::added).toList();
        for (String lostId : ids) {
            JsonNode job = ann.ended(lostId);
            assertThat(job.path("state").asText()).isEqualTo("FAILED");
            assertRetriesAt(job, List.of(1, 2, 4, 8));
        }
        JsonNode failed = ann.get("/failedJobs?page=1&limit=2");
        assertThat(failed).hasSize(2);
        assertThat(failed.get(0).path("email").asText()).isEqualTo("three@example.org");
        assertThat(failed.get(0).path("name").asText()).isEqualTo("Ada");
        assertThat(failed.get(0).path("error").asText()).containsIgnoringCase("refused");
        assertThat(ann.get("/failedJobs?page=2&limit=2")).hasSize(1);
        assertThat(api.get("/failedJobs").status()).isEqualTo(401);
        assertThat(Caller.signUp(api).get("/failedJobs")).as("of another tenant").isEmpty();

        sink = new SmtpSink(port);
        ann.ended(ann.added("one@example.org"));
        assertThat(sink.mailsTo("one@example.org")).as("after the server is back").hasSize(1);
    }

    /** Each attempt begins so many seconds after the one before has ended; the promoter is late by a second at most. */
    private static void assertRetriesAt(JsonNode job, List<Integer> seconds) {
        JsonNode attempts = job.path("attempts");
        assertThat(attempts).hasSize(5);
        List<Long> measured = new ArrayList<>();
        for (int i = 1; i < attempts.size(); i++) {
            Instant ended = Instant.parse(attempts.get(i - 1).path("endedAt").asText());
            measured.add(Duration.between(ended, Instant.parse(attempts.get(i).path("startedAt").asText())).toMillis());
        }
        say("retries of %s after %s ms", job.path("id").asText(), measured);
        for (int i = 0; i < measured.size(); i++) {
            assertThat(measured.get(i)).isBetween(seconds.get(i) * 1000L, seconds.get(i) * 1000L + 1500);
        }
    }

    @Test
    void fifty_equal_requests_to_two_processes_are_one_mail() {
        Api one = start("api").awaitReady().api();
        Api two = start("api").awaitReady().api();
        start("worker").awaitReady();
        start("worker").awaitReady();
        Caller ann = Caller.signUp(one);
        for (int round = 0; round < 5; round++) {
            String email = "race-" + round + "@example.org";
            List<CompletableFuture<Api.Answer>> asked = Stream.iterate(0, i -> i + 1).limit(50)
                    .map(i -> CompletableFuture.supplyAsync(() -> ann.at(i % 2 == 0 ? one : two).add(email))).toList();
            List<Api.Answer> answers = asked.stream().map(CompletableFuture::join).toList();
            assertThat(answers).allSatisfy(answer -> assertThat(answer.status()).as(answer.toString()).isEqualTo(200));
            List<String> ids = answers.stream().map(answer -> answer.json().path("job_id").asText()).distinct().toList();
            ids.forEach(id -> assertThat(ann.ended(id).path("state").asText()).isEqualTo("COMPLETED"));
            assertThat(sink.mailsTo(email)).hasSize(1);
            say("50 requests for %s: %d jobs, 1 mail", email, ids.size());
        }
    }

    /** What holds a row of the database, so that a process cannot get past a statement that writes it. */
    private Connection lock(String row) {
        try {
            Connection connection = TestServers.connect(database);
            connection.setAutoCommit(false);
            try (ResultSet locked = connection.createStatement().executeQuery(row + " for update")) {
                assertThat(locked.next()).as(row).isTrue();
            }
            return connection;
        } catch (SQLException e) {
            throw new IllegalStateException(row, e);
        }
    }

    /** A statement that waits for a lock would be carried out when it gets it, though whoever sent it is dead. */
    private void endWhatWaits() {
        String waiting = " from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        query("select count(pg_terminate_backend(pid))" + waiting);
        await().atMost(PATIENCE).until(() -> query("select count(*)" + waiting).equals("0"));
    }

    /** Hands a mail in, lets {@code kill} end the worker where it likes, and starts another one. @return the job at its end */
    private JsonNode survive(String email, Killing kill) throws Exception {
        Api api = start("api").awaitReady().api();
        MillraceProcess worker = start("worker").awaitReady();
        Caller ann = Caller.signUp(api);
        String id = ann.added(email);
        kill.end(worker, id);
        assertThat(worker.isAlive()).isFalse();
        start("worker").awaitReady();
        return ann.ended(id);
    }

    @FunctionalInterface
    private interface Killing {
        void end(MillraceProcess worker, String jobId) throws Exception;
    }

    /** @param said to the sink; the worker then waits for the answer until it is killed */
    private void killWhenItHas(String said, MillraceProcess worker, CountDownLatch reached) throws InterruptedException {
        assertThat(reached.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).as(said).isTrue();
        worker.kill();
        sink.answerAsUsual(said);
    }

    private CountDownLatch silentAt(String said) {
        CountDownLatch reached = new CountDownLatch(1);
        sink.answer(said, SmtpSink.SILENCE);
        sink.before(said, reached::countDown);
        return reached;
    }

    /** Exact: the turn was taken, and nothing was sent. */
    @Test
    void a_worker_killed_between_its_turn_and_the_mail_costs_no_second_mail() throws Exception {
        CountDownLatch reached = silentAt(SmtpSink.GREETING);
        JsonNode job = survive("begun@example.org", (worker, id) -> {
            killWhenItHas(SmtpSink.GREETING, worker, reached);
            assertThat(query("select count(*) from effect where done_at is null")).isEqualTo("1");
        });
        assertThat(job.path("state").asText()).isEqualTo("COMPLETED");
        assertThat(sink.mailsTo("begun@example.org")).hasSize(1);
        say("killed between turn and mail: 1 mail");
    }

    /** At least once: nobody can know whether the server took the mail. Both copies have one Message-ID, and epochs that grow. */
    @Test
    void a_worker_killed_before_it_read_that_the_mail_was_taken_sends_it_again_with_the_same_id() throws Exception {
        CountDownLatch reached = new CountDownLatch(1);
        CountDownLatch killed = new CountDownLatch(1);
        sink.before(SmtpSink.MAIL, () -> {
            if (reached.getCount() > 0) {
                reached.countDown();
                awaitQuietly(killed);
            }
        });
        JsonNode job = survive("taken@example.org", (worker, id) -> {
            killWhenItHas(SmtpSink.MAIL, worker, reached);
            killed.countDown();
        });
        assertTwoCopiesOfOne("taken@example.org", job);
        say("killed between the server's taking and its answer: 2 mails with one Message-ID");
    }

    /** At least once: the answer was read, and the record of it did not get through. */
    @Test
    void a_worker_killed_before_it_recorded_that_the_mail_was_taken_sends_it_again_with_the_same_id() throws Exception {
        CountDownLatch taken = new CountDownLatch(1);
        List<Connection> locks = new ArrayList<>();
        sink.before(SmtpSink.MAIL, () -> {
            if (taken.getCount() > 0) {
                locks.add(lock("select 1 from effect"));
                taken.countDown();
            }
        });
        JsonNode job = survive("unrecorded@example.org", (worker, id) -> {
            assertThat(taken.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
            await().atMost(PATIENCE).until(() -> !query("select 1 from pg_stat_activity where wait_event_type = 'Lock' "
                    + "and datname = current_database() and query like '%update effect%'").isEmpty());
            worker.kill();
            endWhatWaits();
            locks.get(0).close();
        });
        assertTwoCopiesOfOne("unrecorded@example.org", job);
        say("killed between the server's answer and the record of it: 2 mails with one Message-ID");
    }

    /** Exact: the mail is on record, the end of the job is not. */
    @Test
    void a_worker_killed_between_the_record_of_the_mail_and_the_end_of_the_job_costs_no_second_mail() throws Exception {
        CountDownLatch taken = new CountDownLatch(1);
        List<Connection> locks = new ArrayList<>();
        sink.before(SmtpSink.MAIL, () -> {
            locks.add(lock("select 1 from job"));
            taken.countDown();
        });
        JsonNode job = survive("recorded@example.org", (worker, id) -> {
            assertThat(taken.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
            await().atMost(PATIENCE).until(() -> query("select count(*) from effect where done_at is not null").equals("1"));
            worker.kill();
            endWhatWaits();
            assertThat(query("select state from job")).isEqualTo("PROCESSING");
            locks.get(0).close();
        });
        assertThat(job.path("state").asText()).isEqualTo("COMPLETED");
        assertThat(job.path("result").path("recipients").get(0).path("verdict").asText()).isEqualTo("ACCEPTED_BEFORE");
        assertThat(sink.mailsTo("recorded@example.org")).hasSize(1);
        say("killed between the record of the mail and the end of the job: 1 mail");
    }

    private void assertTwoCopiesOfOne(String email, JsonNode job) {
        assertThat(job.path("state").asText()).isEqualTo("COMPLETED");
        List<SmtpSink.Mail> mails = sink.mailsTo(email);
        assertThat(mails).hasSize(2);
        assertThat(mails).extracting(mail -> mail.field("Message-ID")).containsOnly("<" + job.path("id").asText()
                + "@millrace.example>");
        assertThat(Integer.parseInt(mails.get(1).field("Job-Epoch"))).isGreaterThan(Integer.parseInt(mails.get(0).field(
                "Job-Epoch")));
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
