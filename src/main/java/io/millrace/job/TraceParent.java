package io.millrace.job;

import java.util.HexFormat;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A span of a trace that is recorded: under the span that asked for a job stand the spans of its attempts. Of a trace that nobody
 * records there is none, so whoever has this may add to it.
 *
 * @param traceId 32 lower-case hexadecimal digits
 * @param spanId 16 of them
 */
public record TraceParent(String traceId, String spanId) {
    private static final Pattern RECORDED = Pattern.compile("00-([0-9a-f]{32})-([0-9a-f]{16})-01");
    /** 2^64 over the golden ratio: multiples of it differ in many bits. */
    private static final long GOLDEN = 0x9e3779b97f4a7c15L;

    /** @param header as {@link #header} writes it, for which nothing else is stored; @return null for anything else, or null */
    public static TraceParent parse(String header) {
        Matcher parts = header == null ? null : RECORDED.matcher(header);
        return parts != null && parts.matches() ? new TraceParent(parts.group(1), parts.group(2)) : null;
    }

    /** @return the value of the header {@code traceparent} of W3C Trace Context, recorded */
    public String header() {
        return "00-" + traceId + "-" + spanId + "-01";
    }

    /**
     * The span of one attempt. It follows from the job and the epoch, so that nothing has to be stored for the next attempt, on
     * whatever worker, to point back at it.
     *
     * @param epoch of the claim, from 1
     */
    public TraceParent ofAttempt(UUID jobId, int epoch) {
        long hash = mixed(jobId.getLeastSignificantBits() ^ mixed(jobId.getMostSignificantBits() + epoch * GOLDEN));
        return new TraceParent(traceId, HexFormat.of().toHexDigits(hash == 0 ? 1 : hash)); // zeros are no span
    }

    /** The finalizer of SplitMix64 (Steele, Lea and Flood, 2014): each bit depends on all. */
    private static long mixed(long bits) {
        long mixed = (bits ^ bits >>> 30) * 0xbf58476d1ce4e5b9L;
        mixed = (mixed ^ mixed >>> 27) * 0x94d049bb133111ebL;
        return mixed ^ mixed >>> 31;
    }
}
