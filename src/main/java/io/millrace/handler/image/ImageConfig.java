package io.millrace.handler.image;

import java.time.Duration;
import java.util.OptionalInt;

import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;

import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import jakarta.validation.constraints.AssertTrue;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;

/** How much one image, one job and this process may take. */
@ConfigMapping(prefix = "millrace.image")
public interface ImageConfig {

    /** How many images of one job are downloaded and read at a time. Default 4, 1 to 32. */
    @WithDefault("4")
    @Min(1)
    @Max(32)
    int downloads();

    /**
     * How many images this process holds at a time, over all jobs; further ones wait before they are downloaded. This many
     * times {@link #maxBytes()} is the most memory that downloads take. Default 16, 1 to 1000.
     */
    @WithDefault("16")
    @Min(1)
    @Max(1000)
    int held();

    /**
     * How many images this process decodes at a time. Each takes a thread and, at {@link #maxPixels()}, up to 250 MB.
     * Default: the number of processors. 1 to 64.
     */
    OptionalInt concurrency();

    /** The largest download in bytes. Default 20 MiB, 1 byte to 100 MiB. */
    @WithDefault("20M")
    MemorySize maxBytes();

    /** An image with more pixels is refused before it is decoded. Default 40,000,000, 1 to 200,000,000. */
    @WithDefault("40000000")
    @Min(1)
    @Max(200_000_000)
    long maxPixels();

    /** An animation with more frames is refused. Default 50, 1 to 10,000. */
    @WithDefault("50")
    @Min(1)
    @Max(10_000)
    int maxFrames();

    /** How long decoding one image may take. Default 15 s, 100 ms to 5 min. */
    @WithDefault("15s")
    @DurationMin(millis = 100)
    @DurationMax(minutes = 5)
    Duration decodeTimeout();

    /** How long a downloaded image is kept in Redis. Default 24 h, 1 s to 30 days. */
    @WithDefault("24h")
    @DurationMin(seconds = 1)
    @DurationMax(days = 30)
    Duration cacheTtl();

    /** A larger image is not kept in Redis. Default 2 MiB; 0 keeps none; at most {@link #maxBytes()}. */
    @WithDefault("2M")
    MemorySize cacheMaxBytes();

    /** The most bytes of thumbnails that one job stores; further thumbnails are left out. Default 8 MiB, up to 64 MiB. */
    @WithDefault("8M")
    MemorySize maxArtifactBytes();

    @AssertTrue(message = "concurrency must be 1 to 64")
    default boolean isConcurrencyInBounds() {
        return concurrency().orElse(1) >= 1 && concurrency().orElse(1) <= 64;
    }

    @AssertTrue(message = "max-bytes must be from 1 byte to 100M, cache-max-bytes at most max-bytes, max-artifact-bytes at most 64M")
    default boolean isEverySizeInBounds() {
        return isFrom(1, maxBytes(), 100L << 20) && isFrom(0, cacheMaxBytes(), maxBytes().asLongValue())
                && isFrom(0, maxArtifactBytes(), 64L << 20);
    }

    private static boolean isFrom(long least, MemorySize size, long most) {
        return size.asLongValue() >= least && size.asLongValue() <= most;
    }
}
