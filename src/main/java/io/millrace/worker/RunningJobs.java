package io.millrace.worker;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import jakarta.inject.Singleton;

import io.millrace.handler.Cancellation;
import io.millrace.job.Lease;
import io.millrace.stream.StreamEntry;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;

/** Every job whose lease this process holds. */
@Singleton
public class RunningJobs {
    private final Map<Lease, RunningJob> byLease = new ConcurrentHashMap<>();
    private final List<UniEmitter<? super Void>> emptyListeners = new ArrayList<>();

    void add(RunningJob running) {
        byLease.put(running.job().lease(), running);
    }

    void remove(RunningJob running) {
        byLease.remove(running.job().lease());
        if (byLease.isEmpty()) {
            announceEmpty();
        }
    }

    public int count() {
        return byLease.size();
    }

    Collection<RunningJob> all() {
        return byLease.values();
    }

    /** @return true if a job runs here for this very entry */
    boolean holds(StreamEntry entry) {
        return byLease.values().stream().anyMatch(job -> job.entries().contains(entry));
    }

    void cancelAll(Cancellation.Cause cause) {
        byLease.values().forEach(running -> running.cancellation().request(cause));
    }

    /** Completes when no job runs and every end is recorded. */
    Uni<Void> empty() {
        return Uni.createFrom().emitter(emitter -> {
            synchronized (emptyListeners) {
                emptyListeners.add(emitter);
            }
            if (byLease.isEmpty()) {
                announceEmpty();
            }
        });
    }

    private void announceEmpty() {
        List<UniEmitter<? super Void>> toTell;
        synchronized (emptyListeners) {
            toTell = List.copyOf(emptyListeners);
            emptyListeners.clear();
        }
        toTell.forEach(emitter -> emitter.complete(null));
    }
}
