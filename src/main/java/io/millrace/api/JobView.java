package io.millrace.api;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonRawValue;

import io.millrace.handler.SensitivePaths;
import io.millrace.job.Job;
import io.millrace.job.JobState;
import io.millrace.store.JobQueries;
import io.quarkus.runtime.annotations.RegisterForReflection;

/**
 * A job as the API shows it.
 *
 * @param attempt 0 before the first run, 1 during it
 * @param failures how often the handler failed
 * @param lost how often a worker died while running it
 * @param failure what went wrong in the last attempt; gone after a success
 */
@RegisterForReflection
@JsonInclude(JsonInclude.Include.NON_NULL)
public record JobView(UUID id, String type, String queue, String priority, String uniqueKey, JobState state, int attempt,
        int maxAttempts,
        int failures,
        int lost, int epoch, @JsonRawValue String payload, List<String> tags, Instant runAt, Instant createdAt,
        Instant startedAt,
        Instant finishedAt, @JsonRawValue String result, @JsonRawValue String failure, Boolean cancelRequested, Running running,
        List<AttemptView> attempts, Map<String, String> links) {

    /** Who runs it now. */
    @RegisterForReflection
    public record Running(String worker, Instant leaseUntil) {}

    /** An attempt that did not succeed. */
    @RegisterForReflection
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record AttemptView(int epoch, String outcome, @JsonRawValue String failure, String worker, Instant startedAt,
            Instant endedAt) {}

    /**
     * @param attempts null to leave them out
     * @param sensitive what of the job's type nobody is shown
     */
    static JobView of(Job job, List<JobQueries.Attempt> attempts, SensitivePaths sensitive) {
        boolean isRunning = job.state() == JobState.PROCESSING;
        String self = JobsResource.PATH + "/" + job.id();
        return new JobView(job.id(), job.type(), job.queue(), job.priority().label(), job.uniqueKey(), job.state(),
                attempt(job),
                job.maxAttempts(),
                job.failures(), job.lost(), job.epoch(), sensitive.mask(job.payload()), job.tags(), job.runAt(),
                job.createdAt(),
                job.startedAt(),
                job.finishedAt(), sensitive.mask(job.result()), job.failure(), job.isCancelRequested() ? Boolean.TRUE : null,
                isRunning ? new Running(job.leaseOwner(), job.leaseUntil()) : null, attempts == null ? null : views(attempts),
                Map.of("self", self));
    }

    /** The attempt that runs or ran last: one more than the failures, unless the last one was a failure. */
    private static int attempt(Job job) {
        boolean isOneMore = job.state() == JobState.PROCESSING || job.state() == JobState.COMPLETED;
        return job.failures() + (isOneMore ? 1 : 0);
    }

    private static List<AttemptView> views(List<JobQueries.Attempt> attempts) {
        return attempts.stream()
                .map(a -> new AttemptView(a.epoch(), a.outcome(), a.failure(), a.worker(), a.startedAt(), a.endedAt()))
                .toList();
    }
}
