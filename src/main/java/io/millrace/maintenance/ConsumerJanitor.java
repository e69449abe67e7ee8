package io.millrace.maintenance;

import java.time.Duration;
import java.util.List;

import jakarta.inject.Singleton;

import io.millrace.job.Priority;
import io.millrace.stream.StreamRepair;
import io.millrace.worker.Worker;
import io.smallrye.mutiny.Uni;

/**
 * Deletes the consumers of processes that are gone; every start of a worker makes a new one.
 *
 * <p>
 * Safe in any number of processes: the script looks and deletes in one step, and leaves consumers with pending entries alone.
 */
@Singleton
public class ConsumerJanitor {
    private final StreamRepair streams;
    private final Worker worker;
    private final Duration minIdle;

    ConsumerJanitor(StreamRepair streams, Worker worker, MaintenanceConfig config) {
        this.streams = streams;
        this.worker = worker;
        this.minIdle = config.trimIdle();
    }

    /** One pass over the streams of this worker. @return how many consumers it deleted */
    public Uni<Integer> trimConsumers() {
        return Passes.sumOver(worker.queues(), queue -> Passes.sumOver(List.of(Priority.values()),
                priority -> streams.trimConsumers(queue, priority, minIdle)));
    }
}
