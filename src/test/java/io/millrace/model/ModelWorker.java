package io.millrace.model;

import static io.millrace.model.Network.Server.POSTGRES;
import static io.millrace.model.Network.Server.REDIS;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

import io.millrace.handler.Cancellation;
import io.millrace.job.Backoff;
import io.millrace.job.ClaimedJob;
import io.millrace.job.Lease;
import io.millrace.job.Outcome;
import io.millrace.job.Priority;
import io.millrace.job.Settlement;
import io.millrace.model.ModelRedis.Entry;
import io.millrace.model.ModelRedis.EntryId;
import io.millrace.store.JobStore.Standing;
import io.millrace.stream.StreamEntry;
import io.millrace.worker.ClaimRules;
import io.millrace.worker.Isolation;

/**
 * A worker process: reads, claims, runs, keeps its leases, drains. What {@code Reader}, {@code Claimer}, {@code Runner},
 * {@code Heartbeat} and {@code Worker} do, with the real decisions of {@code Claimer} and {@code SettlementPolicy}.
 */
final class ModelWorker extends ModelProcess {

    private static final class Running {
        private final ClaimedJob job;
        private final List<Entry> entries;
        private final Runnable onHandlerDone;
        private long confirmedMs;
        private boolean isHandlerOver;
        private boolean isLeaseLost;

        Running(ClaimedJob job, List<Entry> entries, long confirmedMs, Runnable onHandlerDone) {
            this.job = job;
            this.entries = entries;
            this.confirmedMs = confirmedMs;
            this.onHandlerDone = onHandlerDone;
        }
    }

    private static final long FIRST_PAUSE_MS = 100;
    private static final long LONGEST_PAUSE_MS = 5_000;
    private static final int ALL_PRIORITIES = Priority.values().length;

    private final ModelSettler settler;
    private final ModelCrew crew;
    private final Map<Lease, Running> running = new LinkedHashMap<>();
    private int takenSlots;
    private boolean isAwaitingSlot;
    private final Isolation isolation;
    private boolean isConnected;
    private boolean isBack;
    private int pendingPriority = ALL_PRIORITIES;
    private EntryId pendingAfter;
    private boolean isBeating;
    private boolean isDraining;
    private long readPauseMs = FIRST_PAUSE_MS;

    ModelWorker(World world, String name) {
        super(world, name, Fault.WORKER_CRASH);
        settler = new ModelSettler(this, world, this::hurry);
        isolation = new Isolation(Duration.ofMillis(Timing.PROBATION_MS), world.simulation()::fraction);
        crew = new ModelCrew(this, world, () -> isDraining ? 0 : Timing.SLOTS - takenSlots, this::redeliver);
    }

    @Override
    void start() {
        poll();
        beat();
        crew.start();
    }

    private void hurry() {
        crew.hurry();
    }

    // Read.

    private void poll() {
        if (isDraining) {
            return;
        }
        int most = Timing.SLOTS - takenSlots;
        if (most == 0) {
            isAwaitingSlot = true;
        } else if (!isConnected) {
            ask(REDIS, Timing.COMMAND_MS, () -> {
                world.redis().createGroups();
                return null;
            }, created -> {
                isConnected = true;
                poll();
            }, this::reconnect);
        } else if (pendingPriority < ALL_PRIORITIES) {
            takenSlots += most;
            readPending(most);
        } else {
            takenSlots += most;
            readNew(most);
        }
    }

    private void readNew(int taken) {
        ask(REDIS, Timing.COMMAND_MS, () -> world.redis().readEntries(name(), taken), entries -> {
            startRead(taken, entries);
            if (entries.isEmpty() && !isDraining) {
                after(world.simulation().between(1, Timing.READ_BLOCK_MS), this::awaitNew);
            } else {
                poll();
            }
        }, () -> {
            giveBack(taken);
            reconnect();
        });
    }

    /** After a failed read: what was delivered to this process before, page by page, without what runs here. */
    private void readPending(int taken) {
        Priority priority = Priority.ofCode(pendingPriority);
        EntryId pageAfter = pendingAfter;
        ask(REDIS, Timing.COMMAND_MS, () -> world.redis().readPending(priority, name(), pageAfter, taken), page -> {
            pendingAfter = page.last();
            pendingPriority += page.last() == null ? 1 : 0;
            if (isBack || page.deletedCount() > 0) {
                isBack = false;
                crew.hurry();
            }
            startRead(taken, page.entries().stream().filter(entry -> !isRunning(entry)).toList());
            poll();
        }, () -> {
            giveBack(taken);
            reconnect();
        });
    }

    private boolean isRunning(Entry entry) {
        return running.values().stream().anyMatch(job -> job.entries.contains(entry));
    }

    private void startRead(int taken, List<Entry> entries) {
        readPauseMs = FIRST_PAUSE_MS;
        giveBack(taken - entries.size());
        claim(entries, false);
    }

