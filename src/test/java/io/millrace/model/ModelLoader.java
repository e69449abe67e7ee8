package io.millrace.model;

import static io.millrace.model.Network.Server.POSTGRES;
import static io.millrace.model.Network.Server.REDIS;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;

import io.millrace.model.ModelPostgres.Due;
import io.millrace.model.ModelRedis.Member;

/** Brings jobs that are due soon into the delayed set: what {@code DelayedLoader} does. */
final class ModelLoader {
    private static final UUID LOWEST = new UUID(0, 0);

    private final ModelProcess process;
    private final World world;
    private final Runnable delayLost;

    /** @param delayLost called when jobs may be missing in the delayed set */
    ModelLoader(ModelProcess process, World world, Runnable delayLost) {
        this.process = process;
        this.world = world;
        this.delayLost = delayLost;
    }

    void loadDelayed(Runnable done) {
        page(0, LOWEST, done);
    }

    private void page(long behindMs, UUID behindId, Runnable done) {
        process.ask(POSTGRES, Timing.STATEMENT_MS,
                () -> world.postgres().findDueJobs(Timing.LOOK_AHEAD_MS, behindMs, behindId, Timing.PER_STEP), page -> {
                    if (page.isEmpty()) {
                        done.run();
                        return;
                    }
                    Map<Member, Long> due = new LinkedHashMap<>();
                    page.forEach(job -> due.put(new Member(job.priority(), job.id()), job.runAtMs()));
                    Due last = page.get(page.size() - 1);
                    process.call(REDIS, Timing.COMMAND_MS, () -> world.redis().delayJobs(due),
                            next -> page(last.runAtMs(), last.id(), done), () -> {
                                delayLost.run();
                                done.run();
                            });
                }, done);
    }
}
