package io.millrace.job;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** Within one queue, a job of a higher priority is read first. */
public enum Priority {
    HIGH, NORMAL, LOW;

    private static final Priority[] BY_CODE = values();

    /** @return the value of the column {@code job.priority}: the smaller, the sooner */
    public int code() {
        return ordinal();
    }

    /** @throws IllegalArgumentException if no priority has that code */
    public static Priority ofCode(int code) {
        if (code < 0 || code >= BY_CODE.length) {
            throw new IllegalArgumentException("no priority has the code " + code);
        }
        return BY_CODE[code];
    }

    /** @return high, normal or low, as the API and the stream keys spell it */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Optional<Priority> labelled(String label) {
        return Arrays.stream(BY_CODE).filter(priority -> priority.label().equals(label)).findFirst();
    }
}
