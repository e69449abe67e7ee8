package io.millrace.observe;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.logging.LogRecord;
import java.util.stream.Stream;

import org.jboss.logmanager.ExtLogRecord;
import org.jboss.logmanager.Level;
import org.jboss.logmanager.formatters.PatternFormatter;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayNameGeneration(ReplaceUnderscores.class)
class LogLinesTest {

    static final String FORGED = "2030-01-01 00:00:00,000 INFO  [io.millrace] forged";
    static final LogLines LINES = new LogLines();

    static Stream<String> separators() {
        return Stream.of("\n", "\r", "\r\n", "\u0085", "\u2028", "\u2029", "\u000b", "\u000c", "\u001b[2J",
                "\u001b[1A\u001b[2K",
                "\u009b2J", "\u0007", "\b", "\u202e", "\u2066", "\u0000", "\u007f", "\t");
    }

    /** As the console writes it. */
    static String written(LogRecord record) {
        assertThat(LINES.isLoggable(record)).isTrue();
        return new PatternFormatter("%p %s%e%n").format(ExtLogRecord.wrap(record));
    }

    @ParameterizedTest
    @MethodSource("separators")
    void a_message_is_one_line_and_holds_nothing_for_a_terminal(String separator) {
        ExtLogRecord record = new ExtLogRecord(Level.INFO, "user %s is gone", ExtLogRecord.FormatStyle.PRINTF, "test");
        record.setParameters(new Object[]{"ann" + separator + FORGED});

        String line = written(record);

        assertThat(line).startsWith("INFO user ann\\").endsWith(FORGED + " is gone\n");
        assertThat(line.strip().chars()).noneMatch(c -> c < 0x20 || c >= 0x7f);
    }

    @ParameterizedTest
    @MethodSource("separators")
    void so_is_the_message_of_an_exception_and_of_its_causes(String separator) {
        Throwable thrown = new IllegalStateException("outer" + separator + FORGED,
                new IllegalArgumentException("inner" + separator + FORGED));
        thrown.addSuppressed(new RuntimeException("beside" + separator + FORGED));
        LogRecord record = new LogRecord(Level.INFO, "failed");
        record.setThrown(thrown);

        String text = written(record);

        assertThat(text.lines()).noneMatch(line -> line.startsWith(FORGED)).anyMatch(line -> line.contains("outer\\"))
                .anyMatch(line -> line.contains("IllegalArgumentException: inner\\"))
                .anyMatch(line -> line.contains("beside\\")).anyMatch(line -> line.contains("LogLinesTest.java:"));
        assertThat(text.chars()).noneMatch(c -> c < 0x20 && c != '\n' && c != '\t' || c >= 0x7f);
    }

    @Test
    void secrets_are_struck_out_of_both() {
        LogRecord record = new LogRecord(Level.WARN, "cannot reach redis://:s3cret@host");
        record.setThrown(new IllegalStateException("Authorization: Bearer abcdefgh"));
        assertThat(written(record)).contains("redis://***@host", "Authorization: ***").doesNotContain("s3cret", "abcdefgh");
    }

    @Test
    void what_needs_nothing_is_left_alone() {
        ExtLogRecord record = new ExtLogRecord(Level.INFO, "job %d: grüße 🎉", ExtLogRecord.FormatStyle.PRINTF, "test");
        record.setParameters(new Object[]{7});
        Throwable thrown = new IllegalStateException("plain");
        record.setThrown(thrown);

        assertThat(written(record)).startsWith("INFO job 7: grüße 🎉");
        assertThat(record.getThrown()).isSameAs(thrown);
        assertThat(record.getParameters()).containsExactly(7);
    }

    @Test
    void a_chain_of_causes_that_bites_its_tail_ends() {
        Exception one = new Exception("one\n");
        one.initCause(new Exception("two", one));
        LogRecord record = new LogRecord(Level.INFO, "failed");
        record.setThrown(one);
        assertThat(written(record)).contains("one\\n");
    }
}
