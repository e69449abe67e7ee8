package io.millrace.handler.trial;

import jakarta.inject.Singleton;

import io.millrace.handler.JobContext;
import io.millrace.handler.JobHandler;
import io.millrace.handler.JobType;
import io.millrace.job.Outcome;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.smallrye.mutiny.Uni;

/** Fails a few times and then succeeds: for watching backoff. */
@Singleton
public class FlakyHandler implements JobHandler<FlakyHandler.Payload> {
    private static final JobType<Payload> TYPE = new JobType<>("flaky", "Fails the first failures attempts, then succeeds.",
            Payload.class, "{\"failures\": 2}");

    /** @param failures how many attempts fail; 0 or more */
    @RegisterForReflection
    public record Payload(int failures) {}

    @RegisterForReflection
    record Result(int succeededOnAttempt) {}

    @Override
    public JobType<Payload> type() {
        return TYPE;
    }

    @Override
    public Uni<Outcome> run(Payload payload, JobContext context) {
        return Uni.createFrom().item(context.attempt() <= payload.failures()
                ? new Outcome.Retry(
                        new TrialFailureException("attempt " + context.attempt() + " of " + payload.failures() + " that fail"))
                : new Outcome.Success(new Result(context.attempt())));
    }
}
