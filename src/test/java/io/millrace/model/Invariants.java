package io.millrace.model;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Supplier;

import io.millrace.job.FailureReason;
import io.millrace.job.JobState;
import io.millrace.job.JobTransition;
import io.millrace.job.Lease;
import io.millrace.model.ModelPostgres.Row;

/**
 * Watches every write and every effect of a run, keeps its own books, and compares. It sees what happened, and never what a
 * process believes.
 */
final class Invariants {

    /** @param job null if it is about no single job */
    record Violation(Invariant invariant, UUID job, String what) {}

    /** What the job row should say, and what the row alone does not tell. */
    private static final class Account {
        private int claims;
        private int failures;
        private int lost;
        private int deadLetters;
        private int replays;
        private long dueMs;
        private int acceptedEpoch;
        /** Since the last replay. */
        private boolean hasHeldEffect;
        private final Map<Integer, String> attempts = new TreeMap<>();
        private int entries;
    }

    private static final int MOST_VIOLATIONS = 20;

    private final Simulation simulation;
    private final Trace trace;
    private final int lostLimit;
    private final Map<UUID, Account> accounts = new HashMap<>();
    private final Set<UUID> accepted = new HashSet<>();
    private final List<Violation> violations = new ArrayList<>();
    private final Set<Invariant> violated = EnumSet.noneOf(Invariant.class);
    private final Set<JobTransition> transitions = EnumSet.noneOf(JobTransition.class);
    private long effects;
    private long staleEffects;

    Invariants(Simulation simulation, Trace trace, int lostLimit) {
        this.simulation = simulation;
        this.trace = trace;
        this.lostLimit = lostLimit;
    }

    List<Violation> violations() {
        return violations;
    }

    Set<Invariant> violated() {
        return violated;
    }

    Set<JobTransition> transitions() {
        return transitions;
    }

    long effects() {
        return effects;
    }

    /** @return effects that a receiver which knows the epoch has refused */
    long staleEffects() {
        return staleEffects;
    }

    /** The client was told that its job is accepted. */
    void accepted(UUID job) {
        accepted.add(job);
        trace.note(job, "accepted", "");
    }

    void inserted(Row row) {
        Account account = new Account();
        account.dueMs = row.runAt;
        accounts.put(row.id, account);
        trace.note(row.id, "inserted " + row.payload, row);
    }

    /** A lease is about to be taken because it ran out. */
    void reaping(Row row) {
        check(Invariant.I5, row.id, row.state == JobState.PROCESSING && row.leaseUntil < simulation.nowMs(),
                () -> "a lease was reaped that had not run out");
        Account account = accounts.get(row.id);
        account.lost++;
        account.attempts.put(row.epoch, "REAPED");
    }

    /**
     * A row was written.
     *
     * @param event null if neither the state nor the lease was to change
     * @param by the lease in whose name it was written; null if it took none
     */
    void written(Row before, Row after, JobTransition event, Lease by) {
        trace.note(after.id, event == null ? "row written" : event.name(), after);
        Account account = accounts.get(after.id);
        boolean isTransition = before.state != after.state
                || !Objects.equals(before.leaseId, after.leaseId);
        check(Invariant.I2, after.id, !before.state.isTerminal() || event == JobTransition.REPLAYED,
                () -> "a job that was " + before.state + " was written to");
        check(Invariant.I9, after.id,
                isTransition ? event != null && event.isLegalFrom(before.state) && event.to() == after.state : event == null,
                () -> before.state + " -> " + after.state + " as " + event);
        check(Invariant.I5, after.id, by == null || (by.epoch() == before.epoch && by.leaseId().equals(before.leaseId)),
                () -> "a write in the name of a lease that does not hold");
        boolean isClaim = event == JobTransition.CLAIMED || event == JobTransition.RECLAIMED;
        check(Invariant.I5, after.id, after.epoch == before.epoch + (isClaim ? 1 : 0), () -> "the epoch does not count claims");
        check(Invariant.I5, after.id, event != JobTransition.RECLAIMED || before.leaseUntil < simulation.nowMs(),
                () -> "a live lease was taken over");
        if (event != null) {
            transitions.add(event);
            count(account, before, after, event, by);
        }
        check(Invariant.I7, after.id, after.epoch == account.claims && after.failures == account.failures
                && after.lost == account.lost && after.failures <= Order.MAX_ATTEMPTS && after.lost <= lostLimit,
                () -> "the row counts epoch " + after.epoch + ", failures " + after.failures + ", lost " + after.lost
                        + ", but it was "
                        + account.claims + ", " + account.failures + ", " + account.lost);
    }

