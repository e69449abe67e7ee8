package io.millrace.account;

import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Counts tries by key in a window of time. A try counts from its beginning, so that many at once do not all pass, until it is taken
 * back. Remembers 10,000 keys; one more displaces the one that was looked at longest ago. For one process: with n of them, n times
 * as many tries pass.
 */
final class Tries {
    private static final int MOST_KEYS = 10_000;

    private final Clock clock;
    private final int limit;
    private final Duration window;
    private final Map<String, Count> counts = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Count> eldest) {
            return super.size() > MOST_KEYS; // of the map, not of what is around it
        }
    };

    private static final class Count {
        private final long untilMs;
        private int tries;

        private Count(long untilMs) {
            this.untilMs = untilMs;
        }
    }

    Tries(Clock clock, int limit, Duration window) {
        this.clock = clock;
        this.limit = limit;
        this.window = window;
    }

    /** @throws RefusedException if there were too many */
    synchronized void begin(String key) {
        long now = clock.millis();
        Count count = counts.get(key);
        if (count == null || count.untilMs <= now) {
            count = new Count(now + window.toMillis());
            counts.put(key, count);
        }
        if (count.tries >= limit) {
            throw RefusedException.tooManyTries(Duration.ofMillis(count.untilMs - now));
        }
        count.tries++;
    }

    /** It was no failure. */
    synchronized void takeBack(String key) {
        Count count = counts.get(key);
        if (count != null && count.tries > 0) {
            count.tries--;
        }
    }

    synchronized int size() {
        return counts.size();
    }
}
