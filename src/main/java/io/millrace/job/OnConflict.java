package io.millrace.job;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** What becomes of a job whose unique key belongs to another one that has not ended. */
public enum OnConflict {
    /** The other job is answered, as it is. */
    RETURN,
    /** The job is refused. */
    REJECT,
    /** The other job gets the payload and the options of this one, if no worker runs it; else this one is refused. */
    REPLACE;

    /** As it is written in requests and statements. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Optional<OnConflict> labelled(String label) {
        return Arrays.stream(values()).filter(value -> value.label().equals(label)).findFirst();
    }
}
