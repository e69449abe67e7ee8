package io.millrace.model;

import static io.millrace.job.JobState.CANCELLED;
import static io.millrace.job.JobState.COMPLETED;
import static io.millrace.job.JobState.FAILED;
import static io.millrace.job.JobState.PENDING;
import static io.millrace.job.JobState.PROCESSING;
import static io.millrace.job.JobState.RETRYING;
import static io.millrace.job.JobState.SCHEDULED;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Predicate;

import io.millrace.job.ClaimedJob;
import io.millrace.job.FailureReason;
import io.millrace.job.JobState;
import io.millrace.job.JobState.Phase;
import io.millrace.job.JobTransition;
import io.millrace.job.Lease;
import io.millrace.job.Priority;
import io.millrace.store.JobStore.Standing;

/**
 * PostgreSQL as the engine uses it. Each method is the statement of the file of its name in {@code src/main/resources/sql}, with
 * exactly its predicate, as one atomic step: what PostgreSQL does with row locks, {@code skip locked} and a second look at the
 * predicate comes to the same. There is one queue.
 */
final class ModelPostgres {

    /** A row of the table {@code job}; times in epoch ms. */
    static final class Row {
        final UUID id;
        final Order order;
        Plan payload;
        JobState state;
        int epoch;
        UUID leaseId;
        String leaseOwner;
        long leaseUntil;
        int failures;
        int lost;
        long runAt;
        Long dispatchedAt;
        boolean isCancelRequested;
        FailureReason reason;
        Long finishedAt;
        /** Not a column: the row is there no more, but for those who check. */
        boolean isDeleted;

        private Row(Order order) {
            this.id = order.id();
            this.order = order;
        }

        private Row copy() {
            Row copy = new Row(order);
            copy.payload = payload;
            copy.state = state;
            copy.epoch = epoch;
            copy.leaseId = leaseId;
            copy.leaseOwner = leaseOwner;
            copy.leaseUntil = leaseUntil;
            copy.failures = failures;
            copy.lost = lost;
            copy.runAt = runAt;
            copy.dispatchedAt = dispatchedAt;
            copy.isCancelRequested = isCancelRequested;
            copy.reason = reason;
            copy.finishedAt = finishedAt;
            copy.isDeleted = isDeleted;
            return copy;
        }

        Priority priority() {
            return order.priority();
        }

        /** @return how it ended; null if it has not */
        Plan.End end() {
            return switch (state) {
                case COMPLETED -> Plan.End.COMPLETED;
                case CANCELLED -> Plan.End.CANCELLED;
                case FAILED -> Plan.End.failed(reason);
                default -> null;
            };
        }

        @Override
        public String toString() {
            return "-> " + state + ", epoch " + epoch + (leaseId == null ? "" : " of " + leaseOwner) + ", failures " + failures
                    + ", lost " + lost + (reason == null ? "" : ", " + reason)
                    + (dispatchedAt == null && state == PENDING ? ", on no stream" : "");
        }
    }

    record Stored(JobState state, long runAtMs) {}

    record Recorded(int epoch, long dueMs) {}

    record Due(UUID id, Priority priority, long runAtMs) {}

    record Reaped(UUID id, JobState state) {}

    /** @param lowest the lowest id that was looked at; null if none was */
    record Deletion(int lookedAt, UUID lowest) {}

    private final Simulation simulation;
    private final Invariants invariants;
    private final Mutant mutant;
    private final TreeMap<UUID, Row> jobs = new TreeMap<>();
    private final Map<UUID, Row> deletedJobs = new TreeMap<>();
    /** The table {@code job_attempt}: outcomes by job and epoch. */
    private final Map<UUID, Map<Integer, String>> attempts = new TreeMap<>();

    ModelPostgres(Simulation simulation, Invariants invariants, Mutant mutant) {
        this.simulation = simulation;
        this.invariants = invariants;
        this.mutant = mutant;
    }

    /** Not a statement: for those who check. @return with those that were deleted, as they were */
    Collection<Row> rows() {
        List<Row> rows = new ArrayList<>(jobs.values());
        rows.addAll(deletedJobs.values());
        return rows;
    }

    /** Not a statement: for those who check. @return also if it was deleted; null if there never was such a job */
    Row row(UUID id) {
        Row row = jobs.get(id);
        return row == null ? deletedJobs.get(id) : row;
    }

    /** Not a statement: for those who check. @return outcomes by epoch */
    Map<Integer, String> attempts(UUID id) {
        return attempts.getOrDefault(id, Map.of());
    }

