package io.millrace.app;

import java.util.Locale;

/** What one process does. */
public enum Mode {
    /** Accepts jobs and answers questions. */
    API,
    /** Runs jobs, and the chores that keep them moving. */
    WORKER,
    /** Both. */
    ALL;

    public boolean serves() {
        return this != WORKER;
    }

    public boolean works() {
        return this != API;
    }

    /** @throws StartFailure if there is no such mode */
    static Mode named(String name) {
        for (Mode mode : values()) {
            if (mode.name().equalsIgnoreCase(name)) {
                return mode;
            }
        }
        throw StartFailure.usage("MILLRACE_MODE is '" + name + "': set it to api, worker or all");
    }

    String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
