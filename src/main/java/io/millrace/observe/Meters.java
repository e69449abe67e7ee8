package io.millrace.observe;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.ToDoubleFunction;

import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.quarkus.runtime.ShutdownEvent;

/**
 * Registers meters, and takes them out again at the end: the registry outlives the application where that starts anew, and would go
 * on to show the figures of the old one. Labels are names and values in turn.
 */
@Singleton
class Meters {
    /** From a job that is run at once to a backlog of minutes. */
    private static final Duration[] BUCKETS = List
            .of(1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000,
                    300_000)
            .stream().map(Duration::ofMillis).toArray(Duration[]::new);

    private static final String HELP = "metrics.properties";

    private final MeterRegistry registry;
    private final Properties help = new Properties();
    private final List<Meter> registered = new CopyOnWriteArrayList<>();

    Meters(MeterRegistry registry) {
        this.registry = registry;
        try (InputStream file = Meters.class.getResourceAsStream("/" + HELP)) {
            help.load(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Says in {@code /q/metrics} what a metric is. */
    private String help(String name) {
        String text = help.getProperty(name);
        if (text == null) {
            throw new IllegalStateException(name + " is not in " + HELP + ": say there what it is");
        }
        return text;
    }

    <T> void gauge(String name, T source, ToDoubleFunction<T> value, String... labels) {
        registered.add(Gauge.builder(name, source, value).description(help(name)).tags(labels).strongReference(true)
                .register(registry));
    }

    <T> void count(String name, T source, ToDoubleFunction<T> count, String... labels) {
        registered.add(FunctionCounter.builder(name, source, count).description(help(name)).tags(labels).register(registry));
    }

    Counter counter(String name, String... labels) {
        Counter counter = Counter.builder(name).description(help(name)).tags(labels).register(registry);
        registered.add(counter);
        return counter;
    }

    /** @return a histogram of seconds; {@code name} does not say so, the registry adds it */
    Timer timer(String name, String... labels) {
        Timer timer = Timer.builder(name).description(help(name)).tags(labels).serviceLevelObjectives(BUCKETS)
                .register(registry);
        registered.add(timer);
        return timer;
    }

    void forget(@Observes ShutdownEvent event) {
        registered.forEach(registry::remove);
    }
}
