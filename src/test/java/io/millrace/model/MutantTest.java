package io.millrace.model;

import static io.millrace.model.Fault.CLOCK_STEP;
import static io.millrace.model.Fault.CONSUMER_DELETED;
import static io.millrace.model.Fault.OTHER_CRASH;
import static io.millrace.model.Fault.PAUSE;
import static io.millrace.model.Fault.REDIS_FULL;
import static io.millrace.model.Fault.SLOW_CALL;
import static io.millrace.model.Fault.WORKER_CRASH;
import static io.millrace.model.Invariant.I1;
import static io.millrace.model.Invariant.I12;
import static io.millrace.model.Invariant.I2;
import static io.millrace.model.Invariant.I3;
import static io.millrace.model.Invariant.I5;
import static io.millrace.model.Invariant.I6;
import static io.millrace.model.Invariant.I7;
import static io.millrace.model.Invariant.I8;
import static io.millrace.model.Invariant.I9;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Mistakes that the model must report: a model that sees nothing wrong proves nothing unless it would. Several mistakes are
 * mended by the reaper or the reconciler; those are looked for with that chore off and with faults that the protocol itself
 * bears without it, and then run with everything on.
 */
@DisplayNameGeneration(ReplaceUnderscores.class)
class MutantTest {
    private static final int MOST_SEEDS = 300;

    /** @param reported by the mutant, within {@value #MOST_SEEDS} seeds */
    record Row(Mutant mutant, Conditions conditions, Set<Invariant> reported) {
        @Override
        public String toString() {
            return mutant + " breaks " + reported;
        }
    }

    /** With every chore on. */
    static List<Row> visible() {
        return List.of(
                row(Mutant.SETTLE_WITHOUT_FENCE, Conditions.ALL, I2, I5, I9),
                row(Mutant.REFUSED_BEAT_IGNORED, Conditions.ALL, I2, I5, I9),
                row(Mutant.REAP_FROM_A_SNAPSHOT, Conditions.ALL.faults(EnumSet.of(PAUSE, SLOW_CALL)), I2, I5),
                row(Mutant.GUARD_BEFORE_EFFECT, Conditions.ALL, I3),
                row(Mutant.CLAIM_BEFORE_DUE, Conditions.ALL, I6),
                row(Mutant.RENEW_WITHOUT_OWNER, Conditions.ALL, I5),
                row(Mutant.RELEASE_COUNTS_AS_LOST, Conditions.ALL, I7),
                row(Mutant.DEAD_LETTER_ON_RETRY, Conditions.ALL, I8),
                row(Mutant.UNNEEDED_ENTRIES_LEFT, Conditions.ALL.faults(EnumSet.of(WORKER_CRASH)), I12),
                row(Mutant.CLAIM_TAKES_A_LIVE_LEASE, Conditions.ALL, I5),
                row(Mutant.RECLAIM_WITHOUT_ATTEMPT, Conditions.ALL, I7),
                row(Mutant.ORPHANS_LEFT, Conditions.ALL.faults(EnumSet.of(CONSUMER_DELETED)), I12),
                row(Mutant.PARKED_UNTIL_DUE, Conditions.ALL.faults(EnumSet.of(CLOCK_STEP)).plans(EnumSet.of(Plan.OK))
                        .delayed(1, 100_000), I12),
                row(Mutant.DELETE_FROM_A_SNAPSHOT, Conditions.ALL.faults(EnumSet.noneOf(Fault.class))
                        .plans(EnumSet.of(Plan.FAILS_UNTIL_REPLAYED)), I1));
    }

    /** Only with the chore off that would mend it. */
    static List<Row> mended() {
        Conditions harmless = Conditions.ALL.plans(EnumSet.complementOf(EnumSet.of(Plan.POISON)));
        Conditions noReaper = harmless.withoutReaper();
        Conditions noReconciler = harmless.withoutReconciler();
        return List.of(
                row(Mutant.ACKNOWLEDGE_BEFORE_SETTLE, noReaper.faults(EnumSet.of(WORKER_CRASH, PAUSE)), I1),
                row(Mutant.ACKNOWLEDGE_UNRECORDED, noReaper.plans(EnumSet.of(Plan.OK, Plan.FAILS_ONCE, Plan.SLOW))
                        .faults(EnumSet.of(WORKER_CRASH, PAUSE)), I1),
                row(Mutant.GROUP_AT_END, noReconciler.faults(EnumSet.noneOf(Fault.class)), I1),
                row(Mutant.RETRY_IN_TWO_COMMANDS, noReconciler.faults(EnumSet.of(WORKER_CRASH)), I1),
                row(Mutant.PROMOTE_REMOVES_FIRST, noReconciler.faults(EnumSet.of(REDIS_FULL)).plans(EnumSet.of(Plan.OK))
                        .delayed(1, 100_000), I1),
                // The protocol itself marks a job as dispatched before it adds the entry.
                row(Mutant.NONE, noReconciler.faults(EnumSet.of(OTHER_CRASH)), I1));
    }

    private static Row row(Mutant mutant, Conditions conditions, Invariant... reported) {
        return new Row(mutant, conditions.mutant(mutant), EnumSet.copyOf(List.of(reported)));
    }

    @ParameterizedTest
    @MethodSource({"visible", "mended"})
    void the_model_reports_a_mistake_by_the_right_name(Row row) {
        Set<Invariant> missing = EnumSet.copyOf(row.reported());
        int seed = 0;
        while (!missing.isEmpty()) {
            seed++;
            assertThat(seed).as("%s: %s not seen", row, missing).isLessThanOrEqualTo(MOST_SEEDS);
            missing.removeAll(ModelRun.of(seed, row.conditions()).world().invariants().violated());
        }
        System.out.println("model: " + row + ", seen after " + seed + " seeds");
    }

    @ParameterizedTest
    @MethodSource("mended")
    void without_the_mistake_the_same_faults_are_borne_without_that_chore(Row row) {
        if (row.mutant() != Mutant.NONE) {
            forSomeSeeds(row.conditions().mutant(Mutant.NONE));
        }
    }

    @ParameterizedTest
    @MethodSource("mended")
    void with_every_chore_on_the_mistake_costs_no_job(Row row) {
        forSomeSeeds(row.conditions().repaired());
    }

    private static void forSomeSeeds(Conditions conditions) {
        for (int seed = 1; seed <= 30; seed++) {
            ModelRun run = ModelRun.of(seed, conditions);
            assertThat(run.isClean()).withFailMessage(run::report).isTrue();
        }
    }

    @Test
    void every_mistake_is_tried_and_every_invariant_is_broken_by_one() {
        List<Row> rows = Stream.concat(visible().stream(), mended().stream()).toList();

        assertThat(rows.stream().map(Row::mutant)).containsExactlyInAnyOrder(Mutant.values());
        assertThat(rows.stream().flatMap(row -> row.reported().stream()).collect(Collectors.toSet()))
                .containsExactlyInAnyOrder(Invariant.values());
    }
}
