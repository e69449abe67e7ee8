package io.millrace.worker;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

import jakarta.inject.Singleton;

import org.jboss.logging.Logger;

import io.millrace.batch.BatchLimits;
import io.millrace.batch.Batcher;
import io.millrace.batch.EngineLoop;
import io.millrace.job.ClaimedJob;
import io.millrace.job.JobState;
import io.millrace.settle.Acknowledger;
import io.millrace.settle.WorkerName;
import io.millrace.store.JobStore;
import io.millrace.store.JobStore.Standing;
import io.millrace.stream.StreamEntry;
import io.millrace.stream.StreamRepair;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;

/**
 * Asks PostgreSQL for the right to run what was delivered. A delivery grants nothing: entries come late, twice, or for jobs that
 * have ended.
 */
@Singleton
public class Claimer {
    private static final Logger LOG = Logger.getLogger(Claimer.class);
    private static final Duration FIRST_PAUSE = Duration.ofMillis(50);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(1);
    private static final int WAITING = 100_000;

    private final JobStore store;
    private final Acknowledger acknowledger;
    private final StreamRepair streams;
    private final int lostLimit;
    private final Duration unknownAfter;
    private final Duration patience;
    private final EngineLoop loop;
    private final Batcher<StreamEntry, RunningJob> claims;
    private final Batcher<StreamEntry, RunningJob> stuckClaims;
    private volatile Consumer<ClaimedJob> onClaimed = job -> {};

    Claimer(Vertx vertx, JobStore store, StreamRepair streams, Acknowledger acknowledger, WorkerName worker, LeaseConfig lease,
            WorkerConfig config) {
        this.store = store;
        this.acknowledger = acknowledger;
        this.streams = streams;
        this.lostLimit = lease.lostLimit();
        this.unknownAfter = config.unknownAfter();
        this.patience = config.claimTimeout();
        this.loop = new EngineLoop(vertx);
        // The batch may take one try more than the patience for repeats; each try is bounded by the server.
        BatchLimits limits = new BatchLimits(config.claimItems(), Long.MAX_VALUE, WAITING, 1,
                config.claimTimeout().multipliedBy(2));
        this.claims = new Batcher<>("claim", limits, loop, entries -> claimBatch(entries,
                (ids, leaseId) -> store.claim(ids, leaseId, worker.value(), lease.duration())));
        this.stuckClaims = new Batcher<>("claim of stuck entries", limits, loop, entries -> claimBatch(entries,
                (ids, leaseId) -> store.claimStuck(ids, leaseId, worker.value(), lease.duration(), lostLimit)));
    }

    /** @param listener gets each job that this process may run; it must not block */
    public void onClaimed(Consumer<ClaimedJob> listener) {
        onClaimed = listener;
    }

    /** @return what it does in batches */
    public List<Batcher<?, ?>> batchers() {
        return List.of(claims, stuckClaims);
    }

    /** Where claims are answered: what is done there after a claim sees all of its jobs started. */
    Executor loop() {
        return loop;
    }

    /**
     * @return the job, which this process must now run and settle; null if it is not to be run here, and what there was to do
     *         about the entry is done or left to the sweeper
     */
    Uni<RunningJob> claim(StreamEntry entry) {
        return submit(claims, entry);
    }

    /** The same for an entry that was taken over from somebody, whose lease may have run out. */
    Uni<RunningJob> claimStuck(StreamEntry entry) {
        return submit(stuckClaims, entry);
    }

    private static Uni<RunningJob> submit(Batcher<StreamEntry, RunningJob> batcher, StreamEntry entry) {
        return Uni.createFrom().emitter(emitter -> batcher.submit(entry, new Batcher.Answer<>() {
            @Override
            public void result(RunningJob job) {
                emitter.complete(job);
            }

            @Override
            public void failure(Throwable failure) {
                LOG.warnf("could not claim entry %s of queue %s, leaving it to the sweeper: %s", entry.id(), entry.queue(),
                        failure.getMessage());
                emitter.complete(null);
            }
        }));
    }

    /** @return true for a job whose worker died, and that will be given up if this one dies, too */
    boolean isOnItsLastChance(ClaimedJob job) {
        return isOnItsLastChance(job, lostLimit);
    }

    static boolean isOnItsLastChance(ClaimedJob job, int lostLimit) {
        return job.lost() > 0 && job.lost() + 1 >= lostLimit;
    }

    /** Completes when every claim is answered. */
    Uni<Void> idle() {
        return claims.idle().chain(stuckClaims::idle);
    }

