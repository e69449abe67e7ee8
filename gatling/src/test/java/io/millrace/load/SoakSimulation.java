package io.millrace.load;

import static io.gatling.javaapi.core.CoreDsl.atOnceUsers;
import static io.gatling.javaapi.core.CoreDsl.constantUsersPerSec;
import static io.gatling.javaapi.core.CoreDsl.details;
import static io.gatling.javaapi.core.CoreDsl.exec;
import static io.gatling.javaapi.core.CoreDsl.scenario;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

import io.millrace.load.OpenJobs.OpenJob;

/** A little of everything for a long time: whatever grows, leaks or gets slower shows on the dashboards meanwhile. */
public class SoakSimulation extends LoadSimulation {
    private static final int POLLERS = 20;
    /** The latest that a job is scheduled for. */
    private static final Duration AHEAD = Duration.ofSeconds(30);

    /** Seven in ten at once, two in ten that take a moment or a second try, one in ten later. */
    private static final List<String> JOBS = List.of("\"type\":\"echo\",\"payload\":{\"soak\":true}",
            "\"type\":\"sleep\",\"payload\":{\"ms\":50}", "\"type\":\"flaky\",\"payload\":{\"failures\":1}");
    private static final List<Integer> MIX = List.of(0, 0, 0, 0, 0, 0, 0, 1, 2);

    public SoakSimulation() {
        super(load(Settings.number("load.rate", 50, 1, 5_000), Settings.duration("load.duration", "1h", Duration.ofHours(24)),
                AHEAD, Settings.duration("load.answered-within", "1s", Duration.ofMinutes(1)),
                Settings.duration("load.patience", "120s", Duration.ofHours(1))));
    }

    /**
     * @param rate jobs a second
     * @param ahead the latest that a job is scheduled for, at least 1 s
     * @param answeredWithin 99 of 100 POSTs
     * @param patience all jobs have completed, counted from the latest time that one was scheduled for
     */
    static Load load(int rate, Duration duration, Duration ahead, Duration answeredWithin, Duration patience) {
        OpenJobs jobs = new OpenJobs(Load.users(rate, duration), duration.plus(ahead).plus(patience));
        return new Load(
                List.of(scenario("soak").exec(exec(Api.enqueue(session -> job(ahead))))
                        .exec(Api.leaveTo(jobs, session -> new OpenJob(session.getString(Api.ID), null)))
                        .injectOpen(constantUsersPerSec(rate).during(duration)),
                        scenario("soak: pollers").exec(Api.followAll(jobs, "GET /v1/jobs/{id}", Api.View.MILLRACE))
                                .injectOpen(atOnceUsers(POLLERS))),
                List.of(details(Api.ENQUEUE).responseTime().percentile(99).lt(Load.ms(answeredWithin))));
    }

    private static String job(Duration ahead) {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        int kind = random.nextInt(MIX.size() + 1);
        return kind < MIX.size()
                ? "{" + JOBS.get(MIX.get(kind)) + "}"
                : "{" + JOBS.get(0) + ",\"delay\":\"PT" + random.nextLong(1, ahead.toSeconds() + 1) + "S\"}";
    }
}
