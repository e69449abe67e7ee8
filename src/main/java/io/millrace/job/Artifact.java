package io.millrace.job;

import java.util.regex.Pattern;

/**
 * A file that a job made, read at {@code GET /v1/jobs/{id}/artifacts/{name}}.
 *
 * @param name 1 to 128 of {@code a-z A-Z 0-9 . _ -}, not starting with a dot; unique within the job
 * @param contentType for example {@code image/png}
 */
public record Artifact(String name, String contentType, byte[] bytes) {
    private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9_-][a-zA-Z0-9._-]{0,127}");

    public Artifact {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("not an artifact name: " + name);
        }
    }
}
