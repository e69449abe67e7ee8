package io.millrace.bench;

import java.util.Locale;
import java.util.UUID;

import io.vertx.core.buffer.Buffer;

/**
 * Many ids in 16 bytes: how many there are, and the sum of what a good mixer makes of each. The order does not matter, an id that
 * is there twice counts twice, and two collections that differ have the same hash once in 2^64. Not thread-safe.
 */
final class IdHash {

    private static final byte[] KEY = "\"id\":\"".getBytes();
    private static final int ID_LENGTH = 36;
    private static final int RADIX = 16;

    private long count;
    private long sum;

    void add(UUID id) {
        count++;
        sum += mix(mix(id.getMostSignificantBits()) + id.getLeastSignificantBits());
    }

    /** Adds each id of an answer of the API, be it of one job or of many. */
    void addFrom(Buffer answer) {
        byte[] bytes = answer.getBytes();
        for (int i = 0; i + KEY.length + ID_LENGTH <= bytes.length; i++) {
            if (isKeyAt(bytes, i)) {
                i += KEY.length;
                add(new UUID(hex(bytes, i, i + 18), hex(bytes, i + 19, i + ID_LENGTH)));
                i += ID_LENGTH;
            }
        }
    }

    long count() {
        return count;
    }

    boolean isSame(IdHash other) {
        return count == other.count && sum == other.sum;
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%,d jobs with the hash %016x", count, sum);
    }

    private static boolean isKeyAt(byte[] bytes, int start) {
        for (int i = 0; i < KEY.length; i++) {
            if (bytes[start + i] != KEY[i]) {
                return false;
            }
        }
        return true;
    }

    /** UUID.fromString would need a String for each of a million. */
    private static long hex(byte[] bytes, int from, int to) {
        long value = 0;
        for (int i = from; i < to; i++) {
            if (bytes[i] != '-') {
                value = value << 4 | Character.digit(bytes[i], RADIX);
            }
        }
        return value;
    }

    /** The last step of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014). */
    private static long mix(long value) {
        long mixed = (value ^ value >>> 30) * 0xbf58476d1ce4e5b9L;
        mixed = (mixed ^ mixed >>> 27) * 0x94d049bb133111ebL;
        return mixed ^ mixed >>> 31;
    }
}
