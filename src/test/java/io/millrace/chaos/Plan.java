package io.millrace.chaos;

import static io.millrace.job.JobState.CANCELLED;
import static io.millrace.job.JobState.COMPLETED;
import static io.millrace.job.JobState.FAILED;

import java.util.Set;
import java.util.SplittableRandom;

import io.millrace.job.JobState;

/**
 * What one job is, and how it must end: a pure function of the seed and its number, so that nobody has to ask the system.
 *
 * @param number of what the kind needs: ms, or attempts that fail
 */
record Plan(int seq, Kind kind, int number, String queue, String priority) {

    enum Kind {
        OK(60, COMPLETED),
        /** Fails once to three times, then succeeds. */
        FLAKY(13, COMPLETED),
        /** Takes up to two seconds. */
        SLOW(6, COMPLETED),
        /** Takes two to four leases. */
        LONG(1, COMPLETED),
        /** Fails each of its attempts. */
        EXHAUSTED(4, FAILED),
        REJECTED(4, FAILED),
        SCHEDULED(8, COMPLETED),
        /** Somebody tries to cancel it at some time: it may be too late. */
        CANCELLED(2, JobState.CANCELLED, COMPLETED),
        /** Fails, and is replayed with another payload by three people at once. */
        REPLAYED(2, COMPLETED),
        /** Kills the worker that runs it. */
        POISON(0, FAILED);

        private final int percent;
        private final Set<JobState> ends;

        Kind(int percent, JobState... ends) {
            this.percent = percent;
            this.ends = Set.of(ends);
        }

        /** @return the states it may end in, if fewer workers died of it than the limit */
        Set<JobState> ends() {
            return ends;
        }
    }

    /** One in so many jobs kills its worker, three times. */
    private static final int POISON_RATE = 15_000;
    private static final int PERCENT = 100;
    static final String SIDE_QUEUE = "side";

    static Plan of(long seed, int seq) {
        SplittableRandom random = new SplittableRandom(seed * 1_000_003 + seq);
        Kind kind = random.nextInt(POISON_RATE) == 0 ? Kind.POISON : kind(random.nextInt(PERCENT));
        int number = switch (kind) {
            case FLAKY -> random.nextInt(1, 4);
            case SLOW -> random.nextInt(50, 2_000);
            case LONG -> random.nextInt(10_000, 20_000);
            case EXHAUSTED -> random.nextInt(1, 4);
            case SCHEDULED -> random.nextInt(300, 20_000);
            case CANCELLED -> random.nextInt(0, 4_000);
            default -> seq;
        };
        String priority = switch (random.nextInt(10)) {
            case 0 -> "high";
            case 1 -> "low";
            default -> "normal";
        };
        return new Plan(seq, kind, number, random.nextInt(10) == 0 ? SIDE_QUEUE : "default", priority);
    }

    private static Kind kind(int percent) {
        int sum = 0;
        for (Kind kind : Kind.values()) {
            sum += kind.percent;
            if (percent < sum) {
                return kind;
            }
        }
        return Kind.OK;
    }

    String tag() {
        return "n" + seq;
    }

    /** @return the number of the plan whose tag it is */
    static int seq(String tag) {
        return Integer.parseInt(tag.substring(1));
    }

    /** The body of a request that may be repeated. */
    String keyedJson() {
        return "{\"idempotencyKey\":\"" + tag() + "\"," + json().substring(1);
    }

    /** The body of the request. */
    String json() {
        String body = switch (kind) {
            case OK -> type("echo", "{\"n\":" + number + "}");
            case SCHEDULED -> type("echo", "{\"n\":" + number + "}") + ",\"delay\":\"PT" + number / 1000.0 + "S\"";
            case FLAKY -> type("flaky", "{\"failures\":" + number + "}") + retry(number + 1);
            case SLOW, LONG -> type("sleep", "{\"ms\":" + number + "}");
            case CANCELLED -> type("sleep", "{\"ms\":" + number + "}");
            case EXHAUSTED -> type("fail", "{\"message\":\"planned\"}") + retry(number);
            case REJECTED -> type("fail", "{\"message\":\"planned\",\"permanent\":true}");
            case REPLAYED -> type("flaky", "{\"failures\":1}") + retry(1);
            case POISON -> type("echo", "{\"poison\":true}");
        };
        return "{" + body + ",\"queue\":\"" + queue + "\",\"priority\":\"" + priority + "\",\"tags\":[\"" + tag() + "\"]}";
    }

    private static String type(String type, String payload) {
        return "\"type\":\"" + type + "\",\"payload\":" + payload;
    }

    private static String retry(int maxAttempts) {
        return ",\"retry\":{\"maxAttempts\":" + maxAttempts + ",\"base\":\"PT0.2S\",\"cap\":\"PT1S\"}";
    }

    /** How many failures the handler reports before it ends, without a replay. */
    int failures() {
        return switch (kind) {
            case FLAKY, EXHAUSTED -> number;
            case REJECTED, REPLAYED -> 1;
            default -> 0;
        };
    }
}
