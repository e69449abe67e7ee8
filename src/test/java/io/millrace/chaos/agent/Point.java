package io.millrace.chaos.agent;

/**
 * A boundary of the protocol at which a fault can be made to happen: the entry of a method of the packaged application. The
 * application knows nothing of it; the agent weaves it in.
 */
public enum Point {
    /** A job is about to be inserted. */
    BEFORE_INSERT("store.JobStore", "insert"),
    /** Jobs are committed, their ids are not on the stream. */
    AFTER_INSERT("intake.Intake", "handOut"),
    /** Jobs are marked as dispatched, their ids are not on the stream. */
    RELAY_AFTER_MARK("maintenance.Relay", "send"),
    /** The stream has answered that it took ids. */
    AFTER_APPEND("stream.DispatchWindow", "observe"),
    /** An entry was delivered, and nobody was asked for the right to run it. */
    AFTER_READ("worker.Worker", "process"),
    BEFORE_CLAIM("store.JobStore", "claim"),
    /** The claim is committed, its jobs have not started. */
    AFTER_CLAIM("worker.Claimer", "refuseOthers"),
    BEFORE_EFFECT("worker.Runner", "outcome"),
    /** What a handler does to the world is done, and nothing is recorded. */
    AFTER_EFFECT(null, null),
    BEFORE_SETTLE("settle.Settler", "write"),
    /** The end is recorded, the entry is not acknowledged. */
    AFTER_SETTLE("settle.Acknowledger", "acknowledge"),
    BEFORE_ACK("stream.JobStream", "settleDone"),
    /** A retry is recorded, and the job stands in no delayed set. */
    RETRY_MID("stream.JobStream", "settleRetry"),
    /** A job is given up, and no consumer of dead letters was told. */
    DEAD_LETTER_MID("stream.JobStream", "settleFailed"),
    BEFORE_PROMOTE("stream.JobStream", "promoteDue"),
    /** A delayed set has answered that it took jobs. */
    AFTER_DELAY("stream.DueTimes", "announce"),
    HEARTBEAT("worker.Heartbeat", "beat"),
    /** Leases are renewed, their entries are not. */
    HEARTBEAT_MID("worker.Heartbeat", "renewEntries"),
    BEFORE_REAP("store.RepairStore", "reap"),
    /** Jobs are taken back, nobody was told. */
    AFTER_REAP("maintenance.Reaper", "tell"),
    /** It is known what Redis has delivered; what it has lost is not looked for. */
    RECONCILE_MID("maintenance.Reconciler", "reconcileStream"),
    /** Entries were taken over from a silent worker, and not delivered. */
    RECLAIM_MID("maintenance.Reclaimer", "deliver"),
    /** Waiting jobs were read, and not put into a delayed set. */
    LOAD_MID("maintenance.DelayedLoader", "delay"),
    CANCEL("store.JobStore", "cancel"),
    REPLAY("store.JobStore", "replay"),
    DRAIN("worker.Worker", "drain"),
    /** Running jobs have ended or were told to, their ends are not all recorded. */
    DRAIN_MID("settle.Settler", "idle");

    private static final String ROOT = "io.millrace.";

    private final String type;
    private final String method;

    Point(String type, String method) {
        this.type = type;
        this.method = method;
    }

    /** @return the class whose method it is; null if it is not an entry of a method */
    public String type() {
        return type == null ? null : ROOT + type;
    }

    public String method() {
        return method;
    }

    /** @return true if the worker or its chores come by here; false for what only an api does */
    public boolean isOfWorker() {
        return switch (this) {
            case BEFORE_INSERT, AFTER_INSERT, CANCEL, REPLAY -> false;
            default -> true;
        };
    }
}
