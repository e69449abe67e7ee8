package io.millrace.stream;

import java.util.UUID;

import io.millrace.job.Priority;

/**
 * One delivery: an entry of a job stream, pending for this consumer.
 *
 * @param id of the entry; never the id of the job
 * @param jobId null if the entry holds none: somebody else wrote to the stream
 */
public record StreamEntry(String queue, Priority priority, String id, UUID jobId) {

    private static final String FIELD = "j";

    /** @return when it was appended, epoch ms by the clock of Redis */
    public long epochMs() {
        return Long.parseLong(id.substring(0, id.indexOf('-')));
    }

    static UUID jobId(String field, String value) {
        if (!FIELD.equals(field)) {
            return null;
        }
        try {
            return UUID.fromString(value);
        } catch (IllegalArgumentException notAnId) {
            return null;
        }
    }
}