    Stored insertJobs(Order order, boolean dispatch) {
        if (jobs.containsKey(order.id())) {
            return null;
        }
        Row row = new Row(order);
        row.payload = order.plan();
        row.runAt = now() + order.delayMs();
        row.state = order.delayMs() > 0 ? SCHEDULED : PENDING;
        row.dispatchedAt = dispatch && row.state == PENDING ? now() : null;
        jobs.put(row.id, row);
        invariants.inserted(row.copy());
        return new Stored(row.state, row.runAt);
    }

    Map<UUID, ClaimedJob> claimJobs(Collection<UUID> ids, UUID leaseId, String worker, long leaseMs) {
        return claim(ids, leaseId, worker, leaseMs, row -> isClaimable(row, leaseId));
    }

    Map<UUID, ClaimedJob> claimStuckJobs(Collection<UUID> ids, UUID leaseId, String worker, long leaseMs, int lostLimit) {
        return claim(ids, leaseId, worker, leaseMs, row -> isClaimable(row, leaseId)
                || (row.state == PROCESSING && row.leaseUntil < now() && row.lost + 1 < lostLimit));
    }

    private Map<UUID, ClaimedJob> claim(Collection<UUID> ids, UUID leaseId, String worker, long leaseMs, Predicate<Row> where) {
        Map<UUID, ClaimedJob> claimed = new LinkedHashMap<>();
        for (UUID id : ids) {
            Row row = jobs.get(id);
            if (row == null || !where.test(row)) {
                continue;
            }
            boolean isRepeat = leaseId.equals(row.leaseId);
            boolean isTakenOver = row.state == PROCESSING && !isRepeat;
            if (isTakenOver && mutant != Mutant.RECLAIM_WITHOUT_ATTEMPT) {
                attempted(row, "RECLAIMED");
            }
            write(row, isRepeat ? null : isTakenOver ? JobTransition.RECLAIMED : JobTransition.CLAIMED, null, r -> {
                r.state = PROCESSING;
                r.epoch += isRepeat ? 0 : 1;
                r.lost += isTakenOver ? 1 : 0;
                r.leaseId = leaseId;
                r.leaseOwner = worker;
                r.leaseUntil = now() + leaseMs;
                r.dispatchedAt = r.dispatchedAt == null ? (Long) now() : r.dispatchedAt;
            });
            claimed.put(id, new ClaimedJob(new Lease(id, row.epoch, leaseId), "default", "default", "model", row.priority(),
                    row.payload.name(), row.order.options(), row.failures, row.lost, Order.MAX_ATTEMPTS,
                    row.isCancelRequested, ClaimedJob.RAN_BEFORE));
        }
        return claimed;
    }

    private boolean isClaimable(Row row, UUID leaseId) {
        return switch (row.state) {
            case PENDING -> true;
            case SCHEDULED, RETRYING -> row.runAt <= now() || mutant == Mutant.CLAIM_BEFORE_DUE;
            case PROCESSING -> leaseId.equals(row.leaseId) || mutant == Mutant.CLAIM_TAKES_A_LIVE_LEASE;
            case COMPLETED, FAILED, CANCELLED -> false;
        };
    }

    Map<UUID, Standing> lookUpJobs(Collection<UUID> ids) {
        Map<UUID, Standing> standings = new LinkedHashMap<>();
        for (UUID id : ids) {
            Row row = jobs.get(id);
            if (row != null) {
                standings.put(id, new Standing(id, row.state, row.epoch, row.runAt, row.runAt - now()));
            }
        }
        return standings;
    }

    /** @return for each lease that still holds, whether its job should stop */
    Map<Lease, Boolean> renewLeases(Collection<Lease> leases, long leaseMs) {
        Map<Lease, Boolean> held = new LinkedHashMap<>();
        for (Lease lease : leases) {
            Row row = jobs.get(lease.jobId());
            if (holds(row, lease)) {
                write(row, null, lease, r -> r.leaseUntil = now() + leaseMs);
                held.put(lease, row.isCancelRequested);
            }
        }
        return held;
    }

    Recorded settleComplete(Lease lease) {
        return settle(lease, JobTransition.COMPLETED, row -> row.reason = null);
    }

    Recorded settleRetry(Lease lease, long delayMs) {
        return settle(lease, JobTransition.RETRIED, row -> {
            row.failures++;
            row.reason = null;
            row.runAt = now() + delayMs;
            row.dispatchedAt = null;
        });
    }

    Recorded settlePostpone(Lease lease, long delayMs) {
        return settle(lease, JobTransition.SNOOZED, row -> {
            row.runAt = now() + delayMs;
            row.dispatchedAt = null;
        });
    }

