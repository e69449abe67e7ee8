package io.millrace.app;

/** Why the process cannot start, in one line that says what to do. */
final class StartFailure extends RuntimeException {
    private final int exitCode;
    private final boolean mayPass;

    private StartFailure(int exitCode, boolean mayPass, String message) {
        super(message);
        this.exitCode = exitCode;
        this.mayPass = mayPass;
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
