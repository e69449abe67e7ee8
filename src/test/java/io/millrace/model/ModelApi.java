package io.millrace.model;

import static io.millrace.model.Network.Server.POSTGRES;
import static io.millrace.model.Network.Server.REDIS;

import java.util.List;
import java.util.Map;

import io.millrace.job.JobState;
import io.millrace.model.ModelRedis.Member;

/** A process that accepts jobs: what {@code Intake} and its {@code Dispatcher} do, and the clients that ask for it. */
final class ModelApi extends ModelProcess {
    private final ModelWindow window;
    private long pausedUntilMs;

    ModelApi(World world, String name) {
        super(world, name, Fault.OTHER_CRASH);
        window = new ModelWindow(world.simulation());
    }

    @Override
    void start() {
        repeat(5_000, this::replayFailed);
    }

    /** PostgreSQL first, Redis second, then the answer. */
    void submit(Order order) {
        boolean dispatch = isOpenFor(order);
        call(POSTGRES, Timing.INSERT_MS, () -> world.postgres().insertJobs(order, dispatch), stored -> {
            Runnable answer = () -> world.invariants().accepted(order.id());
            Member member = new Member(order.priority(), order.id());
            if (stored.state() == JobState.PENDING && dispatch) {
                append(member, answer);
            } else if (stored.state() == JobState.SCHEDULED && order.delayMs() <= Timing.LOOK_AHEAD_MS && !isPaused()) {
                call(REDIS, Timing.APPEND_MS, () -> world.redis().delayJobs(Map.of(member, stored.runAtMs())),
                        next -> answer.run(), () -> {
                            pause();
                            answer.run();
                        });
            } else {
                answer.run();
            }
        }, () -> {});
    }

    private boolean isOpenFor(Order order) {
        if (isPaused()) {
            return false;
        }
        if (window.room(order.priority()) == 0 && window.isToBeMeasured()) {
            ask(REDIS, Timing.COMMAND_MS, () -> world.redis().appendJobs(List.of()), window::observe, () -> {});
        }
        return window.room(order.priority()) > 0;
    }

    private void append(Member member, Runnable done) {
        call(REDIS, Timing.APPEND_MS, () -> world.redis().appendJobs(List.of(member)), lengths -> {
            window.observe(lengths);
            done.run();
        }, () -> {
            pause();
            call(POSTGRES, Timing.STATEMENT_MS, () -> world.postgres().undispatchJobs(List.of(member.jobId())),
                    count -> done.run(), done);
        });
    }

    private boolean isPaused() {
        return nowMs() < pausedUntilMs;
    }

    private void pause() {
        pausedUntilMs = nowMs() + Timing.APPEND_PAUSE_MS;
    }

    void cancel(Order order) {
        call(POSTGRES, Timing.STATEMENT_MS, () -> world.postgres().cancelJob(order.id()), state -> {}, () -> {});
    }

    /**
     * A client that looks for its failed jobs and asks for another run, until one of its requests has worked: at once, or when
     * they are about to be deleted for their age.
     */
    private void replayFailed(Runnable done) {
        ask(POSTGRES, Timing.STATEMENT_MS, () -> world.postgres().rows().stream()
                .filter(row -> !row.isDeleted && row.payload == Plan.FAILS_UNTIL_REPLAYED && row.state == JobState.FAILED)
                .filter(row -> !row.order.isReplayedLate() || row.finishedAt < nowMs() - Timing.KEEP_FAILED_MS + 2_000)
                .map(row -> row.order).toList(), orders -> {
                    orders.forEach(this::replay);
                    done.run();
                }, done);
    }

    private void replay(Order order) {
        call(POSTGRES, Timing.STATEMENT_MS, () -> world.postgres().replayJob(order.id(), Plan.OK, true), isReplayed -> {
            if (isReplayed) {
                append(new Member(order.priority(), order.id()), () -> {});
            }
        }, () -> {});
    }
}
