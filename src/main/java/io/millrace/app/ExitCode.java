package io.millrace.app;

/** What the end of the process says to whoever started it. {@code docs/settings.md} lists the codes. */
final class ExitCode {
    /** The settings may be right, but something they name does not answer, or the application failed to start. */
    static final int ENVIRONMENT = 1;
    /** The settings are wrong. */
    static final int USAGE = 2;
    /** Stopped in order, but some jobs were neither finished nor handed back: they run again when their leases have run out. */
    static final int JOBS_LEFT = 3;
    /** This process can read its queues no more, though Redis answers: another one may. */
    static final int HOPELESS = 4;

    private ExitCode() {}
}
