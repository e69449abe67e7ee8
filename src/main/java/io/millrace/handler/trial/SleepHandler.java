package io.millrace.handler.trial;

import java.time.Duration;

import jakarta.inject.Singleton;

import io.millrace.handler.JobContext;
import io.millrace.handler.JobHandler;
import io.millrace.handler.JobType;
import io.millrace.job.Outcome;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.smallrye.mutiny.Uni;

/** Takes its time: for watching slots, leases and shutdowns. */
@Singleton
public class SleepHandler implements JobHandler<SleepHandler.Payload> {
    private static final long LONGEST_MS = Duration.ofHours(1).toMillis();
    private static final JobType<Payload> TYPE = new JobType<>("sleep", "Sleeps for ms milliseconds, at most an hour.",
            Payload.class, "{\"ms\": 1000}");

    /** @param ms how long to sleep, 0 to 3,600,000 */
    @RegisterForReflection
    public record Payload(long ms) {}

    @RegisterForReflection
    record Result(long sleptMs) {}

    @Override
    public JobType<Payload> type() {
        return TYPE;
    }

    @Override
    public Uni<Outcome> run(Payload payload, JobContext context) {
        if (payload.ms() < 0 || payload.ms() > LONGEST_MS) {
            return Uni.createFrom().item(new Outcome.Reject("ms must be 0 to " + LONGEST_MS + ", not " + payload.ms()));
        }
        Uni<Outcome> done = Uni.createFrom().item(new Outcome.Success(new Result(payload.ms())));
        return payload.ms() == 0 ? done : done.onItem().delayIt().by(Duration.ofMillis(payload.ms()));
    }
}