    private void count(Account account, Row before, Row after, JobTransition event, Lease by) {
        switch (event) {
            case CLAIMED, RECLAIMED -> {
                account.claims++;
                if (event == JobTransition.RECLAIMED) {
                    account.lost++;
                    account.attempts.put(before.epoch, event.name());
                }
                check(Invariant.I6, after.id, simulation.nowMs() >= account.dueMs,
                        () -> "claimed " + (account.dueMs - simulation.nowMs()) + " ms early");
            }
            case RETRIED -> {
                account.failures++;
                account.attempts.put(before.epoch, event.name());
                account.dueMs = after.runAt;
            }
            case SNOOZED -> account.dueMs = after.runAt;
            case COMPLETED -> check(Invariant.I3, after.id, account.hasHeldEffect, () -> "COMPLETED without an effect");
            case DEAD_LETTERED -> {
                account.deadLetters++;
                if (by != null) {
                    account.failures++;
                    account.attempts.put(before.epoch, event.name());
                }
                check(Invariant.I3, after.id, isJustified(after), () -> "FAILED for " + after.reason + " without cause");
            }
            case REPLAYED -> {
                account.replays++;
                account.failures = 0;
                account.lost = 0;
                account.dueMs = simulation.nowMs();
                account.hasHeldEffect = false;
            }
            case CANCELLED -> {
                if (by != null) {
                    account.attempts.put(before.epoch, event.name());
                }
            }
            case RELEASED, REAPED, RESCUED -> {
                // counts as nothing, or is counted where it is decided
            }
        }
    }

    private boolean isJustified(Row failed) {
        return switch (failed.reason) {
            case ATTEMPTS_EXHAUSTED -> failed.failures >= Order.MAX_ATTEMPTS;
            case REJECTED -> failed.payload == Plan.REJECTED;
            case WORKER_LOST -> failed.lost >= lostLimit;
        };
    }

    /** The effect of an attempt arrives at a receiver that refuses epochs which are not higher than those it has seen. */
    void effect(Lease lease, Row row) {
        Account account = accounts.get(lease.jobId());
        boolean isHeld = row.epoch == lease.epoch() && lease.leaseId().equals(row.leaseId);
        trace.note(lease.jobId(), isHeld ? "effect" : "effect without lease", "epoch " + lease.epoch());
        effects++;
        check(Invariant.I5, lease.jobId(), account.acceptedEpoch != lease.epoch(), () -> "two effects of one epoch");
        if (lease.epoch() > account.acceptedEpoch) {
            account.acceptedEpoch = lease.epoch();
        } else {
            staleEffects++;
        }
        account.hasHeldEffect |= isHeld;
    }

    void entryAdded(UUID job) {
        Account account = accounts.get(job);
        if (account != null) { // else nobody knows the job
            account.entries++;
        }
    }

    /** @return for each job how many entries it has had beyond the one that each of its attempts needs */
    List<Integer> needlessEntries() {
        return accounts.values().stream().map(Invariants::needlessEntries).toList();
    }

    private static int needlessEntries(Account account) {
        return Math.max(0, account.entries - account.claims);
    }

    /** A pending entry was taken from its consumer though it had not been idle. */
    void entryTaken(UUID job, String from, String by) {
        check(Invariant.I5, job, false, () -> "the entry of " + from + " was taken by " + by);
    }

