package io.millrace.model;

import static io.millrace.model.Network.Server.POSTGRES;
import static io.millrace.model.Network.Server.REDIS;

import java.util.List;

import io.millrace.job.JobState;
import io.millrace.model.ModelPostgres.Reaped;

/** Takes jobs back whose lease ran out: what {@code Reaper} does. */
final class ModelReaper extends ModelProcess {

    ModelReaper(World world, String name) {
        super(world, name, Fault.OTHER_CRASH);
    }

    @Override
    void start() {
        repeat(Timing.REAP_EVERY_MS, this::step);
    }

    private void step(Runnable done) {
        int lostLimit = world.conditions().lostLimit();
        if (world.conditions().mutant() == Mutant.REAP_FROM_A_SNAPSHOT) {
            call(POSTGRES, Timing.STATEMENT_MS, () -> world.postgres().expiredRows(Timing.PER_STEP),
                    ids -> call(POSTGRES, Timing.STATEMENT_MS, () -> world.postgres().reapRows(ids, lostLimit),
                            reaped -> tell(reaped, done), done),
                    done);
        } else {
            call(POSTGRES, Timing.STATEMENT_MS, () -> world.postgres().reapJobs(Timing.PER_STEP, lostLimit),
                    reaped -> tell(reaped, done), done);
        }
    }

    private void tell(List<Reaped> reaped, Runnable done) {
        reaped.stream().filter(job -> job.state() == JobState.FAILED)
                .forEach(job -> call(REDIS, Timing.COMMAND_MS, () -> {
                    world.redis().noteDeadLetter(job.id());
                    return null;
                }, noted -> {}, () -> {}));
        (reaped.isEmpty() ? done : (Runnable) () -> step(done)).run();
    }
}
