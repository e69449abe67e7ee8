package io.millrace.handler;

/**
 * What is wrong with a payload.
 *
 * @param path JSON Pointer within the payload; empty for the payload itself
 * @param code stable, for programs
 * @param message goes on behind the path: {@code must be ...}
 */
public record PayloadFault(String path, String code, String message) {

    @Override
    public String toString() {
        return (path.isEmpty() ? "payload" : path) + " " + message;
    }
}
