package io.millrace.stream;

import java.time.Duration;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

import jakarta.validation.constraints.AssertTrue;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;

/** How this process talks to Redis. */
@ConfigMapping(prefix = "millrace.stream")
public interface StreamConfig {

    /** Accepting a job waits no longer than this for the stream; then the relay sends the id. */
    @WithDefault("250ms")
    Duration appendTimeout();

    /** After a failed append, how long jobs are accepted without trying the stream. */
    @WithDefault("1s")
    Duration appendPause();

    /** Most scheduled jobs a process remembers that a delayed set did not take, to try again; further ones wait for the loader. 0 to 1,000,000. */
    @WithDefault("20000")
    @Min(0)
    @Max(1_000_000)
    int owedDelays();

    /** Any other command fails after this long. */
    @WithDefault("2s")
    Duration commandTimeout();

    /** How long one blocking read waits for a job. The connection counts as dead 2 s later. */
    @WithDefault("2s")
    Duration readBlock();

    /** Most ids on one stream; the rest of the backlog waits in PostgreSQL. 1,000 to 10,000,000. */
    @WithDefault("100000")
    @Min(1_000)
    @Max(10_000_000)
    int dispatchWindow();

    /** Jobs due within this time stand in the delayed set; later ones wait in PostgreSQL. */
    @WithDefault("10m")
    Duration lookAhead();

    /** About how many dead letters the stream of a queue keeps as a hint. 0 to 1,000,000. */
    @WithDefault("10000")
    @Min(0)
    @Max(1_000_000)
    int deadLetters();

    @AssertTrue(message = "millrace.stream.append-timeout, append-pause, command-timeout and read-block must be 10ms to 60s")
    default boolean isEveryTimeSane() {
        return java.util.stream.Stream.of(appendTimeout(), appendPause(), commandTimeout(), readBlock())
                .allMatch(time -> time.toMillis() >= 10 && time.toSeconds() <= 60);
    }
}
