package io.millrace.maintenance;

import java.time.Duration;
import java.time.Instant;
import java.util.UUID;

import jakarta.inject.Singleton;

import io.millrace.audit.AuditConfig;
import io.millrace.job.JobIds;
import io.millrace.store.AuditStore;
import io.smallrye.mutiny.Uni;

/** Deletes what is old in the audit log, in small steps. Safe in any number of processes. */
@Singleton
public class AuditSweeper {
    private final AuditStore store;
    private final Duration keep;
    private final Duration stepTimeout;
    private final int items;

    AuditSweeper(AuditStore store, AuditConfig audit, MaintenanceConfig maintenance, RetentionConfig retention) {
        this.store = store;
        this.keep = audit.retention();
        this.stepTimeout = maintenance.stepTimeout();
        this.items = retention.items();
    }

    /** One pass. @return how many rows it deleted */
    public Uni<Integer> deleteOld() {
        UUID lowestKept = JobIds.lowestAt(Instant.now().minus(keep));
        return Passes.untilNothing(stepTimeout, () -> store.deleteOld(lowestKept, items));
    }
}
