package io.millrace.observe;

import java.util.logging.Filter;
import java.util.logging.LogRecord;

import org.jboss.logmanager.ExtLogRecord;

import io.millrace.job.Redacted;
import io.quarkus.logging.LoggingFilter;

/**
 * Every line of the log passes here: what others wrote (names, messages of exceptions) cannot begin a line of its own or speak to a
 * terminal, and what looks like a secret is struck out.
 */
@LoggingFilter(name = "log-lines")
public final class LogLines implements Filter {
    private static final char FIRST_VISIBLE = 0x20;
    private static final char DELETE = 0x7f;
    private static final char LAST_CONTROL = 0x9f;

    @Override
    public boolean isLoggable(LogRecord record) {
        String text = record instanceof ExtLogRecord ext ? ext.getFormattedMessage() : record.getMessage();
        String clean = clean(text);
        if (text != null && !clean.equals(text)) {
            replace(record, clean);
        }
        record.setThrown(CleanThrowable.of(record.getThrown()));
        return true;
    }

    private static void replace(LogRecord record, String text) {
        if (record instanceof ExtLogRecord ext) {
            ext.setMessage(text, ExtLogRecord.FormatStyle.NO_FORMAT);
        } else {
            record.setMessage(text);
            record.setParameters(null);
        }
    }

    /** @return one line, without secrets; null for null */
    static String clean(String text) {
        return escape(Redacted.text(text));
    }

    private static String escape(String text) {
        if (text == null || text.chars().noneMatch(LogLines::isUnsafe)) {
            return text;
        }
        StringBuilder escaped = new StringBuilder(text.length() + 16);
        text.chars().forEach(c -> {
            switch (c) {
                case '\n' -> escaped.append("\\n");
                case '\r' -> escaped.append("\\r");
                case '\t' -> escaped.append("\\t");
                default -> {
                    if (isUnsafe(c)) {
                        escaped.append(String.format("\\u%04x", c));
                    } else {
                        escaped.append((char) c);
                    }
                }
            }
        });
        return escaped.toString();
    }

    /** Controls of both sets, separators that some take for a line break, and marks that turn the direction of writing. */
    private static boolean isUnsafe(int c) {
        return c < FIRST_VISIBLE || c >= DELETE && c <= LAST_CONTROL || c == 0x2028 || c == 0x2029
                || c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069 || c == 0x200e || c == 0x200f;
    }
}
