package io.millrace.maintenance;

import java.util.List;

import jakarta.inject.Singleton;

import org.jboss.logging.Logger;

import io.millrace.job.Priority;
import io.millrace.stream.StreamRepair;
import io.millrace.worker.Worker;
import io.smallrye.mutiny.Uni;

/**
 * Deletes entries that were delivered and are pending for nobody: somebody has deleted a consumer by hand, and its pending list
 * with it. Their jobs are found by the reconciler; the entries would stand on the stream for ever.
 *
 * <p>
 * Safe in any number of processes: the script looks and deletes in one step, and an entry that was delivered is in a pending
 * list from that moment until the script that acknowledges it deletes it, too.
 */
@Singleton
public class EntryJanitor {
    private static final Logger LOG = Logger.getLogger(EntryJanitor.class);
    /** Redis serves nobody else meanwhile: about a millisecond. */
    private static final int PER_STEP = 500;

    private final StreamRepair streams;
    private final Worker worker;
    private final Reconciler reconciler;

    EntryJanitor(StreamRepair streams, Worker worker, Reconciler reconciler) {
        this.streams = streams;
        this.worker = worker;
        this.reconciler = reconciler;
    }

    /** One pass over the streams of this worker. @return how many entries it deleted */
    public Uni<Integer> dropOrphans() {
        return Passes.sumOver(worker.queues(),
                queue -> Passes.sumOver(List.of(Priority.values()), priority -> walk(queue, priority, null)));
    }

    private Uni<Integer> walk(String queue, Priority priority, String cursor) {
        return streams.dropOrphans(queue, priority, cursor, PER_STEP)
                .invoke(walk -> tell(queue, walk.deletedCount())) // now: the next step may fail, and nobody sees these again
                .chain(walk -> walk.cursor() == null
                        ? Uni.createFrom().item(walk.deletedCount())
                        : walk(queue, priority, walk.cursor()).map(more -> more + walk.deletedCount()));
    }

    private void tell(String queue, int deleted) {
        if (deleted > 0) {
            LOG.warnf(
                    "%d entries of queue %s were delivered and pending for nobody, somebody has deleted their consumer: deleted "
                            + "them; looking for their jobs",
                    deleted, queue);
            reconciler.hurry(queue);
        }
    }
}
