package io.millrace.model;

import static io.millrace.model.Network.Server.POSTGRES;
import static io.millrace.model.Network.Server.REDIS;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

import io.millrace.job.Priority;
import io.millrace.model.ModelRedis.Member;

/** Puts ready jobs that are on no stream onto one: what {@code Relay} does. */
final class ModelRelay extends ModelProcess {
    private final ModelWindow window;
    private final Map<Priority, UUID> cameTo = new EnumMap<>(Priority.class);

    ModelRelay(World world, String name) {
        super(world, name, Fault.OTHER_CRASH);
        window = new ModelWindow(world.simulation());
    }

    @Override
    void start() {
        repeat(Timing.RELAY_EVERY_MS, done -> {
            cameTo.clear();
            round(done);
        });
    }

    private void round(Runnable done) {
        ask(POSTGRES, Timing.STATEMENT_MS, () -> world.postgres().findWaitingQueues(), isWaiting -> {
            if (!isWaiting) {
                done.run();
            } else if (window.isToBeMeasured()) {
                ask(REDIS, Timing.COMMAND_MS, () -> world.redis().appendJobs(List.of()), lengths -> {
                    window.observe(lengths);
                    step(0, 0, done);
                }, done);
            } else {
                step(0, 0, done);
            }
        }, done);
    }

    /** One priority after the other; then another round, if this one has sent anything. */
    private void step(int code, int sent, Runnable done) {
        if (code == Priority.values().length) {
            (sent > 0 ? (Runnable) () -> round(done) : done).run();
            return;
        }
        Priority priority = Priority.ofCode(code);
        int most = Math.min(Timing.PER_STEP, window.room(priority));
        if (most == 0) {
            step(code + 1, sent, done);
            return;
        }
        call(POSTGRES, Timing.STATEMENT_MS, () -> world.postgres().relayJobs(priority, most, cameTo.get(priority)), ids -> {
            if (ids.isEmpty()) {
                step(code + 1, sent, done);
            } else {
                cameTo.put(priority, ids.get(ids.size() - 1));
                send(priority, ids, () -> step(code + 1, sent + ids.size(), done), done);
            }
        }, done);
    }

    private void send(Priority priority, List<UUID> ids, Runnable next, Runnable done) {
        List<Member> members = ids.stream().map(id -> new Member(priority, id)).toList();
        call(REDIS, Timing.COMMAND_MS, () -> world.redis().appendJobs(members), lengths -> {
            window.observe(lengths);
            next.run();
        }, () -> call(POSTGRES, Timing.STATEMENT_MS, () -> world.postgres().undispatchJobs(ids), count -> done.run(), done));
    }
}
