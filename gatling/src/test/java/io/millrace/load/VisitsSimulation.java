package io.millrace.load;

import static io.gatling.javaapi.core.CoreDsl.StringBody;
import static io.gatling.javaapi.core.CoreDsl.atOnceUsers;
import static io.gatling.javaapi.core.CoreDsl.constantUsersPerSec;
import static io.gatling.javaapi.core.CoreDsl.details;
import static io.gatling.javaapi.core.CoreDsl.doIfOrElse;
import static io.gatling.javaapi.core.CoreDsl.dummy;
import static io.gatling.javaapi.core.CoreDsl.exec;
import static io.gatling.javaapi.core.CoreDsl.jsonPath;
import static io.gatling.javaapi.core.CoreDsl.scenario;
import static io.gatling.javaapi.http.HttpDsl.http;
import static io.gatling.javaapi.http.HttpDsl.status;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

import io.gatling.javaapi.core.ChainBuilder;
import io.gatling.javaapi.core.Session;
import io.millrace.load.OpenJobs.OpenJob;

/**
 * The load test of the image scheduler: small, medium, large and invalid jobs, the valid ones for some second of the next minute.
 * None may start before its time. This process serves the pictures: the workers need
 * {@code MILLRACE_EGRESS_OPEN_HOSTS=host:port}.
 */
public class VisitsSimulation extends LoadSimulation {
    private static final String POST = "POST /processJob";
    private static final String INVALID = "POST /processJob, invalid";
    private static final String DUE_TO_STARTED = "due until started";
    private static final String RUN_AT = "runAt";
    private static final String STARTED_AT = "startedAt";
    private static final ZoneOffset INDIA = ZoneOffset.ofHoursMinutes(5, 30);
    private static final int INVALID_IN_TEN = 1;
    private static final int POLLERS = 20;

    /** @param error what that system answers */
    private record InvalidJob(String body, String error) {}

    private static final List<InvalidJob> INVALID_JOBS = List.of(
            new InvalidJob("{\"count\":1}", "Missing keys"),
            new InvalidJob("{\"count\":1,\"visits\":[{\"store_id\":\"S1\"}]}", "Missing keys"),
            new InvalidJob("{\"count\":2,\"visits\":[]}", "Visits length should be equal to count"),
            new InvalidJob("{\"count\":0,\"visits\":[]}", "No visits provided"));

    public VisitsSimulation() {
        super(load(Settings.number("load.rate", 5, 1, 1_000), Settings.duration("load.duration", "60s", Duration.ofHours(1)),
                Settings.duration("load.ahead", "60s", Duration.ofHours(1)),
                Settings.duration("load.started-within", "10s", Duration.ofHours(1)),
                Settings.duration("load.patience", "120s", Duration.ofHours(1))));
    }

    /**
     * @param rate jobs a second
     * @param ahead the latest that a job is scheduled for; at least 1 s
     * @param startedWithin 99 of 100 jobs start so soon after their time
     * @param patience all jobs have completed, counted from the latest time that one was scheduled for
     */
    static Load load(int rate, Duration duration, Duration ahead, Duration startedWithin, Duration patience) {
        PictureHost pictures = new PictureHost(Settings.picturesHost(), Settings.picturesPort());
        OpenJobs jobs = new OpenJobs(Load.users(rate, duration), duration.plus(ahead).plus(patience));
        ChainBuilder submit = exec(session -> session.set(RUN_AT, secondWithin(ahead)))
                .exec(http(POST).post("/processJob").body(StringBody(session -> visits(pictures, session.get(RUN_AT))))
                        .check(status().is(200), jsonPath("$.message").is("Job scheduled for processing"),
                                jsonPath("$.job_id").saveAs(Api.ID)));
        return new Load(
                List.of(scenario("visits").exec(doIfOrElse(session -> ThreadLocalRandom.current().nextInt(10) < INVALID_IN_TEN)
                        .then(submitInvalid()).orElse(submit))
                        .exec(Api.leaveTo(jobs, session -> new OpenJob(session.getString(Api.ID), session.get(RUN_AT))))
                        .injectOpen(constantUsersPerSec(rate).during(duration)),
                        scenario("visits: pollers")
                                .exec(Api.followAll(jobs, "GET /api/status/{id}", Api.View.IMAGES, lookWhenItStarted()))
                                .injectOpen(atOnceUsers(POLLERS))),
                List.of(details(DUE_TO_STARTED).responseTime().percentile(99).lt(Load.ms(startedWithin))), pictures::close);
    }

    private static ChainBuilder submitInvalid() {
        return exec(session -> session.set("invalid",
                INVALID_JOBS.get(ThreadLocalRandom.current().nextInt(INVALID_JOBS.size()))))
                .exec(http(INVALID).post("/processJob")
                        .body(StringBody(session -> session.<InvalidJob>get("invalid").body()))
                        .check(status().is(400), jsonPath("$.error").is(
                                session -> session.<InvalidJob>get("invalid").error())));
    }

    /** A line of its own in the report: how late jobs started. One that started early, or was kept for another time, has failed. */
    private static ChainBuilder lookWhenItStarted() {
        return exec(session -> session.removeAll(RUN_AT, STARTED_AT))
                .exec(http("GET /v1/jobs/{id}").get("/v1/jobs/#{" + Api.ID + "}").check(status().is(200),
                        jsonPath("$.runAt").saveAs(RUN_AT), jsonPath("$.startedAt").saveAs(STARTED_AT)))
                .exec(dummy(DUE_TO_STARTED, VisitsSimulation::latenessMs).withSuccess(VisitsSimulation::isOnTime));
    }

    private static boolean isOnTime(Session session) {
        Instant due = Api.job(session).runAt();
        return session.contains(STARTED_AT) && Instant.parse(session.getString(RUN_AT)).equals(due)
                && !Instant.parse(session.getString(STARTED_AT)).isBefore(due);
    }

    private static int latenessMs(Session session) {
        return isOnTime(session)
                ? Load.ms(Duration.between(Api.job(session).runAt(), Instant.parse(session.getString(STARTED_AT))))
                : 0;
    }

    private static Instant secondWithin(Duration ahead) {
        long seconds = ThreadLocalRandom.current().nextLong(1, Math.max(1, ahead.toSeconds()) + 1);
        return Instant.now().plusSeconds(seconds).truncatedTo(ChronoUnit.SECONDS);
    }

    /** Of one, two or ten visits with one to three pictures each. */
    private static String visits(PictureHost pictures, Instant runAt) {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        int count = List.of(1, 2, 10).get(random.nextInt(3));
        StringBuilder job = new StringBuilder("{\"count\":").append(count).append(",\"scheduled_time\":\"")
                .append(runAt.atOffset(INDIA)).append("\",\"visits\":[");
        for (int v = 0; v < count; v++) {
            job.append(v == 0 ? "" : ",").append("{\"store_id\":\"S").append(random.nextInt(100_000))
                    .append("\",\"visit_time\":\"10:00:00\",\"image_url\":[").append(urls(pictures, 1 + random.nextInt(3)))
                    .append("]}");
        }
        return job.append("]}").toString();
    }

    private static String urls(PictureHost pictures, int count) {
        return String.join(",", ThreadLocalRandom.current().ints(count, 0, PictureHost.PICTURES)
                .mapToObj(n -> '"' + pictures.url(n) + '"').toList());
    }
}
