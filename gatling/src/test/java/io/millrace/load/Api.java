package io.millrace.load;

import static io.gatling.javaapi.core.CoreDsl.StringBody;
import static io.gatling.javaapi.core.CoreDsl.asLongAs;
import static io.gatling.javaapi.core.CoreDsl.doIf;
import static io.gatling.javaapi.core.CoreDsl.doIfOrElse;
import static io.gatling.javaapi.core.CoreDsl.dummy;
import static io.gatling.javaapi.core.CoreDsl.exec;
import static io.gatling.javaapi.core.CoreDsl.jsonPath;
import static io.gatling.javaapi.core.CoreDsl.pause;
import static io.gatling.javaapi.http.HttpDsl.http;
import static io.gatling.javaapi.http.HttpDsl.status;

import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;

import io.gatling.javaapi.core.ChainBuilder;
import io.gatling.javaapi.core.Session;
import io.gatling.javaapi.http.HttpProtocolBuilder;
import io.gatling.javaapi.http.HttpRequestActionBuilder;
import io.millrace.load.OpenJobs.OpenJob;

/** What users of the API do. Each request has a name of its own in the report. */
final class Api {
    static final String ID = "id";
    static final String ENQUEUE = "POST /v1/jobs";

    private static final String JOB = "job";
    private static final String STATE = "state";
    private static final Duration POLL = Duration.ofMillis(200);

    private Api() {}

    /** How one of the APIs shows a job: where it is, where its state stands, and which states there are but failures. */
    record View(String path, String state, List<String> open, String completed) {
        static final View MILLRACE = new View("/v1/jobs/", "$.state", List.of("SCHEDULED", "PENDING", "PROCESSING", "RETRYING"),
                "COMPLETED");
        static final View STREAMS = new View("/jobs/", "$.status", List.of("PENDING", "PROCESSING"), "COMPLETED");
        static final View IMAGES = new View("/api/status/", "$.status", List.of("ongoing"), "completed");
    }

    /** Without the request to the maker's site that Gatling would begin with. */
    static HttpProtocolBuilder protocol() {
        HttpProtocolBuilder protocol = http.baseUrl(Settings.url()).disableWarmUp().acceptHeader("application/json")
                .contentTypeHeader("application/json").userAgentHeader("millrace-load");
        return Settings.token().map(token -> protocol.authorizationHeader("Bearer " + token)).orElse(protocol);
    }

    /** Hands in one job and keeps its {@link #ID}; without one the request has failed. */
    static HttpRequestActionBuilder enqueue(Function<Session, String> job) {
        return http(ENQUEUE).post("/v1/jobs").body(StringBody(job)).check(status().is(201),
                jsonPath("$.id").saveAs(ID));
    }

    /** What a submitter does last: its job, if it got one, is the pollers' from here on. */
    static ChainBuilder leaveTo(OpenJobs jobs, Function<Session, OpenJob> job) {
        return exec(session -> {
            if (session.contains(ID)) {
                jobs.add(job.apply(session));
            }
            jobs.submitterEnded();
            return session;
        });
    }

    /**
     * What a poller does: asks for one open job after the other until all have completed. A job that failed is a failed request,
     * and so is each that has not ended when the time of {@code jobs} is up.
     *
     * @param name of the requests
     * @param whenCompleted further questions about the job, which is kept under {@link #ID}
     */
    static ChainBuilder followAll(OpenJobs jobs, String name, View view, ChainBuilder whenCompleted) {
        List<String> states = Stream.concat(view.open().stream(), Stream.of(view.completed())).toList();
        ChainBuilder look = exec(http(name).get(view.path() + "#{" + ID + "}").check(status().is(200),
                jsonPath(view.state()).in(states).saveAs(STATE))).exec(session -> settle(session, jobs, view))
                .doIfOrElse(session -> view.completed().equals(session.getString(STATE))).then(whenCompleted)
                .orElse(pause(POLL));
        return asLongAs(session -> jobs.isWatched())
                .on(exec(session -> take(session, jobs)), doIfOrElse(session -> session.contains(JOB)).then(look)
                        .orElse(pause(POLL)))
                .exec(session -> take(session, jobs))
                .exec(asLongAs(session -> session.contains(JOB)).on(
                        dummy("job that did not end in time", 0).withSuccess(false), exec(session -> take(session, jobs))));
    }

    static ChainBuilder followAll(OpenJobs jobs, String name, View view) {
        return followAll(jobs, name, view, exec(session -> session));
    }

    private static Session take(Session session, OpenJobs jobs) {
        OpenJob job = jobs.take();
        Session before = session.removeAll(JOB, ID, STATE);
        return job == null ? before : before.set(JOB, job).set(ID, job.id());
    }

    /** No state means that the request has failed and says so in the report; there is nothing to wait for. */
    private static Session settle(Session session, OpenJobs jobs, View view) {
        if (view.open().contains(session.getString(STATE))) {
            jobs.putBack(session.get(JOB));
        } else {
            jobs.ended();
        }
        return session;
    }

    /** The job that a poller looks at. */
    static OpenJob job(Session session) {
        return session.get(JOB);
    }

    static ChainBuilder ifSubmitted(ChainBuilder then) {
        return doIf(session -> session.contains(ID)).then(then);
    }
}
