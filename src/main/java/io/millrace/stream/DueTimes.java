package io.millrace.stream;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

import jakarta.inject.Singleton;

/**
 * Tells whoever promotes when the next delayed job of a queue is due, as soon as this process has delayed one, and whoever
 * repairs that it tried to in vain.
 */
@Singleton
public class DueTimes {
    private final List<BiConsumer<String, Duration>> listeners = new CopyOnWriteArrayList<>();
    private final List<Consumer<String>> lossListeners = new CopyOnWriteArrayList<>();

    /** @param listener gets a queue of which a job may be missing in the delayed set; it must not block */
    public void onLost(Consumer<String> listener) {
        lossListeners.add(listener);
    }

    /** @param listener gets the queue and the time until its next job is due, by the clock of Redis; it must not block */
    public void onAnnounced(BiConsumer<String, Duration> listener) {
        listeners.add(listener);
    }

    void announce(String queue, Duration untilNext) {
        if (untilNext != null) {
            listeners.forEach(listener -> listener.accept(queue, untilNext));
        }
    }

    void lose(String queue) {
        lossListeners.forEach(listener -> listener.accept(queue));
    }
}
