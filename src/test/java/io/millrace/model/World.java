package io.millrace.model;

import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Function;

import io.millrace.job.Backoff;
import io.millrace.job.JobOptions;
import io.millrace.job.JobState;
import io.millrace.job.Priority;
import io.millrace.settle.SettlementPolicy;

/**
 * One run: a PostgreSQL, a Redis, the processes and their faults, from one seed. For some minutes of model time jobs are
 * submitted and things go wrong; then nothing goes wrong any more, and everything must come to its end.
 */
final class World {
    static final int JOBS = 60;
    private static final long SUBMIT_MS = 270_000;
    private static final long FAULTS_MS = 300_000;
    /**
     * After the last fault: what a reconciler finds after its margin may be a poison job, that has to kill three workers. Clocks
     * that are 100 s off are in it.
     */
    private static final long MOST_DRAIN_MS = 1_200_000;
    private static final int WORKERS = 3;
    private static final double[] INTENSITIES = {0.3, 1, 2};

    private record Role(String name, Function<String, ModelProcess> make) {}

    private final Conditions conditions;
    private final Simulation simulation;
    private final Trace trace;
    private final Invariants invariants;
    private final ModelPostgres postgres;
    private final ModelRedis redis;
    private final Network network;
    private final Faults faults;
    private final SettlementPolicy policy;
    private final List<Role> roles = new ArrayList<>();
    private final List<ModelProcess> alive = new ArrayList<>();
    private final List<Role> roleOfAlive = new ArrayList<>();
    private long ids;
    private int starts;
    private long drainMs;

    World(long seed, Conditions conditions) {
        this.conditions = conditions;
        simulation = new Simulation(seed);
        double intensity = INTENSITIES[(int) simulation.between(0, INTENSITIES.length - 1)];
        trace = new Trace(simulation);
        invariants = new Invariants(simulation, trace, conditions.lostLimit());
        postgres = new ModelPostgres(simulation, invariants, conditions.mutant());
        redis = new ModelRedis(simulation, trace, invariants, conditions.mutant());
        network = new Network(simulation, conditions.faults(), intensity);
        faults = new Faults(this, intensity);
        policy = new SettlementPolicy(value -> value == null ? null : value.toString(), 1_000, simulation::fraction);
        for (int i = 0; i < 2; i++) {
            roles.add(new Role("api", name -> new ModelApi(this, name)));
            roles.add(new Role("relay", name -> new ModelRelay(this, name)));
            roles.add(new Role("promoter", name -> new ModelPromoter(this, name)));
            if (conditions.isReaperOn()) {
                roles.add(new Role("reaper", name -> new ModelReaper(this, name)));
            }
        }
        for (int i = 0; i < WORKERS; i++) {
            roles.add(new Role("worker", name -> new ModelWorker(this, name)));
        }
    }

    void run() {
        // Not all at once: an api may be there long before the first worker.
        roles.forEach(role -> simulation.at(simulation.nowMs() + simulation.between(0, 3_000), () -> start(role)));
        for (int i = 0; i < JOBS; i++) {
            Order order = order();
            simulation.at(order.submitAtMs(), () -> atAnApi(api -> api.submit(order)));
            if (order.cancelAtMs() > 0) {
                simulation.at(order.cancelAtMs(), () -> atAnApi(api -> api.cancel(order)));
            }
        }
        faults.start();
        simulation.runUntil(Simulation.START_MS + FAULTS_MS);
        faults.stop();
        long sinceMs = 0;
        while (sinceMs < MOST_DRAIN_MS && !(isAllOver() && deadConsumers() == 0)) {
            sinceMs += 5_000;
            drainMs = isAllOver() ? drainMs : sinceMs; // what stood still may submit a job after all others are over
            simulation.runUntil(Simulation.START_MS + FAULTS_MS + sinceMs);
        }
        trace.actor("the end");
        Map<String, Integer> left = redis.leftOvers();
        if (deadConsumers() > 0) {
            left.put("consumers of the dead", deadConsumers());
        }
        // Each start and each failed read has all that waits loaded anew, and promoted early if the clock of Redis is ahead.
        int mostNeedlessEntries = EnumSet.of(Fault.CLOCK_STEP).containsAll(conditions.faults()) ? 40 : 200;
        invariants.finish(postgres, left, !conditions.faults().isEmpty() || poisonJobs() > 1, mostNeedlessEntries);
    }