    Recorded settleDeadLetter(Lease lease, FailureReason reason) {
        return settle(lease, JobTransition.DEAD_LETTERED, row -> {
            row.failures++;
            row.reason = reason;
        });
    }

    Recorded settleRelease(Lease lease) {
        return settle(lease, JobTransition.RELEASED, row -> {
            row.dispatchedAt = now();
            row.lost += mutant == Mutant.RELEASE_COUNTS_AS_LOST ? 1 : 0;
        });
    }

    Recorded settleCancel(Lease lease) {
        return settle(lease, JobTransition.CANCELLED, row -> {});
    }

    /** @return null if no row was touched */
    private Recorded settle(Lease lease, JobTransition event, Consumer<Row> change) {
        Row row = jobs.get(lease.jobId());
        boolean isUnfenced = mutant == Mutant.SETTLE_WITHOUT_FENCE || mutant == Mutant.REFUSED_BEAT_IGNORED;
        if (row == null || !(holds(row, lease) || isUnfenced)) {
            return null;
        }
        if (event == JobTransition.RETRIED || event == JobTransition.DEAD_LETTERED || event == JobTransition.CANCELLED) {
            attempted(row, event.name());
        }
        write(row, event, lease, r -> {
            change.accept(r);
            r.state = event.to();
            r.leaseId = null;
            r.finishedAt = r.state.isTerminal() ? (Long) now() : r.finishedAt;
        });
        return new Recorded(row.epoch, row.runAt);
    }

    private static boolean holds(Row row, Lease lease) {
        return row != null && row.epoch == lease.epoch() && lease.leaseId().equals(row.leaseId);
    }

    List<Reaped> reapJobs(int limit, int lostLimit) {
        return reapRows(expiredRows(limit), lostLimit);
    }

    /** The first half of {@link #reapJobs}. */
    List<UUID> expiredRows(int limit) {
        return find(row -> row.state == PROCESSING && row.dispatchedAt != null && row.leaseUntil < now(),
                Comparator.comparing(Row::priority).thenComparing(row -> row.dispatchedAt), limit);
    }

    /** The second half of {@link #reapJobs}, without the second look. */
    List<Reaped> reapRows(List<UUID> ids, int lostLimit) {
        List<Reaped> reaped = new ArrayList<>();
        for (UUID id : ids) {
            Row row = jobs.get(id); // of a snapshot, it may have been deleted meanwhile
            if (row == null) {
                continue;
            }
            JobState end = row.isCancelRequested ? CANCELLED : row.lost + 1 >= lostLimit ? FAILED : PENDING;
            JobTransition event = switch (end) {
                case CANCELLED -> JobTransition.CANCELLED;
                case FAILED -> JobTransition.DEAD_LETTERED;
                default -> JobTransition.REAPED;
            };
            attempted(row, "REAPED");
            invariants.reaping(row.copy());
            write(row, event, null, r -> {
                r.state = end;
                r.finishedAt = end == PENDING ? null : now();
                r.reason = end == FAILED ? FailureReason.WORKER_LOST : r.reason;
                r.lost++;
                r.dispatchedAt = null;
                r.leaseId = null;
            });
            reaped.add(new Reaped(id, end));
        }
        return reaped;
    }

    /** @return the state it has now; null if it has ended, or is unknown */
    JobState cancelJob(UUID id) {
        Row row = jobs.get(id);
        if (row == null || row.state.isTerminal()) {
            return null;
        }
        boolean isRunning = row.state == PROCESSING;
        write(row, isRunning ? null : JobTransition.CANCELLED, null, r -> {
            r.state = isRunning ? PROCESSING : CANCELLED;
            r.dispatchedAt = isRunning ? r.dispatchedAt : null;
            r.finishedAt = isRunning ? null : now();
            r.isCancelRequested = true;
        });
        return row.state;
    }

    /** @return false if it is in no state to be replayed */
    boolean replayJob(UUID id, Plan payload, boolean dispatch) {
        Row row = jobs.get(id);
        if (row == null || (row.state != FAILED && row.state != CANCELLED)) {
            return false;
        }
        write(row, JobTransition.REPLAYED, null, r -> {
            r.state = PENDING;
            r.failures = 0;
            r.lost = 0;
            r.isCancelRequested = false;
            r.payload = payload;
            r.runAt = now();
            r.dispatchedAt = dispatch ? now() : null;
            r.finishedAt = null;
        });
        return true;
    }

    /** @return true if the one queue has jobs on no stream */
    boolean findWaitingQueues() {
        return jobs.values().stream().anyMatch(row -> row.state.phase() == Phase.OPEN && row.dispatchedAt == null);
    }

