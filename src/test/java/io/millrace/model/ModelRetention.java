package io.millrace.model;

import static io.millrace.model.Network.Server.POSTGRES;

import java.util.Map;
import java.util.UUID;

import io.millrace.job.JobState;
import io.millrace.model.ModelPostgres.Deletion;

/** Deletes jobs that ended long ago, page by page: what {@code Retention} does, without its two stretches. */
final class ModelRetention {
    private static final UUID ABOVE_ALL = new UUID(Long.MAX_VALUE, Long.MAX_VALUE);
    private static final Map<JobState, Long> KEEP_MS = Map.of(JobState.COMPLETED, Timing.KEEP_MS, JobState.CANCELLED,
            Timing.KEEP_MS, JobState.FAILED, Timing.KEEP_FAILED_MS);

    private final ModelProcess process;
    private final World world;

    ModelRetention(ModelProcess process, World world) {
        this.process = process;
        this.world = world;
    }

    void deleteEnded(Runnable done) {
        step(ABOVE_ALL, done);
    }

    private void step(UUID below, Runnable done) {
        if (world.conditions().mutant() == Mutant.DELETE_FROM_A_SNAPSHOT) {
            process.call(POSTGRES, Timing.STATEMENT_MS, () -> world.postgres()
                    .endedLongAgo(world.postgres().page(below, World.JOBS), KEEP_MS),
                    ids -> process.after(world.simulation().between(0, 10_000), () -> process.call(POSTGRES,
                            Timing.STATEMENT_MS, () -> {
                                world.postgres().deleteRows(ids);
                                return null;
                            }, deleted -> done.run(), done)),
                    done);
            return;
        }
        process.call(POSTGRES, Timing.STATEMENT_MS,
                () -> world.postgres().deleteEndedJobs(below, Timing.PAGE, KEEP_MS), deletion -> goOn(deletion, done), done);
    }

    private void goOn(Deletion deletion, Runnable done) {
        if (deletion.lookedAt() < Timing.PAGE) {
            done.run();
        } else {
            step(deletion.lowest(), done);
        }
    }
}
