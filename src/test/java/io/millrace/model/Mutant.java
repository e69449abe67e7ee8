package io.millrace.model;

/** A mistake in the protocol that the model must be able to see. */
enum Mutant {
    /** The protocol as it is. */
    NONE,
    /** Recording an end asks neither for the epoch nor for the lease id. */
    SETTLE_WITHOUT_FENCE,
    /** A worker whose beat was refused goes on, and records without a fence. */
    REFUSED_BEAT_IGNORED,
    /** The reaper looks in one statement and writes in another, without looking again. */
    REAP_FROM_A_SNAPSHOT,
    /** The entry is acknowledged when the handler is over, before its end is recorded. */
    ACKNOWLEDGE_BEFORE_SETTLE,
    /** A worker whose record touched no row acknowledges all the same. */
    ACKNOWLEDGE_UNRECORDED,
    /** A handler marks its effect as done before it does it. */
    GUARD_BEFORE_EFFECT,
    /** The consumer group begins at the end of the stream. */
    GROUP_AT_END,
    /** A promotion removes the job from the delayed set before it adds it to the stream. */
    PROMOTE_REMOVES_FIRST,
    /** The acknowledgement of a retry and its delay are two commands. */
    RETRY_IN_TWO_COMMANDS,
    /** Renewing an entry does not ask who owns it. */
    RENEW_WITHOUT_OWNER,
    /** The claim takes jobs that are not due. */
    CLAIM_BEFORE_DUE,
    /** A job handed back at a stop counts as lost. */
    RELEASE_COUNTS_AS_LOST,
    /** The dead letter stream is told of jobs that will be tried again. */
    DEAD_LETTER_ON_RETRY,
    /** The claim leaves entries alone whose jobs have ended, also when those are deleted. */
    UNNEEDED_ENTRIES_LEFT,
    /** The claim takes jobs that somebody runs. */
    CLAIM_TAKES_A_LIVE_LEASE,
    /** Whoever takes a job over from a dead worker writes no row of the lost attempt. */
    RECLAIM_WITHOUT_ATTEMPT,
    /** Nobody deletes entries that were delivered and are pending for nobody. */
    ORPHANS_LEFT,
    /** A job that was promoted early is parked until it is due, whatever the clock of Redis says. */
    PARKED_UNTIL_DUE,
    /** Old jobs are looked for in one statement and deleted in another, seconds later, without looking again. */
    DELETE_FROM_A_SNAPSHOT
}