    List<UUID> relayJobs(Priority priority, int limit, UUID behind) {
        List<UUID> ids = find(row -> row.state == PENDING && row.dispatchedAt == null && row.priority() == priority
                && (behind == null || row.id.compareTo(behind) > 0), Comparator.comparing(row -> row.id), limit);
        ids.forEach(id -> write(jobs.get(id), null, null, row -> row.dispatchedAt = now()));
        return ids;
    }

    int undispatchJobs(Collection<UUID> ids) {
        int count = 0;
        for (UUID id : ids) {
            Row row = jobs.get(id);
            if (row != null && row.state == PENDING && row.dispatchedAt != null) {
                write(row, null, null, r -> r.dispatchedAt = null);
                count++;
            }
        }
        return count;
    }

    List<Due> findDueJobs(long lookAheadMs, long behindMs, UUID behindId, int limit) {
        return find(row -> row.state.phase() == Phase.WAITING && row.runAt > now() && row.runAt <= now() + lookAheadMs
                && (row.runAt > behindMs || (row.runAt == behindMs && row.id.compareTo(behindId) > 0)),
                Comparator.comparing((Row row) -> row.runAt).thenComparing(row -> row.id), limit)
                .stream().map(jobs::get).map(row -> new Due(row.id, row.priority(), row.runAt)).toList();
    }

    int reconcilePending(Priority priority, long oldestMs, long marginMs, int limit) {
        List<UUID> ids = find(row -> row.state == PENDING && row.dispatchedAt != null && row.priority() == priority
                && row.dispatchedAt < oldestMs - marginMs, Comparator.comparing(row -> row.dispatchedAt), limit);
        ids.forEach(id -> write(jobs.get(id), null, null, row -> row.dispatchedAt = null));
        return ids.size();
    }

    int reconcileWaiting(Priority priority, long oldestMs, long marginMs, int limit) {
        List<UUID> ids = find(row -> row.state.phase() == Phase.WAITING && row.priority() == priority
                && row.runAt < Math.min(now(), oldestMs) - marginMs, Comparator.comparing(row -> row.runAt), limit);
        ids.forEach(id -> write(jobs.get(id), JobTransition.RESCUED, null, row -> {
            row.state = PENDING;
            row.dispatchedAt = null;
        }));
        return ids.size();
    }

    Deletion deleteEndedJobs(UUID below, int limit, Map<JobState, Long> keepMs) {
        List<UUID> page = page(below, limit);
        deleteRows(endedLongAgo(page, keepMs));
        return new Deletion(page.size(), page.isEmpty() ? null : page.get(page.size() - 1));
    }

    /** The page of {@link #deleteEndedJobs}: from the greatest id down. */
    List<UUID> page(UUID below, int limit) {
        return jobs.headMap(below, false).descendingKeySet().stream().limit(limit).toList();
    }

    /** Those that {@link #deleteEndedJobs} deletes. */
    List<UUID> endedLongAgo(List<UUID> page, Map<JobState, Long> keepMs) {
        return page.stream().map(jobs::get).filter(row -> row.state.isTerminal() && keepMs.containsKey(row.state)
                && row.finishedAt < now() - keepMs.get(row.state)).map(row -> row.id).toList();
    }

    /** The end of {@link #deleteEndedJobs}, without looking at the rows again. */
    void deleteRows(List<UUID> ids) {
        for (UUID id : ids) {
            Row row = jobs.remove(id);
            if (row != null) {
                invariants.deleted(row.copy(), attempts(id));
                row.isDeleted = true;
                deletedJobs.put(id, row);
                attempts.remove(id);
            }
        }
    }

    private List<UUID> find(Predicate<Row> where, Comparator<Row> orderBy, int limit) {
        List<Row> found = new ArrayList<>();
        for (Row row : jobs.values()) {
            if (where.test(row)) {
                found.add(row);
            }
        }
        found.sort(orderBy);
        return found.stream().limit(limit).map(row -> row.id).toList();
    }

    private void attempted(Row row, String outcome) {
        attempts.computeIfAbsent(row.id, id -> new TreeMap<>()).putIfAbsent(row.epoch, outcome);
    }

    /**
     * @param event null if neither the state nor the lease changes
     * @param by the lease in whose name it is written; null for statements that need none
     */
    private void write(Row row, JobTransition event, Lease by, Consumer<Row> change) {
        Row before = row.copy();
        change.accept(row);
        invariants.written(before, row.copy(), event, by);
    }

    private long now() {
        return simulation.nowMs();
    }
}
