package io.millrace.observe;

import java.time.Instant;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

import jakarta.inject.Singleton;

import io.millrace.job.ClaimedJob;
import io.millrace.job.Failure;
import io.millrace.job.Settlement;
import io.millrace.job.TraceParent;
import io.millrace.settle.Attempt;
import io.millrace.tracing.Tracing;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;

/**
 * One span for each attempt of a job whose request was traced, from the call of its handler until its end was recorded. It is made
 * then, with an id that the attempt has had from the start: while jobs run, nothing is kept for it. docs/tracing.md says what is in it.
 */
@Singleton
class AttemptSpans {
    private static final String OPERATION = "process";
    private static final String LOST = "lease_lost";
    private static final AttributeKey<String> SYSTEM = AttributeKey.stringKey("messaging.system");
    private static final AttributeKey<String> OPERATION_NAME = AttributeKey.stringKey("messaging.operation.name");
    private static final AttributeKey<String> OPERATION_TYPE = AttributeKey.stringKey("messaging.operation.type");
    private static final AttributeKey<String> QUEUE = AttributeKey.stringKey("messaging.destination.name");
    private static final AttributeKey<String> ID = AttributeKey.stringKey("messaging.message.id");
    private static final AttributeKey<String> TYPE = AttributeKey.stringKey("millrace.job.type");
    private static final AttributeKey<Long> ATTEMPT = AttributeKey.longKey("millrace.job.attempt");
    private static final AttributeKey<Long> EPOCH = AttributeKey.longKey("millrace.job.epoch");
    private static final AttributeKey<Long> WAITED = AttributeKey.longKey("millrace.job.waited_us");
    private static final AttributeKey<String> OUTCOME = AttributeKey.stringKey("millrace.job.outcome");
    private static final AttributeKey<String> ERROR = AttributeKey.stringKey("error.type");

    private final Tracing tracing;

    AttemptSpans(Tracing tracing) {
        this.tracing = tracing;
    }

    /** Its end is recorded. */
    void recorded(Attempt attempt) {
        if (isTraced(attempt.job())) {
            Settlement settlement = attempt.settlement();
            end(attempt.job(), System.nanoTime() - attempt.startedNanos(),
                    settlement.transition().name().toLowerCase(Locale.ROOT), error(settlement));
        }
    }

    /** Another worker has the job, and whatever this attempt came to counts for nothing. */
    void lost(ClaimedJob job, long ranNanos) {
        if (isTraced(job)) {
            end(job, ranNanos, LOST, LOST);
        }
    }

    private boolean isTraced(ClaimedJob job) {
        return job.options().trace() != null && tracing.isOn();
    }

    /** @return the class of what went wrong, never its message, which may quote a payload; null if nothing did */
    private static String error(Settlement settlement) {
        Failure failure = settlement instanceof Settlement.RetryAfter retry
                ? retry.failure()
                : settlement instanceof Settlement.DeadLetter dead ? dead.failure() : null;
        return failure == null ? null : failure.error();
    }

    private void end(ClaimedJob job, long ranNanos, String outcome, String error) {
        long endNanos = epochNanos();
        TraceParent parent = job.options().trace();
        int epoch = job.lease().epoch();
        SpanBuilder builder = tracing.below(parent, OPERATION + " " + job.queue()).setSpanKind(SpanKind.CONSUMER)
                .setStartTimestamp(endNanos - ranNanos, TimeUnit.NANOSECONDS)
                .setAttribute(SYSTEM, "millrace").setAttribute(OPERATION_NAME, OPERATION)
                .setAttribute(OPERATION_TYPE, OPERATION).setAttribute(QUEUE, job.queue())
                .setAttribute(ID, job.id().toString()).setAttribute(TYPE, job.type())
                .setAttribute(ATTEMPT, (long) job.attempt()).setAttribute(EPOCH, (long) epoch).setAttribute(OUTCOME, outcome);
        if (epoch > 1) {
            builder.addLink(Tracing.context(parent.ofAttempt(job.id(), epoch - 1)));
        }
        if (job.waitedUs() != ClaimedJob.RAN_BEFORE) {
            builder.setAttribute(WAITED, job.waitedUs());
        }
        Span span = tracing.start(builder, parent.ofAttempt(job.id(), epoch).spanId());
        if (error != null) {
            span.setStatus(StatusCode.ERROR).setAttribute(ERROR, error);
        }
        span.end(endNanos, TimeUnit.NANOSECONDS);
    }

    private static long epochNanos() {
        Instant now = Instant.now();
        return TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano();
    }
}
