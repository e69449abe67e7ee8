package io.millrace.worker;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
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

    /** A pass that takes as long as this many reads may hangs. */
    private static final int READS_OF_A_PASS = 3;

    private final Isolation isolation;
    private final Claimer claimer;
    private final Runner runner;
    private final Acknowledger acknowledger;
    private final Settler settler;
    private final RunningJobs running;
    private final Heartbeat heartbeat;
    private final WorkerConfig config;
    private final WorkerName name;
    private final JobStream stream;
    private final List<Watchdog> watchdogs = new ArrayList<>();
    private final Duration watchEvery;
    private final List<Consumer<String>> reconnectListeners = new CopyOnWriteArrayList<>();
    private volatile Runnable onHopeless = () -> {};
    private volatile ScheduledExecutorService watch;
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
        this.isolation = new Isolation(config.probation(), Math::random);
        this.name = name;
        this.stream = stream;
        Duration hangsAfter = StreamReader.longestRead(streamConfig).multipliedBy(READS_OF_A_PASS);
        this.watchEvery = hangsAfter.dividedBy(4);
        Slots ofProcess = new Slots(config.slots(), null);
        List<QueueSlots> settings = QueueSlots.parse(queues);
        for (QueueSlots setting : settings) {
            Slots slots = setting.limit() == 0 ? ofProcess : new Slots(setting.limit(), ofProcess);
            slotsByQueue.put(setting.queue(), slots);
            Reader.Outlet outlet = new Reader.Outlet(entry -> process(entry, slots, claimer::claim), this::handBack,
                    running::holds,
                    () -> reconnectListeners.forEach(listener -> listener.accept(setting.queue())));
            watchdogs.add(new Watchdog(setting.queue(), hangsAfter, isReplacement -> new Reader(setting.queue(),
                    new StreamReader(vertx, redis, streamConfig, setting.queue(), name.value()), slots, config.claimItems(),
                    claimer.loop(), outlet, isReplacement), () -> onHopeless.run()));
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

    /**
     * @param listener gets the name of a queue when Redis answers its reader again after a failure, or has been found to have
     *        lost entries: other things may be gone, too. It must not block
     */
    public void onReconnect(Consumer<String> listener) {
        reconnectListeners.add(listener);
    }

    /** @param listener is called when a reader hangs and new ones do not help: only a new process may. It must not block */
    public void onHopeless(Runnable listener) {
        onHopeless = listener;
    }

    /** @return how many jobs may run here at once; 0 unless this process works */
    public int slotCount() {
        return isStarted && !isDraining ? config.slots() : 0;
    }

    public boolean isDraining() {
        return isDraining;
    }

    public void start() {
        isStarted = true;
        heartbeat.start();
        // A thread of its own: what hangs may be any of the others.
        watch = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "millrace-watchdog");
            thread.setDaemon(true);
            return thread;
        });
        watchdogs.forEach(Watchdog::start);
        watch.scheduleWithFixedDelay(() -> watchdogs.forEach(Watchdog::check), watchEvery.toMillis(), watchEvery.toMillis(),
                TimeUnit.MILLISECONDS);
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
        watch.shutdownNow();
        List<Uni<Void>> stopped = watchdogs.stream().map(watchdog -> watchdog.stop(stream)).toList();
        await("reads to end", Uni.join().all(stopped).andCollectFailures().replaceWithVoid(), LAST_WRITES);
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
            } else if (claimer.isOnItsLastChance(job.job())) {
                startAlone(job, slots);
            } else {
                runner.start(job, () -> slots.giveBack(1));
            }
        });
    }

    /** For a job that would be given up if this worker died of it as well. */
    private void startAlone(RunningJob job, Slots slots) {
        int place = isolation.enter(System.nanoTime());
        if (place == Isolation.TAKEN) {
            runner.putOff(job, isolation.pause(System.nanoTime()));
            slots.giveBack(1);
            return;
        }
        runner.start(job, () -> {
            isolation.leave(place, System.nanoTime());
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
