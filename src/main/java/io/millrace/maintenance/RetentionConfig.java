package io.millrace.maintenance;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

import jakarta.validation.constraints.AssertTrue;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;

import org.eclipse.microprofile.config.spi.Converter;

import io.quarkus.runtime.configuration.DurationConverter;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithConverter;
import io.smallrye.config.WithDefault;

/** How long jobs that have ended are kept. A time counts from the end of a job, and is at least 1 min, or {@code forever}. */
@ConfigMapping(prefix = "millrace.retention")
public interface RetentionConfig {
    /** A job that was completed. A week: what was asked for on a Friday can be read on the Monday after. */
    @WithDefault("7d")
    @WithConverter(Keep.class)
    Duration completed();

    /** A job that was cancelled. */
    @WithDefault("7d")
    @WithConverter(Keep.class)
    Duration cancelled();

    /** A job that was given up. A quarter: somebody has to look at it, and may retry it. */
    @WithDefault("90d")
    @WithConverter(Keep.class)
    Duration failed();

    /** Other times for a queue: {@code queues.<queue>.completed}, {@code .cancelled}, {@code .failed}. */
    Map<String, OfQueue> queues();

    /** What differs in one queue. */
    interface OfQueue {
        @WithConverter(Keep.class)
        Optional<Duration> completed();

        @WithConverter(Keep.class)
        Optional<Duration> cancelled();

        @WithConverter(Keep.class)
        Optional<Duration> failed();
    }

    /** How often jobs are deleted. */
    @WithDefault("1m")
    Duration every();

    /** Most jobs looked at in one step, and so deleted by one statement. 1 to 10,000. */
    @WithDefault("500")
    @Min(1)
    @Max(10_000)
    int items();

    /** A pass stops when it has looked at so many jobs that stay; the next one goes on there. 1 to 10,000,000. */
    @WithDefault("50000")
    @Min(1)
    @Max(10_000_000)
    int keptPerPass();

    @AssertTrue(message = "every time of millrace.retention must be at least 1m, or forever")
    default boolean isEveryTimeLongEnough() {
        Stream<Duration> ofQueues = queues().values().stream()
                .flatMap(queue -> Stream.of(queue.completed(), queue.cancelled(), queue.failed())).flatMap(Optional::stream);
        return Stream.concat(Stream.of(completed(), cancelled(), failed()), ofQueues)
                .allMatch(time -> time.compareTo(Duration.ofMinutes(1)) >= 0);
    }

    /** Reads a duration, or {@code forever}. */
    final class Keep implements Converter<Duration> {
        private static final long serialVersionUID = 1;
        /** Longer than any job has been there, and still a time that PostgreSQL can subtract from now. */
        static final Duration FOREVER = Duration.ofDays(365_000);

        @Override
        public Duration convert(String text) {
            return text.strip().equals("forever") ? FOREVER : DurationConverter.parseDuration(text.strip());
        }
    }
}
