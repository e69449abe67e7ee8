package io.millrace.model;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

import io.millrace.job.Priority;
import io.millrace.model.Network.Server;

/** Makes things go wrong, by chance, until it is told to stop. */
final class Faults {
    /** How often each fault happens in a second of the model, at an intensity of 1. Lost and slow calls are the network's. */
    private static final Map<Fault, Double> PER_SECOND = new EnumMap<>(Map.ofEntries(Map.entry(Fault.WORKER_CRASH, 0.015),
            Map.entry(Fault.OTHER_CRASH, 0.02), Map.entry(Fault.PAUSE, 0.04), Map.entry(Fault.DRAIN, 0.015),
            Map.entry(Fault.POSTGRES_AWAY, 0.003), Map.entry(Fault.REDIS_AWAY, 0.003), Map.entry(Fault.FLUSH, 0.004),
            Map.entry(Fault.ROLLBACK, 0.006), Map.entry(Fault.STREAM_DELETED, 0.004), Map.entry(Fault.CONSUMER_DELETED, 0.004),
            Map.entry(Fault.REDIS_FULL, 0.006), Map.entry(Fault.CLOCK_STEP, 0.006), Map.entry(Fault.FOREIGN_ENTRY, 0.01)));
    private static final double BETWEEN_CALLS = 0.002;
    private static final int MOST_COPIES = 5;

    private final World world;
    private final Simulation simulation;
    private final double intensity;
    private final List<ModelRedis.Memories> copies = new ArrayList<>();
    private final Map<Fault, Integer> counts = new EnumMap<>(Fault.class);
    private boolean isOver;

    Faults(World world, double intensity) {
        this.world = world;
        this.simulation = world.simulation();
        this.intensity = intensity;
    }

    Map<Fault, Integer> counts() {
        return counts;
    }

    void start() {
        if (world.conditions().faults().contains(Fault.CLOCK_STEP)) {
            world.redis().skew(simulation.between(-3_000, 3_000));
        }
        copy();
        simulation.at(simulation.nowMs() + 5_000, this::tick); // when every process is there
    }

    /** From here on nothing goes wrong; what stood still goes on, and what was set stays so. */
    void stop() {
        isOver = true;
        world.redis().memory(ModelRedis.Memory.ENOUGH);
        world.network().heal();
    }

    private void tick() {
        if (isOver) {
            return;
        }
        PER_SECOND.forEach((fault, probability) -> {
            if (world.conditions().faults().contains(fault) && simulation.isChance(probability * intensity)) {
                simulation.at(simulation.nowMs() + simulation.between(0, 999), () -> happen(fault));
            }
        });
        simulation.at(simulation.nowMs() + 1_000, this::tick);
    }

    private void copy() {
        if (!isOver) {
            copies.add(world.redis().copy());
            if (copies.size() > MOST_COPIES) {
                copies.remove(0);
            }
            simulation.at(simulation.nowMs() + 15_000, this::copy);
        }
    }

    /** A call of this process has just taken place. */
    void betweenCalls(ModelProcess process, Fault crash) {
        if (isOver) {
            return;
        }
        if (world.conditions().faults().contains(crash) && simulation.isChance(BETWEEN_CALLS * intensity)) {
            count(crash);
            world.kill(process);
        } else if (world.conditions().faults().contains(Fault.PAUSE) && simulation.isChance(BETWEEN_CALLS * intensity)) {
            pause(process);
        }
    }

    /** The moment at which a mistake would cost most: the worker that has the job now dies, before it has ended it. */
    void afterARefusedRecord(UUID job) {
        String owner = world.postgres().row(job).leaseOwner;
        if (!isOver && world.conditions().faults().contains(Fault.WORKER_CRASH) && simulation.isChance(0.5)) {
            simulation.at(simulation.nowMs() + 1_000,
                    () -> kill(world.workers().stream().filter(worker -> worker.name().equals(owner)).toList(),
                            Fault.WORKER_CRASH));
        }
    }

    private void happen(Fault fault) {
        if (isOver) {
            return;
        }
        switch (fault) {
            case WORKER_CRASH -> kill(world.workers(), fault);
            case OTHER_CRASH -> kill(world.others(), fault);
            case PAUSE -> pause(simulation.pick(world.processes()));
            case DRAIN -> {
                List<ModelWorker> steady = world.workers().stream().filter(worker -> !worker.isDraining()).toList();
                if (!steady.isEmpty()) {
                    count(fault);
                    simulation.pick(steady).drain();
                }
            }
            case POSTGRES_AWAY -> takeAway(Server.POSTGRES, fault);
            case REDIS_AWAY -> takeAway(Server.REDIS, fault);
            case REDIS_FULL -> fill();
            default -> {
                count(fault);
                changeRedis(fault);
            }
        }
    }

    private void changeRedis(Fault fault) {
        ModelRedis redis = world.redis();
        switch (fault) {
            case FLUSH -> redis.flush();
            case ROLLBACK -> redis.rollBackTo(simulation.pick(copies));
            case STREAM_DELETED -> redis.deleteStream(anyPriority());
            case CONSUMER_DELETED -> redis.deleteConsumer(anyPriority());
            // Mostly as clocks drift, now and then as people set them.
            case CLOCK_STEP -> redis.skew(simulation.isChance(0.1)
                    ? simulation.between(-100_000, 100_000)
                    : simulation.between(-5_000, 5_000));
            case FOREIGN_ENTRY -> redis.addForeign(anyPriority(), world.newId());
            default -> throw new IllegalArgumentException("not a change of Redis: " + fault);
        }
    }

    private void kill(List<? extends ModelProcess> candidates, Fault fault) {
        if (!candidates.isEmpty()) {
            count(fault);
            world.kill(simulation.pick(candidates));
        }
    }

    private void pause(ModelProcess process) {
        count(Fault.PAUSE);
        // Short ones, and such as outlast a lease and the idle time of the sweep.
        long lengthMs = simulation.isChance(0.5) ? simulation.between(100, 5_000) : simulation.between(20_000, 180_000);
        process.pauseUntil(simulation.nowMs() + lengthMs);
    }

    private void takeAway(Server server, Fault fault) {
        count(fault);
        world.network().takeAway(server, simulation.nowMs() + simulation.between(1_000, 20_000));
    }

    private void fill() {
        count(Fault.REDIS_FULL);
        world.redis().memory(simulation.isChance(0.5) ? ModelRedis.Memory.REFUSED : ModelRedis.Memory.REFUSED_AT_FIRST);
        simulation.at(simulation.nowMs() + simulation.between(2_000, 30_000),
                () -> world.redis().memory(ModelRedis.Memory.ENOUGH));
    }

    private Priority anyPriority() {
        return simulation.pick(List.of(Priority.values()));
    }

    private void count(Fault fault) {
        counts.merge(fault, 1, Integer::sum);
    }
}
