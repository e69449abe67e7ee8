package io.millrace.settle;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Function;

import jakarta.inject.Singleton;

import org.jboss.logging.Logger;

import io.millrace.batch.BatchLimits;
import io.millrace.batch.Batcher;
import io.millrace.batch.EngineLoop;
import io.millrace.job.Failure;
import io.millrace.job.FailureReason;
import io.millrace.job.Settlement;
import io.millrace.store.JobStore;
import io.millrace.store.SettlementStore;
import io.millrace.store.SettlementStore.Entry;
import io.millrace.store.SettlementStore.Recorded;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;

/**
 * Records how attempts ended: PostgreSQL first, under the guard of the lease, then Redis. A crash between the two costs an
 * acknowledgement, not an effect: whoever is given the entry next finds the job ended, and only acknowledges.
 */
@Singleton
public class Settler {
    private static final Logger LOG = Logger.getLogger(Settler.class);
    /** Rows are locked in this order by everyone who locks many, so that nobody waits for each other in a circle. */
    private static final Comparator<Attempt> IN_LOCK_ORDER = Comparator.comparing(attempt -> attempt.job().id());
    private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(2);
    /** Bytes of a settlement that has no result: ids, epoch and what surrounds them. */
    private static final int BYTES_OF_A_ROW = 64;
    /** Attempts that may wait; a worker never has more under way than it has slots and running settles. */
    private static final int WAITING = 100_000;

    private final SettlementStore store;
    private final JobStore jobs;
    private final Acknowledger acknowledger;
    private final Batcher<Attempt, Recorded> writes;
    private volatile Consumer<Attempt> onRecorded = attempt -> {};
    private volatile Consumer<Attempt> onStale = attempt -> {};

    Settler(Vertx vertx, SettlementStore store, JobStore jobs, Acknowledger acknowledger, SettleConfig config) {
        this.store = store;
        this.jobs = jobs;
        this.acknowledger = acknowledger;
        this.writes = new Batcher<>("settle",
                new BatchLimits(config.batchItems(), config.batchBytes(), WAITING, config.waitingBytes(), 1, config.timeout()),
                Settler::bytes,
                SettlementStore::isFaultOfASettlement, new EngineLoop(vertx), this::write);
    }

    /**
     * Records an attempt and then has its entries acknowledged. While the lease may hold, a write whose outcome is unknown is
     * repeated; it is guarded, so that twice is once.
     *
     * @return false if the lease was lost: another worker owns the job, and nothing was written nor acknowledged
     */
    public Uni<Boolean> settle(Attempt attempt) {
        return record(attempt, FIRST_PAUSE)
                .onFailure(SettlementStore::isRefusedForGood).recoverWithUni(failure -> recordUnstorable(attempt, failure));
    }

    /** @param listener gets each attempt that is recorded, once; it must not block */
    public void onRecorded(Consumer<Attempt> listener) {
        onRecorded = listener;
    }

    /** @param listener gets each attempt that could not be recorded because its lease was lost; it must not block */
    public void onStale(Consumer<Attempt> listener) {
        onStale = listener;
    }

    /** @return what it does in batches */
    public List<Batcher<?, ?>> batchers() {
        return List.of(writes, acknowledger.batcher());
    }

    /** Completes when everything handed in is recorded and acknowledged. */
    public Uni<Void> idle() {
        return writes.idle().chain(acknowledger::idle);
    }

    /** @return false if the lease was lost; fails only with what no repeat can mend */
    private Uni<Boolean> record(Attempt attempt, Duration pause) {
        return Uni.createFrom().emitter(emitter -> writes.submit(attempt, new Batcher.Answer<>() {
            @Override
            public void result(Recorded recorded) {
                if (recorded != null) {
                    try {
                        onRecorded.accept(attempt);
                        acknowledger.acknowledge(attempt, recorded.dueEpochMs());
                    } finally {
                        // It is recorded: whatever fails after that, its slot must not wait for ever.
                        emitter.complete(true);
                    }
                } else {
                    // Not recorded, or recorded by an earlier try whose answer was lost.
                    findRecorded(attempt, pause).subscribe().with(emitter::complete, emitter::fail);
                }
            }

            @Override
            public void failure(Throwable failure) {
                recover(attempt, failure, pause).subscribe().with(emitter::complete, emitter::fail);
            }
        }));
    }

    private Uni<Boolean> recover(Attempt attempt, Throwable failure, Duration pause) {
        return SettlementStore.isRefusedForGood(failure)
                ? Uni.createFrom().failure(failure)
                : recordAgain(attempt, failure, pause);
    }

    /** The outcome of the last try is unknown: look, and write again if it did not take place. */
    private Uni<Boolean> recordAgain(Attempt attempt, Throwable failure, Duration pause) {
        if (!attempt.isHeld().getAsBoolean()) {
            tellOfLostLease(attempt);
            return Uni.createFrom().item(false);
        }
        LOG.warnf("%s: recording %s failed, trying again in %s: %s", attempt.job(), attempt.settlement().transition(), pause,
                failure.getMessage());
        Duration nextPause = pause.multipliedBy(2).compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause.multipliedBy(2);
        return Uni.createFrom().voidItem().onItem().delayIt().by(pause).chain(() -> record(attempt, nextPause));
    }

