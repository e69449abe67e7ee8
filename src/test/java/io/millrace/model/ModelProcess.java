package io.millrace.model;

import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * A process: it can die, or stand still for a while, between any two things it does. What it has sent goes its way all the same.
 */
abstract class ModelProcess {
    private final String name;
    final World world;
    private final Fault crash;
    private boolean isAlive = true;
    private long pausedUntilMs;

    /** @param crash the fault that kills it */
    ModelProcess(World world, String name, Fault crash) {
        this.world = world;
        this.name = name;
        this.crash = crash;
    }

    /** Begins its loops. */
    abstract void start();

    String name() {
        return name;
    }

    boolean isAlive() {
        return isAlive;
    }

    /** It is gone, and so is everything it has not sent. */
    void die() {
        isAlive = false;
    }

    void pauseUntil(long timeMs) {
        pausedUntilMs = Math.max(pausedUntilMs, timeMs);
    }

    long nowMs() {
        return world.simulation().nowMs();
    }

    void after(long delayMs, Runnable action) {
        world.simulation().at(nowMs() + delayMs, () -> resume(action));
    }

    private void resume(Runnable action) {
        if (!isAlive) {
            return;
        }
        if (pausedUntilMs > nowMs()) {
            // In any order: a heartbeat has a thread of its own.
            world.simulation().at(pausedUntilMs + world.simulation().between(0, 50), () -> resume(action));
        } else {
            action.run();
        }
    }

    /** Repeats a pass, the next one some time after the last has ended. Passes that fail must say that they are done, too. */
    void repeat(long everyMs, Consumer<Runnable> pass) {
        after(world.simulation().between(1, everyMs), () -> pass.accept(() -> repeat(everyMs, pass)));
    }

    /** A call in the course of a job: the process may die or stand still right after it has taken place. */
    <T> void call(Network.Server server, long timeoutMs, Supplier<T> step, Consumer<T> answered, Runnable failed) {
        send(server, timeoutMs, () -> {
            T answer = step.get();
            world.faults().betweenCalls(this, crash);
            return answer;
        }, answered, failed);
    }

    /** A call that mostly finds nothing to do. */
    <T> void ask(Network.Server server, long timeoutMs, Supplier<T> step, Consumer<T> answered, Runnable failed) {
        send(server, timeoutMs, step, answered, failed);
    }

    private <T> void send(Network.Server server, long timeoutMs, Supplier<T> step, Consumer<T> answered, Runnable failed) {
        Network.Passage passage = world.network().passage(server);
        long totalMs = passage.outMs() + passage.backMs();
        boolean isAnswered = passage.arrives() && passage.returns() && totalMs <= timeoutMs;
        if (passage.arrives()) {
            world.simulation().at(nowMs() + passage.outMs(), () -> {
                world.trace().actor(name);
                T answer;
                try {
                    answer = step.get();
                } catch (ModelRedis.RefusedException refused) {
                    if (isAnswered) {
                        after(passage.backMs(), failed);
                    }
                    return;
                }
                if (isAnswered) {
                    after(passage.backMs(), () -> answered.accept(answer));
                }
            });
        }
        if (!isAnswered) {
            after(timeoutMs, failed);
        }
    }
}
