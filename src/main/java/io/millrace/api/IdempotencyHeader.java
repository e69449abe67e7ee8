package io.millrace.api;

import java.util.List;

import io.millrace.job.JobKeys;

/** The header {@code Idempotency-Key}. */
final class IdempotencyHeader {
    static final String NAME = "Idempotency-Key";
    /** Of an answer that was given before. */
    static final String REPLAYED = "Idempotency-Replayed";
    private static final String PATH = "header " + NAME;

    private IdempotencyHeader() {}

    /**
     * @param values of all headers of this name
     * @return null if there is none; without the double quotes that the draft of the RFC puts around it
     */
    static String read(List<String> values) {
        if (values == null || values.isEmpty()) {
            return null;
        }
        String value = values.get(0).strip();
        boolean isQuoted = value.length() > 1 && value.startsWith("\"") && value.endsWith("\"");
        String key = isQuoted ? value.substring(1, value.length() - 1) : value;
        if (values.size() > 1) {
            throw refused("duplicate", "is there " + values.size() + " times");
        }
        if (!JobKeys.KEY.matcher(key).matches()) {
            throw refused("invalid-key", "must be 1 to 255 visible ASCII characters");
        }
        return key;
    }

    /** One key for many jobs would make them one. */
    static void refuseForMany(List<String> values) {
        if (values != null && !values.isEmpty()) {
            throw refused("not-for-bulk", "is for one job; give each job its own as idempotencyKey");
        }
    }

    private static ProblemException refused(String code, String message) {
        return ProblemException.invalid(List.of(new Problem.FieldError(PATH, code, message)));
    }
}
