package io.millrace.job;

import java.util.UUID;

/** How a job is named in the log, so that lines about one job are found by its id, and those of one trace by its. */
final class JobLabel {
    private JobLabel() {}

    /** @param trace null if nobody records it */
    static String of(UUID id, String type, String queue, TraceParent trace) {
        String label = "job " + id + " of type " + type + ", queue " + queue;
        return trace == null ? label : label + ", trace " + trace.traceId();
    }
}
