package io.millrace.load;

import static io.gatling.javaapi.core.CoreDsl.constantUsersPerSec;
import static io.gatling.javaapi.core.CoreDsl.details;
import static io.gatling.javaapi.core.CoreDsl.exec;
import static io.gatling.javaapi.core.CoreDsl.group;
import static io.gatling.javaapi.core.CoreDsl.jsonPath;
import static io.gatling.javaapi.core.CoreDsl.scenario;
import static io.gatling.javaapi.http.HttpDsl.http;
import static io.gatling.javaapi.http.HttpDsl.status;

import java.time.Duration;
import java.util.List;

/**
 * From the POST until the caller knows that the job has completed: the second request waits for that. The report and the gate count
 * both requests together, as the response time of a group; what lies between them is the load generator's.
 */
public class EndToEndSimulation extends LoadSimulation {
    static final String GROUP = "POST until completed";

    /** {@code millrace.api.max-wait} allows no more. */
    private static final Duration LONGEST_WAIT = Duration.ofSeconds(60);

    public EndToEndSimulation() {
        super(load(Settings.number("load.rate", 100, 1, 10_000), Settings.duration("load.duration", "30s", Duration.ofHours(1)),
                Settings.number("load.percentile", 99, 1, 100),
                Settings.duration("load.completed-within", "1s", LONGEST_WAIT),
                Settings.duration("load.patience", "30s", LONGEST_WAIT)));
    }

    /**
     * @param rate jobs a second
     * @param completedWithin the given percentile of jobs
     * @param patience every job, from its POST; at least 1 s
     */
    static Load load(int rate, Duration duration, int percentile, Duration completedWithin, Duration patience) {
        return new Load(List.of(scenario("end to end").exec(group(GROUP).on(
                exec(Api.enqueue(session -> "{\"type\":\"echo\",\"payload\":{\"n\":" + session.userId() + "}}")),
                Api.ifSubmitted(exec(http("GET /v1/jobs/{id}?wait=").get("/v1/jobs/#{" + Api.ID + "}")
                        .queryParam("wait", Math.max(1, patience.toSeconds()) + "s")
                        .check(status().is(200), jsonPath("$.state").is("COMPLETED"))))))
                .injectOpen(constantUsersPerSec(rate).during(duration))),
                List.of(details(GROUP).successfulRequests().count().is((long) Load.users(rate, duration)),
                        details(GROUP).responseTime().percentile(percentile).lt(Load.ms(completedWithin))));
    }
}
