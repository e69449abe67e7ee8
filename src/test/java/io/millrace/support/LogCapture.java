package io.millrace.support;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

import org.jboss.logmanager.ExtLogRecord;

/** Keeps what one category of the log says, at a level of its choice, until it is closed. */
public final class LogCapture implements AutoCloseable {
    private final Logger logger;
    private final Level levelBefore;
    private final List<ExtLogRecord> records = new CopyOnWriteArrayList<>();
    private final Handler handler = new Handler() {
        @Override
        public void publish(LogRecord record) {
            records.add(ExtLogRecord.wrap(record));
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };

    /** @param level null for the one that the category has */
    public LogCapture(String category, Level level) {
        logger = Logger.getLogger(category);
        levelBefore = logger.getLevel();
        if (level != null) {
            logger.setLevel(level);
        }
        handler.setLevel(Level.ALL);
        logger.addHandler(handler);
    }

    public List<ExtLogRecord> records() {
        return List.copyOf(records);
    }

    public List<String> lines() {
        return records.stream().map(ExtLogRecord::getFormattedMessage).toList();
    }

    @Override
    public void close() {
        logger.removeHandler(handler);
        logger.setLevel(levelBefore);
    }
}
