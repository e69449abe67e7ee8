package io.millrace.model;

import static io.millrace.model.Network.Server.POSTGRES;
import static io.millrace.model.Network.Server.REDIS;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.BooleanSupplier;

import io.millrace.job.ClaimedJob;
import io.millrace.job.Lease;
import io.millrace.job.Priority;
import io.millrace.job.Settlement;
import io.millrace.model.ModelPostgres.Recorded;
import io.millrace.model.ModelRedis.Entry;
import io.millrace.model.ModelRedis.Member;
import io.millrace.model.ModelRedis.Retried;
import io.millrace.store.JobStore.Standing;

/** Records how attempts ended and acknowledges their entries: what {@code Settler} and {@code Acknowledger} do. */
final class ModelSettler {
    private static final long FIRST_PAUSE_MS = 100;
    private static final long LONGEST_PAUSE_MS = 2_000;

    private enum Kind {
        DONE, RETRIED, FAILED, HANDED_BACK
    }

    private record Ack(Entry entry, Kind kind, long dueMs) {}

    private record Target(Priority priority, Kind kind) {}

    private final ModelProcess process;
    private final World world;
    private final Runnable delayLost;
    private List<Ack> waiting = new ArrayList<>();
    private int underWay;

    /** @param delayLost called when jobs may be missing in the delayed set */
    ModelSettler(ModelProcess process, World world, Runnable delayLost) {
        this.process = process;
        this.world = world;
        this.delayLost = delayLost;
    }

    /** @param over when the end is recorded, or the lease known to be lost */
    void settle(ClaimedJob job, List<Entry> entries, Settlement settlement, BooleanSupplier isHeld, Runnable over) {
        if (is(Mutant.ACKNOWLEDGE_BEFORE_SETTLE)) {
            entries.forEach(entry -> process.call(REDIS, Timing.COMMAND_MS, () -> done(entry.priority(), List.of(entry)),
                    done -> record(job, entries, settlement, isHeld, over, FIRST_PAUSE_MS),
                    () -> record(job, entries, settlement, isHeld, over, FIRST_PAUSE_MS)));
        } else {
            record(job, entries, settlement, isHeld, over, FIRST_PAUSE_MS);
        }
    }

    private void record(ClaimedJob job, List<Entry> entries, Settlement settlement, BooleanSupplier isHeld, Runnable over,
            long pauseMs) {
        Runnable again = () -> process.after(pauseMs, () -> {
            if (isHeld.getAsBoolean()) {
                record(job, entries, settlement, isHeld, over, Math.min(LONGEST_PAUSE_MS, pauseMs * 2));
            } else {
                over.run();
            }
        });
        process.call(POSTGRES, Timing.STATEMENT_MS, () -> write(job.lease(), settlement), recorded -> {
            if (recorded != null) {
                acknowledge(entries, settlement, recorded.dueMs());
                over.run();
            } else {
                lookForIt(job.lease(), entries, settlement, over, again);
            }
        }, again);
    }

    private Recorded write(Lease lease, Settlement settlement) {
        ModelPostgres postgres = world.postgres();
        if (settlement instanceof Settlement.Complete) {
            return postgres.settleComplete(lease);
        } else if (settlement instanceof Settlement.RetryAfter retry) {
            return postgres.settleRetry(lease, retry.delay().toMillis());
        } else if (settlement instanceof Settlement.Postpone postpone) {
            return postgres.settlePostpone(lease, postpone.delay().toMillis());
        } else if (settlement instanceof Settlement.DeadLetter deadLetter) {
            return postgres.settleDeadLetter(lease, deadLetter.failure().reason());
        } else if (settlement instanceof Settlement.Release) {
            return postgres.settleRelease(lease);
        } else if (settlement instanceof Settlement.Cancel) {
            return postgres.settleCancel(lease);
        }
        throw new IllegalArgumentException("the model knows no " + settlement);
    }

