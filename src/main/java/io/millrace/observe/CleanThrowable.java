package io.millrace.observe;

import java.util.Objects;

/** A throwable as it is logged: the same stack trace, and a message that is one line. */
final class CleanThrowable extends Throwable {
    /** Deeper causes are left out; so are those of a chain that bites its tail. */
    private static final int DEEPEST = 20;

    private final String text;

    private CleanThrowable(Throwable original, String text, Throwable cause) {
        super(text, cause, true, true);
        this.text = text;
        setStackTrace(original.getStackTrace());
    }

    /** @return the throwable itself if it needs no cleaning, as most; null for null */
    static Throwable of(Throwable original) {
        return needsCleaning(original, 0) ? copy(original, 0) : original;
    }

    private static boolean needsCleaning(Throwable original, int depth) {
        if (original == null || depth > DEEPEST) {
            return false;
        }
        String text = String.valueOf(original);
        if (!Objects.equals(LogLines.clean(text), text) || needsCleaning(original.getCause(), depth + 1)) {
            return true;
        }
        for (Throwable suppressed : original.getSuppressed()) {
            if (needsCleaning(suppressed, depth + 1)) {
                return true;
            }
        }
        return false;
    }

    private static Throwable copy(Throwable original, int depth) {
        if (original == null || depth > DEEPEST) {
            return null;
        }
        CleanThrowable copy = new CleanThrowable(original, LogLines.clean(String.valueOf(original)),
                copy(original.getCause(), depth + 1));
        for (Throwable suppressed : original.getSuppressed()) {
            Throwable clean = copy(suppressed, depth + 1);
            if (clean != null) {
                copy.addSuppressed(clean);
            }
        }
        return copy;
    }

    @Override
    public String toString() {
        return text;
    }
}
