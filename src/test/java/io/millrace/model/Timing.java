package io.millrace.model;

/**
 * The settings of the engine, in ms; the defaults of {@code docs/settings.md} where nothing else is said. Batches and the window
 * are small, so that a few jobs need several steps of each.
 */
final class Timing {
    static final long INSERT_MS = 10_000;
    static final long STATEMENT_MS = 5_000;
    static final long COMMAND_MS = 2_000;
    static final long APPEND_MS = 250;
    static final long APPEND_PAUSE_MS = 1_000;
    static final long READ_BLOCK_MS = 2_000;
    static final long LOOK_AHEAD_MS = 600_000;

    static final long LEASE_MS = 30_000;
    static final long HEARTBEAT_MS = 10_000;
    static final long STOP_AFTER_MS = 21_000;
    static final long CLAIM_PATIENCE_MS = 10_000;
    static final long DRAIN_MS = 20_000;
    static final long LAST_WRITES_MS = 5_000;
    /** Longer than any job: what is shorter than the probation runs alone to its end. */
    static final long PROBATION_MS = 120_000;
    /** Not ten minutes: a run should see it. */
    static final long UNKNOWN_AFTER_MS = 120_000;

    static final long RELAY_EVERY_MS = 1_000;
    static final long LOAD_EVERY_MS = 60_000;
    static final long PROMOTE_EVERY_MS = 1_000;
    static final long RECLAIM_EVERY_MS = 15_000;
    static final long RECLAIM_IDLE_MS = 60_000;
    static final long REAP_EVERY_MS = 10_000;
    static final long RECONCILE_EVERY_MS = 30_000;
    static final long RECONCILE_MARGIN_MS = 90_000;
    static final long SHORT_MARGIN_MS = 1_000;
    static final long LOAD_TO_RECONCILE_MS = 1_500;
    static final long LOOK_TO_LOOK_MS = 4_000;
    /** Not every ten minutes, after an hour: a run should see it. */
    static final long TRIM_EVERY_MS = 60_000;
    static final long TRIM_IDLE_MS = 120_000;
    static final long DELETE_EVERY_MS = 60_000;
    /** Not weeks: a run should see it. */
    static final long KEEP_MS = 60_000;
    static final long KEEP_FAILED_MS = 120_000;

    static final int SLOTS = 4;
    static final int DISPATCH_WINDOW = 12;
    static final int PER_STEP = 4;
    static final int PAGE = 20;

    private Timing() {}
}
