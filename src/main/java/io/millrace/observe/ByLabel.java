package io.millrace.observe;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/**
 * The meters of one metric, by their labels, with a bound: callers choose the names of queues, and each name is a series that
 * Prometheus keeps. What comes when the bound is reached is counted together. A look-up costs one hash.
 */
final class ByLabel<K, M> {
    private final int most;
    private final K others;
    private final Function<K, M> create;
    private final Map<K, M> meters = new ConcurrentHashMap<>();

    /**
     * @param most labels that have meters of their own; a few more where many threads meet new ones at the same moment
     * @param others stands for all further ones
     */
    ByLabel(int most, K others, Function<K, M> create) {
        this.most = most;
        this.others = others;
        this.create = create;
    }

    M get(K label) {
        M known = meters.get(label);
        if (known != null) {
            return known;
        }
        return meters.computeIfAbsent(meters.size() < most ? label : others, create);
    }
}
