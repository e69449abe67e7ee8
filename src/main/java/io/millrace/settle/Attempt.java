package io.millrace.settle;

import java.util.List;
import java.util.function.BooleanSupplier;

import io.millrace.job.ClaimedJob;
import io.millrace.job.Settlement;
import io.millrace.stream.StreamEntry;

/**
 * An attempt that is over and has to be recorded.
 *
 * @param entries the deliveries to acknowledge once it is; mostly one
 * @param startedNanos by {@link System#nanoTime}
 * @param isHeld false once the lease is known to be lost, so that nobody goes on trying
 */
public record Attempt(ClaimedJob job, List<StreamEntry> entries, Settlement settlement, long startedNanos,
        BooleanSupplier isHeld) {

    Attempt with(Settlement other) {
        return new Attempt(job, entries, other, startedNanos, isHeld);
    }
}
