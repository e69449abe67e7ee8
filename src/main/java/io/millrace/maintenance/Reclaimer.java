package io.millrace.maintenance;

import java.time.Duration;
import java.util.List;
import java.util.function.ObjIntConsumer;
import java.util.stream.Collectors;

import jakarta.inject.Singleton;

import org.jboss.logging.Logger;

import io.millrace.job.Priority;
import io.millrace.settle.WorkerName;
import io.millrace.stream.StreamRepair;
import io.millrace.worker.Worker;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;

/**
 * Sweeps the streams for entries that were delivered and never finished, and delivers them to this worker's claim, which decides.
 *
 * <p>
 * Safe in any number of processes: XAUTOCLAIM hands each entry to one of them, and a delivery grants nothing: a job that still
 * runs elsewhere is refused, one that has ended is acknowledged.
 */
@Singleton
public class Reclaimer {
    private static final Logger LOG = Logger.getLogger(Reclaimer.class);

    private final StreamRepair streams;
    private final Worker worker;
    private final WorkerName name;
    private final Reconciler reconciler;
    private final Duration minIdle;
    private final int batch;
    private volatile ObjIntConsumer<String> onReclaimed = (queue, count) -> {};

    Reclaimer(StreamRepair streams, Worker worker, WorkerName name, Reconciler reconciler, MaintenanceConfig config) {
        this.streams = streams;
        this.worker = worker;
        this.name = name;
        this.reconciler = reconciler;
        this.minIdle = config.reclaimIdle();
        this.batch = config.reclaimItems();
    }

    /** @param listener gets a queue and how many of its entries were taken over; must not block */
    public void onReclaimed(ObjIntConsumer<String> listener) {
        onReclaimed = listener;
    }

    /** One pass over the streams of this worker, as far as it has free slots. @return how many entries it took over */
    public Uni<Integer> reclaimIdle() {
        return Passes.sumOver(worker.queues(),
                queue -> Passes.sumOver(List.of(Priority.values()), priority -> sweep(queue, priority)
                        .onFailure().invoke(failure -> LOG.warnf("could not sweep queue %s: %s", queue, failure.getMessage()))
                        .onFailure().recoverWithItem(0)));
    }

    private Uni<Integer> sweep(String queue, Priority priority) {
        String[] cursor = {null};
        boolean[] isAtEnd = {false};
        return Multi.createBy().repeating().uni(() -> {
            int most = Math.min(batch, worker.freeSlots(queue));
            if (most == 0) {
                isAtEnd[0] = true;
                return Uni.createFrom().item(0);
            }
            return streams.reclaimIdle(queue, priority, name.value(), minIdle, cursor[0], most).map(sweep -> {
                cursor[0] = sweep.cursor();
                isAtEnd[0] = sweep.cursor() == null;
                return deliver(queue, sweep);
            });
        }).whilst(count -> !isAtEnd[0]).collect().with(Collectors.summingInt(Integer::intValue));
    }

    private int deliver(String queue, StreamRepair.Sweep sweep) {
        if (sweep.deletedCount() > 0) {
            LOG.warnf("%d entries of queue %s were deleted by somebody before their jobs had ended; looking for the jobs",
                    sweep.deletedCount(), queue);
            reconciler.hurry(queue);
        }
        if (!sweep.entries().isEmpty()) {
            onReclaimed.accept(queue, sweep.entries().size());
        }
        sweep.entries().forEach(worker::redeliver);
        return sweep.entries().size();
    }
}
