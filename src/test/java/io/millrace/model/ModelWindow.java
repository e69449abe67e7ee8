package io.millrace.model;

import java.util.Map;

import io.millrace.job.Priority;

/** What one process knows of the lengths of the streams: the {@code DispatchWindow} on the clock of the model. */
final class ModelWindow {
    private static final long STALE_MS = 200;

    private final Simulation simulation;
    private Map<Priority, Integer> lengths;
    private long seenAtMs;

    ModelWindow(Simulation simulation) {
        this.simulation = simulation;
    }

    void observe(Map<Priority, Integer> seen) {
        lengths = seen;
        seenAtMs = simulation.nowMs();
    }

    int room(Priority priority) {
        return lengths == null ? Timing.DISPATCH_WINDOW : Math.max(0, Timing.DISPATCH_WINDOW - lengths.get(priority));
    }

    boolean isToBeMeasured() {
        if (lengths == null) {
            return true;
        }
        boolean isStale = simulation.nowMs() - seenAtMs > STALE_MS;
        seenAtMs = isStale ? simulation.nowMs() : seenAtMs;
        return isStale;
    }
}
