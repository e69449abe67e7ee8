package io.millrace.settle;

import java.time.Duration;
import java.util.function.DoubleSupplier;

import io.millrace.job.Backoff;
import io.millrace.job.ClaimedJob;
import io.millrace.job.Failure;
import io.millrace.job.FailureReason;
import io.millrace.job.Outcome;
import io.millrace.job.Settlement;

/** Turns what a handler said of an attempt into what is written. Pure: no clock, no store. */
public final class SettlementPolicy {

    /** Writes a value as JSON. */
    @FunctionalInterface
    public interface JsonWriter {
        /** @return JSON, or null for null */
        String write(Object value) throws Exception;
    }

    private final JsonWriter json;
    private final int maxResult;
    private final DoubleSupplier random;

    /**
     * @param maxResult most characters of a result
     * @param random 0 to 1, for jitter
     */
    public SettlementPolicy(JsonWriter json, int maxResult, DoubleSupplier random) {
        this.json = json;
        this.maxResult = maxResult;
        this.random = random;
    }

    /** @param backoff of the job's type; the job's own wins */
    public Settlement decide(ClaimedJob job, Backoff backoff, Outcome outcome) {
        if (outcome instanceof Outcome.Success success) {
            return complete(success);
        } else if (outcome instanceof Outcome.Retry retry) {
            return retry(job, job.options().backoff() != null ? job.options().backoff() : backoff, retry);
        } else if (outcome instanceof Outcome.Reject reject) {
            return reject("Rejected", reject.reason(), detail(reject.detail()));
        } else if (outcome instanceof Outcome.Snooze snooze) {
            return new Settlement.Postpone(bounded(snooze.delay()));
        }
        throw new IllegalArgumentException("no settlement for " + outcome);
    }

    private Settlement complete(Outcome.Success success) {
        String result;
        try {
            result = json.write(success.result());
        } catch (Exception e) {
            return reject("UnwritableResult", "the result cannot be written as JSON: " + e.getMessage(), null);
        }
        if (result != null && result.length() > maxResult) {
            return reject("ResultTooLarge", "the result has " + result.length() + " characters, more than the " + maxResult
                    + " of millrace.settle.max-result: return less, or store it elsewhere and return where", null);
        }
        return new Settlement.Complete(result, success.artifacts());
    }

    private Settlement retry(ClaimedJob job, Backoff backoff, Outcome.Retry retry) {
        Failure failure = Failures.of(retry.cause(), detail(retry.detail()));
        int failures = job.failures() + 1;
        if (failures >= job.maxAttempts()) {
            return new Settlement.DeadLetter(failure.withReason(FailureReason.ATTEMPTS_EXHAUSTED));
        }
        Duration delay = retry.after() != null ? retry.after() : backoff.delayAfter(failures, random);
        return new Settlement.RetryAfter(bounded(delay), failure);
    }

    private static Settlement reject(String error, String message, String detail) {
        return new Settlement.DeadLetter(new Failure(FailureReason.REJECTED, error, message, null, detail));
    }

    /** A detail that cannot be written must not hide the failure it belongs to. */
    private String detail(Object detail) {
        try {
            String text = json.write(detail);
            return text == null || text.length() > maxResult ? null : text;
        } catch (Exception e) {
            return null;
        }
    }

    private static Duration bounded(Duration delay) {
        if (delay.isNegative()) {
            return Duration.ZERO;
        }
        return delay.compareTo(Backoff.LONGEST) > 0 ? Backoff.LONGEST : delay;
    }
}