    /** Not recorded, or recorded by an earlier try whose answer was lost. */
    private void lookForIt(Lease lease, List<Entry> entries, Settlement settlement, Runnable over, Runnable again) {
        UUID id = lease.jobId();
        process.call(POSTGRES, Timing.STATEMENT_MS, () -> world.postgres().lookUpJobs(List.of(id)), standings -> {
            Standing standing = standings.get(id);
            if (standing != null && standing.epoch() == lease.epoch() && standing.state() == settlement.transition().to()) {
                acknowledge(entries, settlement, standing.dueEpochMs());
            } else {
                world.faults().afterARefusedRecord(id);
                if (is(Mutant.ACKNOWLEDGE_UNRECORDED)) {
                    entries.forEach(this::drop);
                }
            }
            over.run();
        }, again);
    }

    private void acknowledge(List<Entry> entries, Settlement settlement, long dueMs) {
        for (Entry entry : entries) {
            if (settlement instanceof Settlement.RetryAfter || settlement instanceof Settlement.Postpone) {
                submit(new Ack(entry, is(Mutant.DEAD_LETTER_ON_RETRY) ? Kind.FAILED : Kind.RETRIED, dueMs));
            } else if (settlement instanceof Settlement.DeadLetter) {
                submit(new Ack(entry, Kind.FAILED, 0));
            } else if (settlement instanceof Settlement.Release) {
                handBack(entry);
            } else {
                drop(entry);
            }
        }
    }

    void drop(Entry entry) {
        submit(new Ack(entry, Kind.DONE, 0));
    }

    void park(Entry entry, long dueMs) {
        submit(new Ack(entry, Kind.RETRIED, dueMs));
    }

    void handBack(Entry entry) {
        submit(new Ack(entry, Kind.HANDED_BACK, 0));
    }

    /** One flush is under way, what comes meanwhile forms the next. */
    private void submit(Ack ack) {
        waiting.add(ack);
        if (underWay == 0) {
            flush();
        }
    }

    private void flush() {
        if (waiting.isEmpty()) {
            return;
        }
        Map<Target, List<Ack>> byTarget = new LinkedHashMap<>();
        waiting.forEach(ack -> byTarget
                .computeIfAbsent(new Target(ack.entry().priority(), ack.kind()), target -> new ArrayList<>()).add(ack));
        waiting = new ArrayList<>();
        underWay = byTarget.size();
        Runnable flushed = () -> {
            underWay--;
            if (underWay == 0) {
                flush();
            }
        };
        byTarget.forEach((target, acks) -> send(target, acks, flushed));
    }

    private void send(Target target, List<Ack> acks, Runnable flushed) {
        Priority priority = target.priority();
        List<Entry> entries = acks.stream().map(Ack::entry).toList();
        if (target.kind() == Kind.RETRIED && is(Mutant.RETRY_IN_TWO_COMMANDS)) {
            Map<Member, Long> due = new LinkedHashMap<>();
            acks.forEach(ack -> due.put(new Member(priority, ack.entry().jobId()), ack.dueMs()));
            process.call(REDIS, Timing.COMMAND_MS, () -> done(priority, entries),
                    done -> process.call(REDIS, Timing.COMMAND_MS, () -> world.redis().delayJobs(due), next -> flushed.run(),
                            flushed),
                    flushed);
            return;
        }
        process.call(REDIS, Timing.COMMAND_MS, () -> switch (target.kind()) {
            case DONE -> done(priority, entries);
            case RETRIED -> world.redis().settleRetry(priority, acks.stream().map(this::retried).toList());
            case FAILED -> {
                world.redis().settleFailed(priority, entries);
                yield null;
            }
            case HANDED_BACK -> {
                world.redis().handBackEntries(priority, process.name(), entries);
                yield null;
            }
        }, done -> flushed.run(), () -> {
            if (target.kind() == Kind.RETRIED) {
                delayLost.run();
            }
            flushed.run();
        });
    }

    private Object done(Priority priority, List<Entry> entries) {
        world.redis().settleDone(priority, entries.stream().map(Entry::id).toList());
        return null;
    }

    private Retried retried(Ack ack) {
        boolean isSoon = ack.dueMs() - process.nowMs() <= Timing.LOOK_AHEAD_MS;
        return new Retried(ack.entry().id(), ack.entry().jobId(), isSoon ? ack.dueMs() : 0);
    }

    private boolean is(Mutant mutant) {
        return world.conditions().mutant() == mutant;
    }
}
