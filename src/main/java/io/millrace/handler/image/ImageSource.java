package io.millrace.handler.image;

import java.net.URI;
import java.time.Duration;

import io.millrace.egress.EgressClient;
import io.millrace.egress.EgressResponse;
import io.millrace.stream.ByteCache;
import io.millrace.stream.RedisKeys;
import io.smallrye.mutiny.Uni;
import jakarta.enterprise.context.ApplicationScoped;

/** Gets the bytes behind the URL of an image: out of the cache, or from where it says. */
@ApplicationScoped
public class ImageSource {

    /** @param fromCache false if they were downloaded for this */
    record Fetched(byte[] bytes, boolean fromCache) {}

    private final ByteCache cache;
    private final EgressClient egress;
    private final ImageConfig config;

    public ImageSource(ByteCache cache, EgressClient egress, ImageConfig config) {
        this.cache = cache;
        this.egress = egress;
        this.config = config;
    }

    /** @param atMost how long it may take */
    Uni<Fetched> fetch(URI url, Duration atMost) {
        return cache.get(RedisKeys.imageCache(url)).onItem().ifNotNull().transform(bytes -> new Fetched(bytes, true))
                .onItem().ifNull().switchTo(() -> download(url, atMost));
    }

    private Uni<Fetched> download(URI url, Duration atMost) {
        return egress.get(url, config.maxBytes().asLongValue(), atMost).map(EgressResponse::body)
                .call(bytes -> isWorthKeeping(bytes)
                        ? cache.put(RedisKeys.imageCache(url), bytes, config.cacheTtl())
                        : Uni.createFrom().voidItem())
                .map(bytes -> new Fetched(bytes, false));
    }

    /** An error page that came with a 200 is asked for again. */
    private boolean isWorthKeeping(byte[] bytes) {
        return bytes.length <= config.cacheMaxBytes().asLongValue() && ImageFormat.of(bytes).isPresent();
    }
}
