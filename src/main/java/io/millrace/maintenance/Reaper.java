package io.millrace.maintenance;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

import jakarta.inject.Singleton;

import org.jboss.logging.Logger;

import io.millrace.job.FailureReason;
import io.millrace.job.JobState;
import io.millrace.store.RepairStore;
import io.millrace.store.RepairStore.Reaped;
import io.millrace.stream.JobStream;
import io.millrace.worker.LeaseConfig;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;

/**
 * Takes back jobs whose lease ran out, so that another worker runs them, and gives up those that too many workers died of.
 *
 * <p>
 * Safe in any number of processes: the statement skips rows that another reaper holds, and looks at the lease again as it
 * writes. The worker that held it, should it still live, finds another epoch or no lease and can record nothing.
 */
@Singleton
public class Reaper {
    private static final Logger LOG = Logger.getLogger(Reaper.class);
    private static final int PER_STEP = 500;

    private final RepairStore store;
    private final JobStream stream;
    private final int lostLimit;
    private final Duration stepTimeout;
    private final LongAdder reaped = new LongAdder();
    private volatile Consumer<List<Reaped>> onReaped = jobs -> {};

    Reaper(RepairStore store, JobStream stream, LeaseConfig config, MaintenanceConfig maintenance) {
        this.store = store;
        this.stream = stream;
        this.lostLimit = config.lostLimit();
        this.stepTimeout = maintenance.stepTimeout();
    }

    /** @param listener gets the jobs of each step that took some back; must not block */
    public void onReaped(Consumer<List<Reaped>> listener) {
        onReaped = listener;
    }

    /** One pass. @return how many jobs it took back; the relay sends them */
    public Uni<Integer> reapExpired() {
        return Passes.untilNothing(
                () -> Passes.within(stepTimeout, store.reap(PER_STEP, lostLimit)).call(this::tell).map(List::size));
    }

    /** @return how many jobs this process has taken back */
    public long reapedCount() {
        return reaped.sum();
    }

    /** Hints for consumers of the dead letter streams; the truth is written. Not one more is tried when Redis refuses one. */
    private Uni<Void> tell(List<Reaped> jobs) {
        if (!jobs.isEmpty()) {
            reaped.add(jobs.size());
            onReaped.accept(jobs);
            LOG.warnf("%d jobs were taken back, their workers fell silent; the first is %s of queue %s, now %s", jobs.size(),
                    jobs.get(0).id(), jobs.get(0).queue(), jobs.get(0).state());
        }
        return Multi.createFrom().iterable(jobs).filter(job -> job.state() == JobState.FAILED)
                .onItem().transformToUniAndConcatenate(
                        job -> stream.noteDeadLetter(job.queue(), job.id(), FailureReason.WORKER_LOST.name()))
                .collect().last()
                .onFailure().invoke(failure -> LOG.debugf("no hints of dead letters: %s", failure.getMessage()))
                .onFailure().recoverWithNull();
    }
}
