package io.millrace.chaos.agent;

/** What happens at an armed {@link Point}, once. */
public enum Action {
    /** The process ends there, as by kill -9. */
    KILL,
    /** The thread stands still for some ms, as in a long garbage collection. */
    PAUSE,
    /** The call fails there. */
    FAIL,
    /** The call is left out, as if it had been forgotten, for some ms; only where nothing is returned. */
    SKIP
}
