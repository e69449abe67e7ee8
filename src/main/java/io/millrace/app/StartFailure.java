package io.millrace.app;

/** Why the process cannot start, in one line that says what to do. */
final class StartFailure extends RuntimeException {
    private final int exitCode;

    private StartFailure(int exitCode, String message) {
        super(message);
        this.exitCode = exitCode;
    }

    /** The settings are wrong. */
    static StartFailure usage(String message) {
        return new StartFailure(ExitCode.USAGE, message);
    }

    /** The settings may be right, but something they name does not answer. */
    static StartFailure environment(String message) {
        return new StartFailure(ExitCode.ENVIRONMENT, message);
    }

    int exitCode() {
        return exitCode;
    }
}
