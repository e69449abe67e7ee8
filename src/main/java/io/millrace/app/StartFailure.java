package io.millrace.app;

import java.util.stream.Collectors;
import java.util.stream.IntStream;

import io.smallrye.config.ConfigValidationException;

/** Why the process cannot start, in one line that says what to do. */
final class StartFailure extends RuntimeException {
    private final int exitCode;
    private final boolean mayPass;

    private StartFailure(int exitCode, boolean mayPass, String message) {
        super(message);
        this.exitCode = exitCode;
        this.mayPass = mayPass;
    }

    /** What kept the application from starting, with the keys of settings that cannot be used. */
    static StartFailure of(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null && !(root instanceof ConfigValidationException)) {
            root = root.getCause();
        }
        if (root instanceof ConfigValidationException settings) {
            return usage(IntStream.range(0, settings.getProblemCount()).mapToObj(i -> settings.getProblem(i).getMessage())
                    .collect(Collectors.joining("; ")));
        }
        String message = root.getMessage() == null ? root.toString() : root.getMessage();
        return message.startsWith("millrace.") ? usage(message) : environment(root.getClass().getSimpleName() + ": " + message);
    }

    /** The settings are wrong. */
    static StartFailure usage(String message) {
        return new StartFailure(ExitCode.USAGE, false, message);
    }

    /** The settings may be right, but something they name does not answer. */
    static StartFailure environment(String message) {
        return new StartFailure(ExitCode.ENVIRONMENT, false, message);
    }

    /** What the settings name does not answer, and may do so in a moment. */
    static StartFailure unanswered(String message) {
        return new StartFailure(ExitCode.ENVIRONMENT, true, message);
    }

    boolean mayPass() {
        return mayPass;
    }

    int exitCode() {
        return exitCode;
    }
}
