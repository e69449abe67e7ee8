package io.millrace.audit;

import java.time.Clock;
import java.util.OptionalInt;
import java.util.concurrent.atomic.LongAdder;

import jakarta.inject.Singleton;

import org.jboss.logging.Logger;

import io.quarkus.hibernate.reactive.panache.Panache;
import io.smallrye.mutiny.Uni;

/**
 * Writes down who did what. What was done and its row are committed together or not at all, so that no crash leaves the one without
 * the other; a statement of {@code store} does the same by itself, see {@link AuditEntry}.
 */
@Singleton
public class AuditLog {
    private static final Logger LOG = Logger.getLogger(AuditLog.class);

    private final FailureBudget ofAccounts;
    private final FailureBudget ofNobody;
    private final LongAdder leftOut = new LongAdder();

    AuditLog(AuditConfig config) {
        ofAccounts = new FailureBudget(Clock.systemUTC(), config.failuresPerMinute());
        ofNobody = new FailureBudget(Clock.systemUTC(), config.failuresPerMinute());
    }

    /** Within the transaction that is under way ({@code Panache.withTransaction}): if this fails, so does what it tells of. */
    public Uni<Void> write(AuditEntry entry) {
        return AuditRow.of(entry).persistAndFlush().replaceWithVoid();
    }

    /**
     * Writes that somebody failed to get in, in a transaction of its own. A flood cannot fill the table: beyond a number a minute,
     * failures are only counted. Names that nobody has are counted apart, so that they do not push out those that somebody has.
     *
     * @return completes whether it could be written or not: the answer to who failed does not depend on it
     */
    public Uni<Void> writeFailure(AuditEntry entry) {
        OptionalInt before = (entry.actor().tenant() == null ? ofNobody : ofAccounts).take();
        if (before.isEmpty()) {
            leftOut.increment();
            return Uni.createFrom().voidItem();
        }
        AuditEntry told = before.getAsInt() == 0 ? entry : entry.with("leftOutBefore", before.getAsInt());
        return Panache.withTransaction(() -> write(told))
                .onFailure().invoke(failure -> LOG.warnf("a failed %s could not be written to the audit log: %s",
                        entry.action().label(), failure.getMessage()))
                .onFailure().recoverWithNull();
    }

    /** @return how many failures were not written since the start */
    public long leftOutCount() {
        return leftOut.sum();
    }
}
