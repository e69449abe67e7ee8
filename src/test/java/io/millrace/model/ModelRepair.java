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
 * The chores of a worker that look after its streams: what {@code Reclaimer}, {@code Reconciler} and {@code ConsumerJanitor} do.
 */
final class ModelRepair {
    private final ModelProcess process;
    private final World world;
    private final IntSupplier freeSlots;
    private final Consumer<Entry> redeliver;
    private String incarnation;
    private boolean isInAHurry;

    ModelRepair(ModelProcess process, World world, IntSupplier freeSlots, Consumer<Entry> redeliver) {
        this.process = process;
        this.world = world;
        this.freeSlots = freeSlots;
        this.redeliver = redeliver;
    }

    void start() {
        process.repeat(Timing.RECLAIM_EVERY_MS, done -> sweep(0, null, done));
        process.repeat(Timing.TRIM_EVERY_MS, done -> trim(0, done));
        if (world.conditions().isReconcilerOn()) {
            process.repeat(Timing.RECONCILE_EVERY_MS, this::reconcile);
        }
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
                    isInAHurry |= sweep.deletedCount() > 0;
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

    private void reconcile(Runnable done) {
        String fresh = world.newId().toString();
        process.ask(REDIS, Timing.COMMAND_MS, () -> world.redis().watermark(fresh),
                watermark -> reconcile(0, watermark, chooseMarginMs(watermark), done), done);
    }

    private long chooseMarginMs(Watermark watermark) {
        boolean hasForgotten = watermark.incarnation() == null
                || (incarnation != null && !watermark.incarnation().equals(incarnation));
        incarnation = watermark.incarnation();
        boolean isShort = isInAHurry || hasForgotten;
        isInAHurry = false;
        return isShort ? Timing.SHORT_MARGIN_MS : Timing.RECONCILE_MARGIN_MS;
    }

    private void reconcile(int code, Watermark watermark, long marginMs, Runnable done) {
        if (code == Priority.values().length) {
            done.run();
            return;
        }
        Priority priority = Priority.ofCode(code);
        long oldestMs = watermark.oldestMs().get(priority);
        untilNothing((postgres, most) -> postgres.reconcilePending(priority, oldestMs, marginMs, most),
                () -> untilNothing(
                        (postgres, most) -> postgres.reconcileWaiting(priority, oldestMs, Timing.RECONCILE_MARGIN_MS, most),
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
