package io.millrace.job;

import java.security.SecureRandom;
import java.time.Instant;
import java.util.SplittableRandom;
import java.util.UUID;

/**
 * UUIDs of version 7 (RFC 9562): 48 bits of time in ms, then a 12-bit counter and 62 random bits. Ids of one generator grow
 * strictly, so that jobs accepted in one millisecond keep their order.
 */
public final class JobIds {
    private static final int COUNTER_BITS = 12;
    /** The last millisecond that fits into an id, in the year 10889. */
    private static final Instant LAST = Instant.ofEpochMilli((1L << 48) - 1);

    // Seeded once per process: ids must differ, not be secret, and the system's entropy is slow at 100,000 ids a second.
    private final SplittableRandom random = new SplittableRandom(new SecureRandom().nextLong());
    /** Milliseconds and counter of the last id: {@code ms << 12 | counter}. */
    private long last;

    public UUID next() {
        long now = System.currentTimeMillis() << COUNTER_BITS;
        long stamp;
        long chance;
        synchronized (this) {
            // When a millisecond has used up its counter, or the clock was set back, ids run ahead of the clock.
            last = Math.max(now, last + 1);
            stamp = last;
            chance = random.nextLong();
        }
        long most = stamp >>> COUNTER_BITS << 16 | 0x7000 | stamp & 0xFFF;
        long least = chance >>> 2 | 0x8000_0000_0000_0000L;
        return new UUID(most, least);
    }

    /** @return the time in an id of {@link #next} */
    public static Instant timeOf(UUID id) {
        return Instant.ofEpochMilli(id.getMostSignificantBits() >>> 16);
    }

    /** @return the lowest id that a job accepted at {@code time} can have; a time that no id can tell is brought within those */
    public static UUID lowestAt(Instant time) {
        Instant told = time.isBefore(Instant.EPOCH) ? Instant.EPOCH : time.isAfter(LAST) ? LAST : time;
        return new UUID(told.toEpochMilli() << 16 | 0x7000, 0x8000_0000_0000_0000L);
    }
}
