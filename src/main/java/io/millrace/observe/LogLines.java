package io.millrace.observe;

import java.util.logging.Filter;
import java.util.logging.LogRecord;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.jboss.logmanager.ExtLogRecord;

import io.millrace.job.Redacted;
import io.quarkus.logging.LoggingFilter;

/**
 * Every line of the log passes here: what others wrote (names, messages of exceptions) cannot begin a line of its own or speak to a
 * terminal, and what looks like a secret is struck out. A line about a job has its id, and that of its trace, also as fields.
 */
@LoggingFilter(name = "log-lines")
public final class LogLines implements Filter {
    private static final Pattern JOB = Pattern.compile("\\bjob ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\\b");
    private static final Pattern TRACE = Pattern.compile("\\btrace ([0-9a-f]{32})\\b");
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
        if (text != null && record instanceof ExtLogRecord ext) {
            nameJob(ext, clean);
        }
        record.setThrown(CleanThrowable.of(record.getThrown()));
        return true;
    }

    /** A job that the line tells of, and its trace, are named in fields of their own, too, which the JSON format shows. */
    private static void nameJob(ExtLogRecord record, String text) {
        Matcher job = JOB.matcher(text);
        if (job.find()) {
            record.putMdc("jobId", job.group(1));
            Matcher trace = TRACE.matcher(text);
            if (trace.find()) {
                record.putMdc("traceId", trace.group(1));
            }
        }
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
