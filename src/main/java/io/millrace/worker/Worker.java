package io.millrace.worker;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

import jakarta.inject.Singleton;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

import io.millrace.handler.Cancellation;
import io.millrace.settle.Acknowledger;
import io.millrace.settle.Settler;
import io.millrace.settle.WorkerName;
import io.millrace.stream.JobStream;
import io.millrace.stream.RedisConfig;
import io.millrace.stream.StreamConfig;
import io.millrace.stream.StreamEntry;
import io.millrace.stream.StreamReader;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;

/** The worker of this process: reads its queues, claims what is delivered, runs what it may. */
@Singleton
public class Worker {
    private static final Logger LOG = Logger.getLogger(Worker.class);
    /** After the grace: for telling handlers to stop, and recording and acknowledging what they were doing. */
    private static final Duration LAST_WRITES = Duration.ofSeconds(5);

    /** How long a suspect waits while another one runs. */
    private static final Duration ISOLATION_PAUSE = Duration.ofSeconds(1);

    private final Slots isolation = new Slots(1, null);
    private final Claimer claimer;
    private final Runner runner;
    private final Acknowledger acknowledger;
    private final Settler settler;
    private final RunningJobs running;
    private final Heartbeat heartbeat;
    private final WorkerConfig config;
    private final WorkerName name;
    private final JobStream stream;
    private final List<Reader> readers = new ArrayList<>();
    private final List<Uni<Void>> reading = new ArrayList<>();
    private final Map<String, Slots> slotsByQueue = new HashMap<>();
    private final List<String> queues;
    private volatile boolean isStarted;
    private volatile boolean isDraining;

    Worker(Vertx vertx, Claimer claimer, Runner runner, Acknowledger acknowledger, Settler settler, RunningJobs running,
            Heartbeat heartbeat, WorkerConfig config, WorkerName name, JobStream stream, RedisConfig redis,
            StreamConfig streamConfig,
            @ConfigProperty(name = "millrace.queues") List<String> queues) {
        this.claimer = claimer;
        this.runner = runner;
        this.acknowledger = acknowledger;
        this.settler = settler;
        this.running = running;
        this.heartbeat = heartbeat;
        this.config = config;
        this.name = name;
        this.stream = stream;
        Slots ofProcess = new Slots(config.slots(), null);
        List<QueueSlots> settings = QueueSlots.parse(queues);
        for (QueueSlots setting : settings) {
            Slots slots = setting.limit() == 0 ? ofProcess : new Slots(setting.limit(), ofProcess);
            slotsByQueue.put(setting.queue(), slots);
            StreamReader reader = new StreamReader(vertx, redis, streamConfig, setting.queue(), name.value());
            readers.add(new Reader(setting.queue(), reader, slots, config.claimItems(), claimer.loop(),
                    entry -> process(entry, slots, claimer::claim), this::handBack));
        }
        this.queues = settings.stream().map(QueueSlots::queue).toList();
    }

    /** @throws IllegalArgumentException if {@code millrace.queues} cannot be read; the message names what is wrong */
    public static void checkQueues(List<String> queues) {
        QueueSlots.parse(queues);
    }

    /** @return the names of the queues this process reads */
    public List<String> queues() {
        return queues;
    }

    public boolean isDraining() {
        return isDraining;
    }

    public void start() {
        isStarted = true;
        heartbeat.start();
        for (Reader reader : readers) {
            Uni<Void> stopped = reader.run();
            reading.add(stopped);
            stopped.subscribe().with(ignored -> {});
        }
        LOG.infof("worker %s reads %s with %d slots", name.value(), String.join(", ", queues), config.slots());
    }

    /**
     * Stops in order: reads no more, hands back what was read but not started, lets running jobs finish within the grace, hands
     * back the rest without counting anything, and records every end. Blocks; bounded by the grace and a few seconds.
     *
     * @return false if jobs, or claims whose answer never came, were left to their leases: PostgreSQL does not know that they
     *         ended, and they run again when the leases have run out
     */
    public boolean drain() {
        if (!isStarted || isDraining) {
            return true;
        }
        isDraining = true;
        LOG.infof("draining: %d jobs run, %s to finish", running.count(), config.drain());
        readers.forEach(reader -> reader.stop(stream));
        Uni<Void> stopped = Uni.join().all(reading).andCollectFailures().replaceWithVoid();
        await("reads to end", stopped, LAST_WRITES);
        boolean answered = await("claims to be answered", claimer.idle(), LAST_WRITES);
        int atStart = running.count(); // with those whose claim was under way
        boolean finished = await("jobs to finish", running.empty(), config.drain());
        int cutShort = running.count();
        if (!finished) {
            running.cancelAll(Cancellation.Cause.SHUTDOWN);
            await("jobs to be handed back", running.empty(), LAST_WRITES);
        }
        await("ends to be recorded", settler.idle(), LAST_WRITES);
        heartbeat.stop();
        int left = running.count();
        LOG.infof("drained: %d jobs finished, %d handed back, %d left to their leases", atStart - cutShort, cutShort - left,
                left);
        if (!answered) {
            LOG.warn("a claim was not answered: what it took, if anything, is left to its lease, too");
        }
        return answered && left == 0;
    }

    /** @return how many more jobs of the queue could start here now; 0 while draining */
    public int freeSlots(String queue) {
        Slots slots = slotsByQueue.get(queue);
        return isDraining || slots == null ? 0 : slots.freeCount();
    }

    /**
     * For an entry that a sweep took over from somebody. If no slot is free any more it stays pending here, and the next sweep
     * finds it.
     */
    public void redeliver(StreamEntry entry) {
        Slots slots = slotsByQueue.get(entry.queue());
        if (!isDraining && slots.takeUpTo(1) == 1) {
            process(entry, slots, claimer::claimStuck);
        }
    }

    /** The entry holds a slot. */
    private void process(StreamEntry entry, Slots slots, Function<StreamEntry, Uni<RunningJob>> claim) {
        if (entry.jobId() == null) {
            LOG.warnf("entry %s of queue %s holds no job id: somebody else writes to this stream; dropped", entry.id(),
                    entry.queue());
            slots.giveBack(1);
            acknowledger.drop(entry);
            return;
        }
        claim.apply(entry).subscribe().with(job -> {
            if (job == null) {
                slots.giveBack(1);
            } else if (job.job().lost() == 0) {
                runner.start(job, () -> slots.giveBack(1));
            } else {
                startAlone(job, slots);
            }
        });
    }

    /**
     * A job whose worker died may be what killed it. At most one such job runs here at a time, so that it takes no other
     * suspect, who may be innocent, along with it.
     */
    private void startAlone(RunningJob job, Slots slots) {
        if (isolation.takeUpTo(1) == 0) {
            runner.putOff(job, ISOLATION_PAUSE);
            slots.giveBack(1);
            return;
        }
        runner.start(job, () -> {
            isolation.giveBack(1);
            slots.giveBack(1);
        });
    }

    private void handBack(StreamEntry entry) {
        if (entry.jobId() == null) {
            acknowledger.drop(entry);
        } else {
            acknowledger.handBack(entry);
        }
    }

    private static boolean await(String what, Uni<Void> end, Duration limit) {
        try {
            end.await().atMost(limit);
            return true;
        } catch (RuntimeException e) {
            LOG.debugf("gave up waiting for %s after %s: %s", what, limit, e.getMessage());
            return false;
        }
    }
}
