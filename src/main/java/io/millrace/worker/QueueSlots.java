package io.millrace.worker;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import io.millrace.handler.JobType;

/**
 * A queue that this process reads, and how many of its jobs run here at once.
 *
 * @param limit 0: as many as the process has slots
 */
record QueueSlots(String queue, int limit) {
    private static final int MOST = 10_000;

    /**
     * @param settings {@code name} or {@code name:limit} each
     * @throws IllegalArgumentException if one cannot be read; the message names it
     */
    static List<QueueSlots> parse(List<String> settings) {
        Map<String, QueueSlots> queues = new LinkedHashMap<>();
        for (String setting : settings) {
            QueueSlots parsed = parse(setting.strip());
            if (queues.put(parsed.queue(), parsed) != null) {
                throw new IllegalArgumentException("MILLRACE_QUEUES names the queue " + parsed.queue() + " twice");
            }
        }
        return new ArrayList<>(queues.values());
    }

    private static QueueSlots parse(String setting) {
        int colon = setting.indexOf(':');
        String name = colon < 0 ? setting : setting.substring(0, colon);
        if (!JobType.NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("MILLRACE_QUEUES: '" + setting + "' is not a queue name, use a-z 0-9 . _ -");
        }
        if (colon < 0) {
            return new QueueSlots(name, 0);
        }
        try {
            int limit = Integer.parseInt(setting.substring(colon + 1));
            if (limit >= 1 && limit <= MOST) {
                return new QueueSlots(name, limit);
            }
        } catch (NumberFormatException notANumber) {
            // said below
        }
        throw new IllegalArgumentException(
                "MILLRACE_QUEUES: '" + setting + "' must be name or name:slots with 1 to " + MOST + " slots");
    }
}