    /** One of the two statements that claim. */
    @FunctionalInterface
    private interface Statement {
        Uni<Map<UUID, ClaimedJob>> claim(Set<UUID> ids, UUID leaseId);
    }

    private Uni<List<RunningJob>> claimBatch(List<StreamEntry> entries, Statement statement) {
        Map<UUID, List<StreamEntry>> byJob = new LinkedHashMap<>(entries.size() * 2);
        for (StreamEntry entry : entries) {
            byJob.computeIfAbsent(entry.jobId(), id -> new ArrayList<>(1)).add(entry);
        }
        UUID leaseId = UUID.randomUUID();
        long sentNanos = System.nanoTime();
        return statement.claim(byJob.keySet(), leaseId)
                // With the same lease id: if only the answer was lost, the repeat returns the jobs it took.
                .onFailure().retry().withBackOff(FIRST_PAUSE, LONGEST_PAUSE).expireIn(patience.toMillis())
                .invoke(claimed -> refuseOthers(byJob, claimed))
                .invoke(claimed -> claimed.values().forEach(onClaimed))
                .map(claimed -> inOrder(entries, byJob, claimed, sentNanos));
    }

    /** One result per entry; where a job was delivered twice in one batch, the first entry carries the others. */
    private static List<RunningJob> inOrder(List<StreamEntry> entries, Map<UUID, List<StreamEntry>> byJob,
            Map<UUID, ClaimedJob> claimed, long sentNanos) {
        List<RunningJob> results = new ArrayList<>(entries.size());
        for (StreamEntry entry : entries) {
            ClaimedJob job = claimed.remove(entry.jobId());
            results.add(job == null ? null : new RunningJob(job, byJob.get(entry.jobId()), sentNanos));
        }
        return results;
    }

    /** What is not ours to run: find out why, and take entries away that will never be needed again. Nobody waits for it. */
    private void refuseOthers(Map<UUID, List<StreamEntry>> byJob, Map<UUID, ClaimedJob> claimed) {
        if (claimed.size() == byJob.size()) {
            return;
        }
        Set<UUID> refused = new HashSet<>(byJob.keySet());
        refused.removeAll(claimed.keySet());
        store.lookUp(refused).subscribe().with(
                standings -> refused.forEach(id -> byJob.get(id).forEach(entry -> refuse(entry, standings.get(id)))),
                failure -> LOG.warnf("could not look up %d refused jobs, leaving them to the sweeper: %s", refused.size(),
                        failure.getMessage()));
    }

    private void refuse(StreamEntry entry, Standing standing) {
        switch (Refusal.of(standing == null ? null : standing.state())) {
            case DROP -> acknowledger.drop(entry);
            case PARK -> acknowledger.park(entry, parkedUntil(entry, standing));
            case LEAVE -> LOG.debugf("entry %s: job %s is %s, left pending", entry.id(), entry.jobId(), standing.state());
            case DROP_IF_OLD -> dropIfOld(entry);
        }
    }

    /**
     * No earlier than the rest of the wait after it was promoted: where the clock of Redis is ahead of that of PostgreSQL, a job
     * would be promoted at once again and again until PostgreSQL agrees that it is due.
     */
    static long parkedUntil(StreamEntry entry, Standing standing) {
        return Math.max(standing.dueEpochMs(), entry.epochMs() + standing.waitMs());
    }

    private void dropIfOld(StreamEntry entry) {
        streams.dropUnknown(entry, unknownAfter).subscribe().with(dropped -> {
            if (dropped > 0) {
                LOG.warnf("entry %s of queue %s: nobody knows job %s, dropped", entry.id(), entry.queue(), entry.jobId());
            }
        }, failure -> LOG.debugf("entry %s: could not look at its age: %s", entry.id(), failure.getMessage()));
    }

    /** What becomes of an entry whose job could not be claimed. */
    enum Refusal {
        /** The job has ended: the entry is never needed again. */
        DROP,
        /** The job is not due: it belongs into the delayed set. */
        PARK,
        /** Held by a live lease, whose owner will acknowledge; or changing right now. */
        LEAVE,
        /** Nobody knows the job: its transaction may still be under way, but not for ever. */
        DROP_IF_OLD;

        /** @param state null if the job is unknown */
        static Refusal of(JobState state) {
            if (state == null) {
                return DROP_IF_OLD;
            }
            return switch (state) {
                case COMPLETED, FAILED, CANCELLED -> DROP;
                case SCHEDULED, RETRYING -> PARK;
                case PENDING, PROCESSING -> LEAVE;
            };
        }
    }
}
