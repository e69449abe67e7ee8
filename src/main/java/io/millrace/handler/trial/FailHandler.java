package io.millrace.handler.trial;

import jakarta.inject.Singleton;

import io.millrace.handler.JobContext;
import io.millrace.handler.JobHandler;
import io.millrace.handler.JobType;
import io.millrace.job.Outcome;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.smallrye.mutiny.Uni;

/** Always fails: for watching retries and dead letters. */
@Singleton
public class FailHandler implements JobHandler<FailHandler.Payload> {
    private static final JobType<Payload> TYPE = new JobType<>("fail",
            "Always fails with message; with permanent: true it is rejected at once.", Payload.class,
            "{\"message\": \"no luck\", \"permanent\": false}");

    /**
     * @param message what to fail with; may be null
     * @param permanent true to be rejected instead of retried
     */
    @RegisterForReflection
    public record Payload(String message, boolean permanent) {}

    @Override
    public JobType<Payload> type() {
        return TYPE;
    }

    @Override
    public Uni<Outcome> run(Payload payload, JobContext context) {
        String message = payload.message() == null ? "failed as asked" : payload.message();
        return Uni.createFrom().item(payload.permanent()
                ? new Outcome.Reject(message)
                : new Outcome.Retry(new TrialFailureException(message)));
    }
}
