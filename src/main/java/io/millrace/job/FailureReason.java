package io.millrace.job;

/** Why a job was given up. */
public enum FailureReason {
    /** The handler failed as often as the job allows. */
    ATTEMPTS_EXHAUSTED,
    /** The handler, or the worker before it, said that the job can never succeed. */
    REJECTED,
    /** Its worker died too often while running it: it may be what kills them. */
    WORKER_LOST
}
