package io.millrace.api.compat;

import java.util.UUID;

/** Job ids in paths. */
final class CompatIds {
    private CompatIds() {}

    /** What is no id at all names no job either. */
    static UUID parse(String text) {
        try {
            return UUID.fromString(text);
        } catch (IllegalArgumentException notAnId) {
            throw CompatError.noSuchJob();
        }
    }
}
