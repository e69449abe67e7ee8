package io.millrace.settle;

import java.io.PrintWriter;
import java.io.StringWriter;

import io.millrace.job.Failure;

/** Describes what a handler threw. */
final class Failures {
    private Failures() {}

    /** @param detail JSON, or null */
    static Failure of(Throwable cause, String detail) {
        String message = cause.getMessage() == null ? cause.getClass().getName() : cause.getMessage();
        return new Failure(null, name(cause.getClass()), message, stack(cause), detail);
    }

    /** An anonymous class has no simple name. */
    private static String name(Class<?> type) {
        return type.getSimpleName().isEmpty() ? type.getName() : type.getSimpleName();
    }

    private static String stack(Throwable cause) {
        if (cause.getStackTrace().length == 0) {
            return null;
        }
        StringWriter text = new StringWriter();
        cause.printStackTrace(new PrintWriter(text));
        return text.toString();
    }
}
