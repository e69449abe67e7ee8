package io.millrace.job;

/**
 * A job that was checked, and what keeps it from being there twice.
 *
 * @param keys never null
 */
public record KeyedJob(NewJob job, JobKeys keys) {
    public KeyedJob withTrace(TraceParent trace) {
        return new KeyedJob(job.withTrace(trace), keys);
    }
}