    /** The end of a blocking read, which holds no slot. */
    private void awaitNew() {
        ask(REDIS, Timing.COMMAND_MS, () -> world.redis().awaitNew(name()), entries -> {
            List<Entry> startable = new ArrayList<>();
            for (Entry entry : entries) {
                if (!isDraining && takenSlots < Timing.SLOTS) {
                    takenSlots++;
                    startable.add(entry);
                } else {
                    settler.handBack(entry);
                }
            }
            readPauseMs = FIRST_PAUSE_MS;
            claim(startable, false);
            poll();
        }, this::reconnect);
    }

    private void reconnect() {
        isConnected = false;
        isBack = true;
        pendingPriority = 0;
        pendingAfter = null;
        after(readPauseMs, this::poll);
        readPauseMs = Math.min(LONGEST_PAUSE_MS, readPauseMs * 2);
    }

    /** For an entry that a sweep took over from somebody. */
    private void redeliver(Entry entry) {
        if (!isDraining && takenSlots < Timing.SLOTS) {
            takenSlots++;
            claim(List.of(entry), true);
        }
    }

    private void giveBack(int slots) {
        takenSlots -= slots;
        if (isAwaitingSlot && slots > 0) {
            isAwaitingSlot = false;
            after(0, this::poll);
        }
    }

    // Claim.

    /** Each entry holds a slot. @param isStuck it was taken over from somebody, whose lease may have run out */
    private void claim(List<Entry> entries, boolean isStuck) {
        if (!entries.isEmpty()) {
            Map<UUID, List<Entry>> byJob = new LinkedHashMap<>();
            entries.forEach(entry -> byJob.computeIfAbsent(entry.jobId(), id -> new ArrayList<>()).add(entry));
            claim(entries.size(), byJob, isStuck, world.newId(), nowMs(), 50);
        }
    }

    /** A repeat uses the same lease id: if only the answer was lost, it returns the jobs that were taken. */
    private void claim(int slots, Map<UUID, List<Entry>> byJob, boolean isStuck, UUID leaseId, long sentMs, long pauseMs) {
        call(POSTGRES, Timing.STATEMENT_MS, () -> isStuck
                ? world.postgres().claimStuckJobs(byJob.keySet(), leaseId, name(), Timing.LEASE_MS,
                        world.conditions().lostLimit())
                : world.postgres().claimJobs(byJob.keySet(), leaseId, name(), Timing.LEASE_MS), claimed -> {
                    refuseOthers(byJob, claimed.keySet());
                    giveBack(slots - claimed.size());
                    claimed.values().forEach(job -> startHere(job, byJob.get(job.id()), sentMs));
                }, () -> {
                    if (nowMs() - sentMs > Timing.CLAIM_PATIENCE_MS) {
                        giveBack(slots);
                    } else {
                        after(pauseMs, () -> claim(slots, byJob, isStuck, leaseId, sentMs, Math.min(1_000, pauseMs * 2)));
                    }
                });
    }

    private void refuseOthers(Map<UUID, List<Entry>> byJob, Set<UUID> claimed) {
        Set<UUID> refused = new LinkedHashSet<>(byJob.keySet());
        refused.removeAll(claimed);
        if (!refused.isEmpty()) {
            call(POSTGRES, Timing.STATEMENT_MS, () -> world.postgres().lookUpJobs(refused),
                    standings -> refused.forEach(id -> byJob.get(id).forEach(entry -> refuse(entry, standings.get(id)))),
                    () -> {});
        }
    }

    private void refuse(Entry entry, Standing standing) {
        if (is(Mutant.UNNEEDED_ENTRIES_LEFT) && (standing == null || standing.state().isTerminal())) {
            return;
        }
        ClaimRules.decide(standing == null ? null : standing.state(), () -> settler.drop(entry),
                () -> settler.park(entry, parkedUntilMs(entry, standing)), () -> {},
                () -> call(REDIS, Timing.COMMAND_MS, () -> {
                    world.redis().dropUnknown(entry.priority(), Timing.UNKNOWN_AFTER_MS, List.of(entry.id()));
                    return null;
                }, dropped -> {}, () -> {}));
    }

    private long parkedUntilMs(Entry entry, Standing standing) {
        StreamEntry real = new StreamEntry("default", entry.priority(), entry.id().ms() + "-" + entry.id().sequence(),
                entry.jobId());
        return is(Mutant.PARKED_UNTIL_DUE) ? standing.dueEpochMs() : ClaimRules.parkedUntil(real, standing);
    }

    // Run.

    /** A job whose workers died may be what killed them: one that would be given up for it at a time. */
    private void startHere(ClaimedJob job, List<Entry> entries, long sentMs) {
        if (!ClaimRules.isOnItsLastChance(job, world.conditions().lostLimit())) {
            run(new Running(job, entries, sentMs, () -> giveBack(1)));
            return;
        }
        int place = isolation.enter(nowNanos());
        if (place == Isolation.TAKEN) {
            Running putOff = new Running(job, entries, sentMs, () -> {});
            running.put(job.lease(), putOff);
            giveBack(1);
            settle(putOff, new Settlement.Postpone(isolation.pause(nowNanos())));
            return;
        }
        run(new Running(job, entries, sentMs, () -> {
            isolation.leave(place, nowNanos());
            giveBack(1);
        }));
    }

    private long nowNanos() {
        return nowMs() * 1_000_000;
    }

