package io.millrace.maintenance;

import java.time.Duration;

import jakarta.inject.Singleton;

import io.millrace.store.EffectStore;
import io.millrace.store.KeyStore;
import io.smallrye.mutiny.Uni;

/**
 * Deletes idempotency keys and effects whose time is up, in small steps. A key counts as free from that time on, whether its row is
 * still there or not. Safe in any number of processes.
 */
@Singleton
public class KeySweeper {
    private final KeyStore keys;
    private final EffectStore effects;
    private final Duration stepTimeout;
    private final int items;

    KeySweeper(KeyStore keys, EffectStore effects, MaintenanceConfig maintenance, RetentionConfig retention) {
        this.keys = keys;
        this.effects = effects;
        this.stepTimeout = maintenance.stepTimeout();
        this.items = retention.items();
    }

    /** One pass. @return how many rows it deleted */
    public Uni<Integer> deleteExpired() {
        return Passes.untilNothing(stepTimeout, () -> keys.deleteExpired(items))
                .chain(deleted -> Passes.untilNothing(stepTimeout, () -> effects.deleteExpired(items))
                        .map(more -> deleted + more));
    }
}
