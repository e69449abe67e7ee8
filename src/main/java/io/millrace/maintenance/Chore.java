package io.millrace.maintenance;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

import org.jboss.logging.Logger;

import io.smallrye.mutiny.Uni;

/** A background duty of this process. Two of its passes never overlap, and one that fails is only a pass that failed. */
final class Chore {
    private static final Logger LOG = Logger.getLogger(Chore.class);

    /** Each step of a pass has its own limit; a pass that always finds more to do starts anew after this. */
    private static final Duration LONGEST_PASS = Duration.ofMinutes(5);

    private final String name;
    private final Supplier<Uni<Integer>> pass;
    private final AtomicBoolean isUnderWay = new AtomicBoolean();

    /** @param pass does one and says how many things it did */
    Chore(String name, Supplier<Uni<Integer>> pass) {
        this.name = name;
        this.pass = pass;
    }

    /** @return completes with the end of the pass, whatever it is: true; false, at once, if another is under way */
    Uni<Boolean> runOnce() {
        return Uni.createFrom().deferred(() -> isUnderWay.compareAndSet(false, true)
                ? bounded().onTermination().invoke(() -> isUnderWay.set(false)).replaceWith(true)
                : Uni.createFrom().item(false));
    }

    private Uni<Integer> bounded() {
        return Uni.createFrom().deferred(pass::get).ifNoItem().after(LONGEST_PASS).fail()
                .invoke(count -> LOG.debugf("%s: %d jobs", name, count))
                .onFailure()
                .invoke(failure -> LOG.warnf("the %s failed, it will be tried again: %s", name, failure.getMessage()))
                .onFailure().recoverWithItem(0);
    }
}
