package io.millrace.model;

import static io.millrace.model.Network.Server.POSTGRES;
import static io.millrace.model.Network.Server.REDIS;

import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.IntSupplier;

import io.millrace.job.Priority;
import io.millrace.model.ModelRedis.Entry;
import io.millrace.model.ModelRedis.EntryId;
import io.millrace.model.ModelRedis.Watermark;

/**
 * The chores of a worker: what {@code Crew} runs, and {@code Reclaimer}, {@code Reconciler}, {@code DelayedLoader},
 * {@code ConsumerJanitor}, {@code EntryJanitor} and {@code Retention} do. Relay and reaper are processes of their own here, so
 * that they also die between two calls when no worker does.
 */
final class ModelCrew {
    private static final int LOOKS = 2;
    private static final int HURRIED_PASSES = 3;

    /** Two of its passes never overlap. */
    private final class Chore {
        private final Consumer<Runnable> pass;
        private boolean isUnderWay;

        Chore(Consumer<Runnable> pass) {
            this.pass = pass;
        }

        void runOnce(Runnable done) {
            if (isUnderWay || isStopped) {
                done.run();
                return;
            }
            isUnderWay = true;
            pass.accept(() -> {
                isUnderWay = false;
                done.run();
            });
        }
    }

    private final ModelProcess process;
    private final World world;
    private final IntSupplier freeSlots;
    private final Consumer<Entry> redeliver;
    private final Chore load;
    private final Chore reconcile;
    private String incarnation;
    private int hurriedPasses;
    private int looksToTake;
    private boolean isLooking;
    private boolean isStopped;

    ModelCrew(ModelProcess process, World world, IntSupplier freeSlots, Consumer<Entry> redeliver) {
        this.process = process;
        this.world = world;
        this.freeSlots = freeSlots;
        this.redeliver = redeliver;
        this.load = new Chore(new ModelLoader(process, world, this::hurry)::loadDelayed);
        this.reconcile = new Chore(this::reconcile);
    }

    void start() {
        process.repeat(Timing.LOAD_EVERY_MS, load::runOnce);
        process.repeat(Timing.RECLAIM_EVERY_MS, new Chore(done -> sweep(0, null, done))::runOnce);
        process.repeat(Timing.TRIM_EVERY_MS, new Chore(done -> trim(0, done))::runOnce);
        process.repeat(Timing.TRIM_EVERY_MS, new Chore(done -> dropOrphans(0, null, 0, done))::runOnce);
        process.repeat(Timing.RECONCILE_EVERY_MS, reconcile::runOnce);
        process.repeat(Timing.DELETE_EVERY_MS, new Chore(new ModelRetention(process, world)::deleteEnded)::runOnce);
    }

    void stop() {
        isStopped = true;
    }

    /** There is a sign that Redis has forgotten things. */
    void hurry() {
        hurriedPasses = HURRIED_PASSES;
        looksToTake = LOOKS;
        if (!isLooking && !isStopped) {
            look();
        }
    }

    private void look() {
        isLooking = true;
        looksToTake--;
        load.runOnce(() -> {});
        process.after(Timing.LOAD_TO_RECONCILE_MS, () -> reconcile.runOnce(() -> {}));
        process.after(Timing.LOOK_TO_LOOK_MS, () -> {
            isLooking = false;
            if (looksToTake > 0 && !isStopped) {
                look();
            }
        });
    }

    private void sweep(int code, EntryId cursor, Runnable done) {
        if (code == Priority.values().length) {
            done.run();
            return;
        }
        int most = Math.min(Timing.PER_STEP, freeSlots.getAsInt());
        if (most == 0) {
            done.run();
            return;
        }
        process.ask(REDIS, Timing.COMMAND_MS, () -> world.redis().reclaimIdle(Priority.ofCode(code), process.name(),
                Timing.RECLAIM_IDLE_MS, cursor, most), sweep -> {
                    if (sweep.deletedCount() > 0) {
                        hurry();
                    }
                    sweep.entries().forEach(redeliver);
                    sweep(sweep.cursor() == null ? code + 1 : code, sweep.cursor(), done);
                }, () -> sweep(code + 1, null, done));
    }

    private void trim(int code, Runnable done) {
        if (code == Priority.values().length) {
            done.run();
            return;
        }
        process.ask(REDIS, Timing.COMMAND_MS, () -> {
            world.redis().trimConsumers(Priority.ofCode(code), Timing.TRIM_IDLE_MS);
            return null;
        }, trimmed -> trim(code + 1, done), done);
    }

    private void dropOrphans(int code, EntryId cursor, int deleted, Runnable done) {
        if (code == Priority.values().length) {
            if (deleted > 0) {
                hurry();
            }
            done.run();
            return;
        }
        process.ask(REDIS, Timing.COMMAND_MS, () -> world.redis().dropOrphans(Priority.ofCode(code), cursor, Timing.PER_STEP),
                walk -> dropOrphans(walk.cursor() == null ? code + 1 : code, walk.cursor(), deleted + walk.deletedCount(),
                        done),
                done);
    }

    private void reconcile(Runnable done) {
        if (!world.conditions().isReconcilerOn()) {
            done.run();
            return;
        }
        String fresh = world.newId().toString();
        process.ask(REDIS, Timing.COMMAND_MS, () -> world.redis().watermark(fresh),
                watermark -> reconcile(0, watermark, chooseMarginMs(watermark), done), done);
    }

    private long chooseMarginMs(Watermark watermark) {
        boolean hasForgotten = watermark.incarnation() == null
                || (incarnation != null && !watermark.incarnation().equals(incarnation));
        incarnation = watermark.incarnation();
        return hurriedPasses > 0 || hasForgotten ? Timing.SHORT_MARGIN_MS : Timing.RECONCILE_MARGIN_MS;
    }

    private void reconcile(int code, Watermark watermark, long marginMs, Runnable done) {
        if (code == Priority.values().length) {
            hurriedPasses = Math.max(0, hurriedPasses - 1);
            done.run();
            return;
        }
        Priority priority = Priority.ofCode(code);
        long oldestMs = watermark.oldestMs().get(priority);
        untilNothing((postgres, most) -> postgres.reconcilePending(priority, oldestMs, marginMs, most),
                () -> untilNothing(
                        (postgres, most) -> postgres.reconcileWaiting(priority, oldestMs, marginMs, most),
                        () -> reconcile(code + 1, watermark, marginMs, done), done),
                done);
    }

    private void untilNothing(BiFunction<ModelPostgres, Integer, Integer> statement, Runnable next, Runnable failed) {
        process.ask(POSTGRES, Timing.STATEMENT_MS, () -> statement.apply(world.postgres(), Timing.PER_STEP), count -> {
            if (count > 0) {
                untilNothing(statement, next, failed);
            } else {
                next.run();
            }
        }, failed);
    }
}
