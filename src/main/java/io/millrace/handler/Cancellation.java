package io.millrace.handler;

import java.util.ArrayList;
import java.util.List;

/** Tells a running handler to stop. Fires at most once; safe to use from any thread. */
public final class Cancellation {

    /** Why a running attempt was told to stop, and with it what becomes of the job. */
    public enum Cause {
        /** It ran longer than its timeout: counts as a failed attempt. */
        TIMED_OUT,
        /** Someone cancelled the job. */
        CANCELLED,
        /** Another worker owns the job, or may: nothing of this attempt is recorded. */
        LEASE_LOST,
        /** This process stops: the job goes back, nothing is counted. */
        SHUTDOWN
    }

    private final List<Runnable> listeners = new ArrayList<>();
    private Cause cause;

    /** @return null while the attempt may go on */
    public synchronized Cause cause() {
        return cause;
    }

    public boolean isRequested() {
        return cause() != null;
    }

    /** Runs {@code listener} when the attempt is told to stop, at once if it already was. It must not block or throw. */
    public void onRequest(Runnable listener) {
        synchronized (this) {
            if (cause == null) {
                listeners.add(listener);
                return;
            }
        }
        listener.run();
    }

    /** @return false if it had fired before; the first cause stays */
    public boolean request(Cause why) {
        List<Runnable> toRun;
        synchronized (this) {
            if (cause != null) {
                return false;
            }
            cause = why;
            toRun = List.copyOf(listeners);
            listeners.clear();
        }
        toRun.forEach(Runnable::run);
        return true;
    }
}
