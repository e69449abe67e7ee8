package io.millrace.model;

/** What can go wrong around the protocol. */
enum Fault {
    /** A worker dies: at any time, or right between two of its remote calls. */
    WORKER_CRASH,
    /** Another process dies. */
    OTHER_CRASH,
    /** A process stands still, up to three minutes: longer than a lease and than the idle time of the sweep. */
    PAUSE,
    /** A worker is asked to stop. */
    DRAIN,
    REQUEST_LOST, REPLY_LOST,
    /** A call takes seconds: it may take place after its caller has given up. */
    SLOW_CALL,
    /** PostgreSQL answers nobody for some seconds. */
    POSTGRES_AWAY,
    REDIS_AWAY,
    /** Redis forgets everything. */
    FLUSH,
    /** Redis comes back as it was some time ago. */
    ROLLBACK,
    STREAM_DELETED,
    /** Somebody deletes a consumer that has pending entries. */
    CONSUMER_DELETED,
    /** Redis refuses what needs memory; in the one variant only as the first write of a script, in the other always. */
    REDIS_FULL,
    /** The clock of Redis is set. */
    CLOCK_STEP,
    /** Somebody writes an entry whose job nobody knows. */
    FOREIGN_ENTRY
}
