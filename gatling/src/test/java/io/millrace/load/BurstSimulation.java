package io.millrace.load;

import static io.gatling.javaapi.core.CoreDsl.StringBody;
import static io.gatling.javaapi.core.CoreDsl.atOnceUsers;
import static io.gatling.javaapi.core.CoreDsl.details;
import static io.gatling.javaapi.core.CoreDsl.exec;
import static io.gatling.javaapi.core.CoreDsl.jsonPath;
import static io.gatling.javaapi.core.CoreDsl.scenario;
import static io.gatling.javaapi.http.HttpDsl.http;
import static io.gatling.javaapi.http.HttpDsl.status;

import java.time.Duration;
import java.util.List;

import io.gatling.javaapi.core.ChainBuilder;
import io.millrace.load.OpenJobs.OpenJob;

/** The load test of the Redis Streams scheduler: a thousand users hand in a job at the same moment, over a connection each. */
public class BurstSimulation extends LoadSimulation {
    private static final String POST = "POST /jobs";
    private static final int POLLERS = 20;

    public BurstSimulation() {
        super(load(Settings.number("load.users", 1_000, 1, 20_000),
                Settings.duration("load.answered-within", "5s", Duration.ofMinutes(1)),
                Settings.duration("load.patience", "60s", Duration.ofHours(1))));
    }

    /**
     * @param answeredWithin 99 of 100 users have their answer
     * @param patience all jobs have completed, counted from the beginning
     */
    static Load load(int users, Duration answeredWithin, Duration patience) {
        OpenJobs jobs = new OpenJobs(users, patience);
        ChainBuilder submit = exec(http(POST).post("/jobs")
                .body(StringBody("{\"type\":\"ECHO\",\"payload\":{\"to\":\"user-#{n}@example.com\"}}"))
                .check(status().is(201), jsonPath("$.status").is("PENDING"), jsonPath("$.jobId").saveAs(Api.ID)));
        return new Load(
                List.of(scenario("burst").exec(session -> session.set("n", session.userId())).exec(submit)
                        .exec(Api.leaveTo(jobs, session -> new OpenJob(session.getString(Api.ID), null)))
                        .injectOpen(atOnceUsers(users)),
                        scenario("burst: pollers").exec(Api.followAll(jobs, "GET /jobs/{id}", Api.View.STREAMS))
                                .injectOpen(atOnceUsers(POLLERS))),
                List.of(details(POST).successfulRequests().count().is((long) users),
                        details(POST).responseTime().percentile(99).lt(Load.ms(answeredWithin))));
    }
}
