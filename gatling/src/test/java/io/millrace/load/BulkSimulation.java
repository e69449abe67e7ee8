package io.millrace.load;

import static io.gatling.javaapi.core.CoreDsl.StringBody;
import static io.gatling.javaapi.core.CoreDsl.atOnceUsers;
import static io.gatling.javaapi.core.CoreDsl.constantUsersPerSec;
import static io.gatling.javaapi.core.CoreDsl.details;
import static io.gatling.javaapi.core.CoreDsl.exec;
import static io.gatling.javaapi.core.CoreDsl.jsonPath;
import static io.gatling.javaapi.core.CoreDsl.scenario;
import static io.gatling.javaapi.http.HttpDsl.http;
import static io.gatling.javaapi.http.HttpDsl.status;

import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import io.gatling.javaapi.core.ChainBuilder;
import io.gatling.javaapi.core.Session;
import io.millrace.load.OpenJobs.OpenJob;

/** Requests with many jobs each. All must be accepted; of each request some jobs, the first and the last among them, are followed. */
public class BulkSimulation extends LoadSimulation {
    private static final String POST = "POST /v1/jobs/bulk";
    private static final String IDS = "ids";
    private static final int FOLLOWED = 20;
    private static final int POLLERS = 10;

    public BulkSimulation() {
        super(load(Settings.number("load.rate", 2, 1, 100), Settings.duration("load.duration", "30s", Duration.ofHours(1)),
                Settings.number("load.bulk-jobs", 1_000, 1, 10_000),
                Settings.duration("load.answered-within", "5s", Duration.ofMinutes(1)),
                Settings.duration("load.patience", "60s", Duration.ofHours(1))));
    }

    /**
     * @param rate requests a second
     * @param size jobs of a request
     * @param answeredWithin 99 of 100 requests
     * @param patience all followed jobs have completed, counted from the last request
     */
    static Load load(int rate, Duration duration, int size, Duration answeredWithin, Duration patience) {
        int requests = Load.users(rate, duration);
        OpenJobs jobs = new OpenJobs(requests, duration.plus(patience));
        String body = "[" + String.join(",", Collections.nCopies(size, "{\"type\":\"echo\",\"payload\":{\"bulk\":true}}"))
                + "]";
        ChainBuilder submit = exec(http(POST).post("/v1/jobs/bulk").body(StringBody(session -> body)).check(status().is(200),
                jsonPath("$.accepted").ofInt().is(size), jsonPath("$.items[*].job.id").findAll().saveAs(IDS)));
        return new Load(
                List.of(scenario("bulk").exec(submit).exec(session -> leaveSome(session, jobs))
                        .injectOpen(constantUsersPerSec(rate).during(duration)),
                        scenario("bulk: pollers").exec(Api.followAll(jobs, "GET /v1/jobs/{id}", Api.View.MILLRACE))
                                .injectOpen(atOnceUsers(POLLERS))),
                List.of(details(POST).successfulRequests().count().is((long) requests),
                        details(POST).responseTime().percentile(99).lt(Load.ms(answeredWithin))));
    }

    private static Session leaveSome(Session session, OpenJobs jobs) {
        List<String> ids = session.getList(IDS);
        int step = Math.max(1, ids.size() / FOLLOWED);
        Stream<String> some = IntStream.range(0, ids.size()).filter(n -> n % step == 0 || n == ids.size() - 1)
                .mapToObj(ids::get);
        some.forEach(id -> jobs.add(new OpenJob(id, null)));
        jobs.submitterEnded();
        return session;
    }
}