    /** @return how many jobs kill who runs them */
    long poisonJobs() {
        return postgres.rows().stream().filter(row -> row.payload == Plan.POISON).count();
    }

    /** @return how many others were given up because their workers died */
    long innocentsLost() {
        return postgres.rows().stream().filter(row -> row.end() == Plan.End.WORKER_LOST && row.payload != Plan.POISON).count();
    }

    private int deadConsumers() {
        Set<String> consumers = redis.consumers();
        alive.forEach(process -> consumers.remove(process.name()));
        return consumers.size();
    }

    private Order order() {
        Plan plan = simulation.pick(List.copyOf(EnumSet.copyOf(conditions.plans())));
        if (plan == Plan.POISON && simulation.isChance(0.7)) {
            plan = conditions.plans().contains(Plan.OK) ? Plan.OK : plan; // few: each one kills three workers
        }
        JobOptions options = simulation.isChance(0.3)
                ? new JobOptions(null, new Backoff(Backoff.Curve.EXPONENTIAL, Duration.ofSeconds(2),
                        Duration.ofSeconds(20), Backoff.Jitter.FULL))
                : JobOptions.NONE;
        long submitAtMs = Simulation.START_MS + simulation.between(0, SUBMIT_MS);
        long delayMs = simulation.isChance(conditions.delayedShare())
                ? conditions.shortestDelayMs() + simulation.between(0, 200_000)
                : 0;
        boolean isCancelled = simulation.isChance(0.1);
        return new Order(newId(), plan, simulation.pick(List.of(Priority.values())), options, submitAtMs, delayMs,
                isCancelled ? submitAtMs + simulation.between(100, 60_000) : 0);
    }

    private void atAnApi(Consumer<ModelApi> request) {
        List<ModelApi> apis = alive.stream().filter(ModelApi.class::isInstance).map(ModelApi.class::cast).toList();
        if (apis.isEmpty()) {
            simulation.at(simulation.nowMs() + 1_000, () -> atAnApi(request));
        } else {
            ModelApi api = simulation.pick(apis);
            api.after(0, () -> request.accept(api));
        }
    }

    private void start(Role role) {
        ModelProcess process = role.make().apply(role.name() + "-" + ++starts);
        alive.add(process);
        roleOfAlive.add(role);
        process.start();
    }

    /** Another of its kind starts a little later. */
    void kill(ModelProcess process) {
        int index = alive.indexOf(process);
        if (index >= 0) {
            process.die();
            alive.remove(index);
            Role role = roleOfAlive.remove(index);
            simulation.at(simulation.nowMs() + simulation.between(500, 10_000), () -> start(role));
        }
    }

    private boolean isAllOver() {
        return redis.leftOvers().isEmpty() && postgres.rows().stream().allMatch(
                row -> row.isDeleted
                        || (row.end() != null && (row.state != JobState.FAILED || row.payload != Plan.FAILS_UNTIL_REPLAYED)));
    }

    List<ModelProcess> processes() {
        return alive;
    }

    List<ModelWorker> workers() {
        return alive.stream().filter(ModelWorker.class::isInstance).map(ModelWorker.class::cast).toList();
    }

    List<ModelProcess> others() {
        return alive.stream().filter(process -> !(process instanceof ModelWorker)).toList();
    }

    UUID newId() {
        return new UUID(0x7000L, ++ids);
    }

    Conditions conditions() {
        return conditions;
    }

    Simulation simulation() {
        return simulation;
    }

    Trace trace() {
        return trace;
    }

    Invariants invariants() {
        return invariants;
    }

    ModelPostgres postgres() {
        return postgres;
    }

    ModelRedis redis() {
        return redis;
    }

    Network network() {
        return network;
    }

    Faults faults() {
        return faults;
    }

    SettlementPolicy policy() {
        return policy;
    }

    /** @return how long it took, after the last fault, until everything was over */
    long drainMs() {
        return drainMs;
    }
}
