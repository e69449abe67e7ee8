package io.millrace.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import io.millrace.job.JobTransition;

/**
 * The protocol under every fault at once, in model time. {@code -Dmodel.seeds=N} runs N seeds; {@code -Dmodel.seed=S} runs the
 * seed S alone, or as the first of N.
 */
@DisplayNameGeneration(ReplaceUnderscores.class)
class ProtocolModelTest {
    private static final int DEFAULT_SEEDS = 400;

    static final long FIRST_SEED = Long.getLong("model.seed", 1);
    static final int SEEDS = Integer.getInteger("model.seeds", System.getProperty("model.seed") == null ? DEFAULT_SEEDS : 1);

    /** What all runs together have seen. */
    private static final class Totals {
        private final Map<Fault, Integer> faults = new EnumMap<>(Fault.class);
        private final Map<Plan.End, Integer> ends = new TreeMap<>();
        private final Set<JobTransition> transitions = EnumSet.noneOf(JobTransition.class);
        private long calls;
        private int jobs;
        private long effects;
        private long staleEffects;
        private long longestDrainMs;

        private void add(World world) {
            world.faults().counts().forEach((fault, count) -> faults.merge(fault, count, Integer::sum));
            world.network().counts().forEach((fault, count) -> faults.merge(fault, count, Integer::sum));
            world.postgres().rows().forEach(row -> ends.merge(row.end(), 1, Integer::sum));
            transitions.addAll(world.invariants().transitions());
            calls += world.simulation().executed();
            jobs += world.postgres().rows().size();
            effects += world.invariants().effects();
            staleEffects += world.invariants().staleEffects();
            longestDrainMs = Math.max(longestDrainMs, world.drainMs());
        }

        @Override
        public String toString() {
            return String.format("model: %d jobs, %d faults in %d events; %s; %d effects, %d of them refused as stale; "
                    + "everything had ended %d s after the last fault at the latest; %s", jobs,
                    faults.values().stream().mapToInt(Integer::intValue).sum(), calls, ends, effects, staleEffects,
                    longestDrainMs / 1000, faults);
        }
    }

    @Test
    void the_protocol_keeps_its_promises_whatever_fails() {
        Totals totals = new Totals();
        for (long seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
            ModelRun run = ModelRun.of(seed, Conditions.ALL);
            assertThat(run.isClean()).withFailMessage(run::report).isTrue();
            totals.add(run.world());
        }
        System.out.println(totals);
        if (SEEDS >= DEFAULT_SEEDS) { // else the runs may be too few to have met everything
            assertThat(totals.faults.keySet()).as("faults that happened").containsExactlyInAnyOrder(Fault.values());
            assertThat(totals.faults.values()).allMatch(count -> count >= 50);
            assertThat(totals.ends.keySet()).containsExactlyInAnyOrder(Plan.End.values());
            assertThat(totals.transitions).containsExactlyInAnyOrder(JobTransition.values());
        }
    }

    @ParameterizedTest
    @EnumSource
    void where_nothing_fails_every_job_ends_as_planned_and_no_effect_happens_twice(Plan plan) {
        ModelRun run = ModelRun.of(FIRST_SEED,
                Conditions.ALL.faults(EnumSet.noneOf(Fault.class)).plans(EnumSet.of(plan)));

        assertThat(run.isClean()).withFailMessage(run::report).isTrue();
        assertThat(run.world().postgres().rows()).hasSize(World.JOBS);
        assertThat(run.world().invariants().effects()).isEqualTo(
                run.world().postgres().rows().stream().filter(row -> row.end() == Plan.End.COMPLETED).count());
    }

    @Test
    void the_same_seed_gives_the_same_run_and_another_seed_another() {
        long hash = ModelRun.of(FIRST_SEED, Conditions.ALL).world().simulation().traceHash();

        assertThat(ModelRun.of(FIRST_SEED, Conditions.ALL).world().simulation().traceHash()).isEqualTo(hash);
        assertThat(ModelRun.of(FIRST_SEED + 1, Conditions.ALL).world().simulation().traceHash()).isNotEqualTo(hash);
    }
}