    /** What PostgreSQL refuses for good would be refused for ever: the job is given up, and says why. */
    private Uni<Boolean> recordUnstorable(Attempt attempt, Throwable failure) {
        LOG.warnf("%s: PostgreSQL refuses to record %s: %s", attempt.job(), attempt.settlement().transition(),
                failure.getMessage());
        return record(unstorable(attempt, failure), FIRST_PAUSE);
    }

    /** An earlier try may have been written though its answer was lost: then the row has our epoch and the state we wanted. */
    private Uni<Boolean> findRecorded(Attempt attempt, Duration pause) {
        UUID id = attempt.job().id();
        int epoch = attempt.job().lease().epoch();
        return jobs.lookUp(List.of(id)).map(standings -> {
            JobStore.Standing standing = standings.get(id);
            boolean isOurs = standing != null && standing.epoch() == epoch
                    && standing.state() == attempt.settlement().transition().to();
            if (isOurs) {
                onRecorded.accept(attempt);
                acknowledger.acknowledge(attempt, standing.dueEpochMs());
            } else {
                tellOfLostLease(attempt);
            }
            return isOurs;
        }).onFailure().recoverWithUni(failure -> recover(attempt, failure, pause));
    }

    private void tellOfLostLease(Attempt attempt) {
        onStale.accept(attempt);
        LOG.warnf("%s: the lease was lost before the end was recorded (%s); another worker decides", attempt.job(),
                attempt.settlement().transition());
    }

    private static Attempt unstorable(Attempt attempt, Throwable failure) {
        return attempt.with(new Settlement.DeadLetter(new Failure(FailureReason.REJECTED, "UnstorableResult",
                "PostgreSQL refused the result: " + failure.getMessage(), null, null)));
    }

    private Uni<List<Recorded>> write(List<Attempt> attempts) {
        Sorted sorted = new Sorted(attempts.stream().sorted(IN_LOCK_ORDER).toList());
        List<Uni<Map<UUID, Recorded>>> writes = new ArrayList<>(2);
        sorted.write(Settlement.Complete.class, store::settleComplete, writes);
        sorted.write(Settlement.RetryAfter.class, store::settleRetry, writes);
        sorted.write(Settlement.Postpone.class, store::settlePostpone, writes);
        sorted.write(Settlement.DeadLetter.class, store::settleDeadLetter, writes);
        sorted.write(Settlement.Release.class, store::settleRelease, writes);
        sorted.write(Settlement.Cancel.class, store::settleCancel, writes);
        if (!sorted.withArtifacts.isEmpty()) {
            writes.add(writeWithArtifacts(sorted.withArtifacts));
        }
        if (writes.size() == 1) {
            return writes.get(0).map(recorded -> inOrder(attempts, recorded));
        }
        return Uni.join().all(writes).andFailFast().map(all -> {
            Map<UUID, Recorded> recorded = new HashMap<>(attempts.size() * 2);
            all.forEach(recorded::putAll);
            return inOrder(attempts, recorded);
        });
    }

    /** One statement each, one after the other: they are large, and other batches need the connections, too. */
    private Uni<Map<UUID, Recorded>> writeWithArtifacts(List<Entry<Settlement.Complete>> entries) {
        return Multi.createFrom().iterable(entries).onItem().transformToUniAndConcatenate(store::settleCompleteWithArtifacts)
                .collect().in(HashMap::new, Map::putAll);
    }

    private static List<Recorded> inOrder(List<Attempt> attempts, Map<UUID, Recorded> recorded) {
        List<Recorded> results = new ArrayList<>(attempts.size());
        for (Attempt attempt : attempts) {
            Recorded one = recorded.get(attempt.job().id());
            results.add(one != null && one.epoch() == attempt.job().lease().epoch() ? one : null);
        }
        return results;
    }

    private static long bytes(Attempt attempt) {
        if (attempt.settlement() instanceof Settlement.Complete complete) {
            long result = complete.result() == null ? 0 : complete.result().length();
            return BYTES_OF_A_ROW + result + complete.artifacts().stream().mapToLong(a -> a.bytes().length).sum();
        }
        return BYTES_OF_A_ROW;
    }

    /** The attempts of one batch, by what is written of them: one statement each. */
    private static final class Sorted {
        private final Map<Class<?>, List<Entry<Settlement>>> byKind = new HashMap<>();
        private final List<Entry<Settlement.Complete>> withArtifacts = new ArrayList<>(0);

        Sorted(List<Attempt> attempts) {
            for (Attempt attempt : attempts) {
                Settlement settlement = attempt.settlement();
                if (settlement instanceof Settlement.Complete complete && !complete.artifacts().isEmpty()) {
                    withArtifacts.add(new Entry<>(attempt.job().lease(), complete));
                } else {
                    byKind.computeIfAbsent(settlement.getClass(), kind -> new ArrayList<>())
                            .add(new Entry<>(attempt.job().lease(), settlement));
                }
            }
        }

        @SuppressWarnings("unchecked")
        <S extends Settlement> void write(Class<S> kind, Function<List<Entry<S>>, Uni<Map<UUID, Recorded>>> statement,
                List<Uni<Map<UUID, Recorded>>> writes) {
            List<Entry<Settlement>> entries = byKind.get(kind);
            if (entries != null) {
                writes.add(statement.apply((List<Entry<S>>) (List<?>) entries));
            }
        }
    }
}