    /** The dead letter stream was told of a job. */
    void deadLetterNoted(UUID job) {
        trace.note(job, "dead letter noted", "");
        check(Invariant.I8, job, accounts.get(job).deadLetters > 0, () -> "noted as a dead letter, and never was FAILED");
    }

    /**
     * After the run: looks at where everything stands.
     *
     * @param leftInRedis what there is, by what it is
     * @param mayLoseWorkers whether a job that kills nobody may have been under three workers that died: one job that does cannot
     *        take another along, because it runs alone when it is its last chance
     * @param mostNeedlessEntries how many entries a job may have had beyond the one that each of its attempts needs
     */
    void finish(ModelPostgres postgres, Map<String, Integer> leftInRedis, boolean mayLoseWorkers, int mostNeedlessEntries) {
        for (UUID job : accepted) {
            check(Invariant.I1, job, postgres.row(job) != null, () -> "accepted, and unknown");
        }
        for (Row row : postgres.rows()) {
            check(Invariant.I1, row.id, row.state.isTerminal(), () -> "still " + row.state);
            check(Invariant.I1, row.id, !row.state.isTerminal() || mayEnd(row, mayLoseWorkers),
                    () -> "ended as " + row.end() + ", planned was " + row.payload);
            if (!row.isDeleted) {
                checkRecords(row, postgres.attempts(row.id));
            }
        }
        accounts.forEach((job, account) -> check(Invariant.I12, job, needlessEntries(account) <= mostNeedlessEntries,
                () -> account.entries + " entries for " + account.claims + " attempts"));
        check(Invariant.I12, null, leftInRedis.isEmpty(), () -> "left in Redis: " + leftInRedis);
    }

    /** A row and its attempts are about to go. */
    void deleted(Row row, Map<Integer, String> attempts) {
        trace.note(row.id, "deleted", row);
        long keptMs = row.state == JobState.FAILED ? Timing.KEEP_FAILED_MS : Timing.KEEP_MS;
        check(Invariant.I1, row.id, row.state.isTerminal() && row.finishedAt < simulation.nowMs() - keptMs,
                () -> "deleted, and had not ended long ago");
        checkRecords(row, attempts);
    }

    private void checkRecords(Row row, Map<Integer, String> attempts) {
        Account account = accounts.get(row.id);
        check(Invariant.I7, row.id, attempts.equals(account.attempts),
                () -> "the attempt rows are " + attempts + ", but it was " + account.attempts);
        boolean isFailed = row.state == JobState.FAILED;
        String last = attempts.get(row.epoch);
        check(Invariant.I8, row.id, !isFailed || (row.reason != null
                && (row.reason == FailureReason.WORKER_LOST ? "REAPED" : "DEAD_LETTERED").equals(last)),
                () -> "FAILED, and its last attempt row says " + last);
        check(Invariant.I8, row.id, account.replays > 0 || account.deadLetters == (isFailed ? 1 : 0),
                () -> "given up " + account.deadLetters + " times, and is " + row.state);
    }

    private boolean mayEnd(Row row, boolean mayLoseWorkers) {
        Plan.End end = row.end();
        // Whoever wanted it replayed may have come too late.
        boolean isForgotten = row.isDeleted && row.payload == Plan.FAILS_UNTIL_REPLAYED && end == Plan.End.EXHAUSTED;
        return end == row.payload.end() || isForgotten || (end == Plan.End.CANCELLED && row.order.cancelAtMs() > 0)
                || (end == Plan.End.WORKER_LOST && mayLoseWorkers);
    }

    private void check(Invariant invariant, UUID job, boolean holds, Supplier<String> what) {
        if (!holds) {
            violated.add(invariant);
            if (violations.size() < MOST_VIOLATIONS) {
                violations.add(new Violation(invariant, job, what.get()));
                if (job != null) {
                    trace.note(job, "! " + invariant, what.get());
                }
            }
        }
    }
}