    private void run(Running job) {
        running.put(job.job.lease(), job);
        if (job.job.isCancelRequested()) {
            end(job, new Settlement.Cancel());
        } else if (is(Mutant.GUARD_BEFORE_EFFECT)) {
            call(REDIS, Timing.COMMAND_MS, () -> world.redis().setGuard(job.job.id()), isNew -> {
                if (isNew) {
                    work(job);
                } else {
                    handlerSays(job, new Outcome.Success(null));
                }
            }, () -> work(job));
        } else {
            work(job);
        }
    }

    private void work(Running job) {
        Plan plan = Plan.valueOf(job.job.payload());
        after(plan.workMs(world.simulation()), () -> {
            if (job.isHandlerOver) {
                return;
            }
            if (plan == Plan.POISON) {
                world.kill(this);
                return;
            }
            Outcome outcome = plan.outcome(job.job);
            if (outcome instanceof Outcome.Success) {
                world.trace().actor(name());
                world.invariants().effect(job.job.lease(), world.postgres().row(job.job.id()));
            }
            if (world.simulation().isChance(0.5)) { // with no moment in between at which a heartbeat could stop it
                handlerSays(job, outcome);
            } else {
                after(world.simulation().between(0, 300), () -> handlerSays(job, outcome));
            }
        });
    }

    private void handlerSays(Running job, Outcome outcome) {
        end(job, world.policy().decide(job.job, Backoff.DEFAULT, outcome));
    }

    private void stop(Running job, Cancellation.Cause cause) {
        switch (cause) {
            case CANCELLED -> end(job, new Settlement.Cancel());
            case SHUTDOWN -> end(job, new Settlement.Release());
            case LEASE_LOST -> end(job, null);
            case TIMED_OUT -> throw new IllegalArgumentException("the model has no timeouts");
        }
    }

    /** @param settlement null to record nothing. The first end of an attempt counts. */
    private void end(Running job, Settlement settlement) {
        if (job.isHandlerOver) {
            return;
        }
        job.isHandlerOver = true;
        job.onHandlerDone.run();
        if (settlement == null) {
            running.remove(job.job.lease());
        } else {
            settle(job, settlement);
        }
    }

    private void settle(Running job, Settlement settlement) {
        settler.settle(job.job, job.entries, settlement, () -> !job.isLeaseLost, () -> running.remove(job.job.lease()));
    }

    // Keep the leases.

    private void beat() {
        after(Timing.HEARTBEAT_MS / 2, this::beat);
        for (Running job : List.copyOf(running.values())) {
            if (nowMs() - job.confirmedMs > Timing.STOP_AFTER_MS) {
                loseLease(job);
            }
        }
        List<Running> due = running.values().stream()
                .filter(job -> !job.isLeaseLost && nowMs() - job.confirmedMs >= Timing.HEARTBEAT_MS / 2).toList();
        if (isBeating || due.isEmpty()) {
            return;
        }
        isBeating = true;
        long sentMs = nowMs();
        call(POSTGRES, Timing.HEARTBEAT_MS,
                () -> world.postgres().renewLeases(due.stream().map(job -> job.job.lease()).toList(), Timing.LEASE_MS),
                held -> {
                    due.forEach(job -> answer(job, held.get(job.job.lease()), sentMs));
                    renewEntries(due.stream().filter(job -> held.containsKey(job.job.lease())).toList());
                    isBeating = false;
                }, () -> isBeating = false);
    }

    /** @param shouldStop null if the lease is lost */
    private void answer(Running job, Boolean shouldStop, long sentMs) {
        if (shouldStop == null && !is(Mutant.REFUSED_BEAT_IGNORED)) {
            loseLease(job);
            return;
        }
        job.confirmedMs = sentMs;
        if (Boolean.TRUE.equals(shouldStop)) {
            stop(job, Cancellation.Cause.CANCELLED);
        }
    }

    private void loseLease(Running job) {
        job.isLeaseLost = true;
        stop(job, Cancellation.Cause.LEASE_LOST);
    }

    private void renewEntries(List<Running> held) {
        for (Priority priority : Priority.values()) {
            List<ModelRedis.EntryId> ids = held.stream().flatMap(job -> job.entries.stream())
                    .filter(entry -> entry.priority() == priority).map(Entry::id).toList();
            if (!ids.isEmpty()) {
                call(REDIS, Timing.COMMAND_MS, () -> {
                    world.redis().renewEntries(priority, name(), ids);
                    return null;
                }, renewed -> {}, () -> {});
            }
        }
    }

    // Drain.

    /** Reads no more, lets jobs finish for a while, hands back the rest, and ends. */
    void drain() {
        isDraining = true;
        crew.stop();
        after(Timing.DRAIN_MS, () -> {
            List.copyOf(running.values()).forEach(job -> stop(job, Cancellation.Cause.SHUTDOWN));
            after(Timing.LAST_WRITES_MS, () -> world.kill(this));
        });
    }

    boolean isDraining() {
        return isDraining;
    }

    private boolean is(Mutant mutant) {
        return world.conditions().mutant() == mutant;
    }
}
