package io.millrace.model;

/** What must hold in every run. The names are those of docs/guarantees.md. */
enum Invariant {
    /** No loss: once nothing fails any more, every committed job reaches the end its plan foretells, within a bounded time. */
    I1,
    /** One end: a job that has ended is never written to, but by a replay. */
    I2,
    /** A true end: COMPLETED means an effect by an attempt that held the lease; FAILED a used-up budget, a rejection or three losses. */
    I3,
    /** Fencing: epochs rise, a live lease is taken from nobody, and nobody who has lost a lease or an entry writes. */
    I5,
    /** Not early: an attempt begins no sooner than the job is due. */
    I6,
    /** Accounting: epoch, failures, lost and the attempt rows, to the word, are what happened. */
    I7,
    /** Exact dead letters: a job is FAILED if and only if an attempt row says so, and the hints name no other job. */
    I8,
    /** Legal edges: every change of state is one of the transitions. */
    I9,
    /**
     * Boundedness: streams, pending entries and the delayed set are empty at the end, the consumers of dead workers are gone, and
     * no job was sent over and over.
     */
    I12
}
