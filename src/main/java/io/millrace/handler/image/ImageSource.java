package io.millrace.handler.image;

import java.net.URI;

import io.millrace.egress.EgressClient;
import io.millrace.egress.EgressResponse;
import io.millrace.handler.JobContext;
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

    /** @param context of the attempt that wants it, and that gives it no more time than it has itself */
    Uni<Fetched> fetch(URI url, JobContext context) {
        return cache.get(RedisKeys.imageCache(url)).onItem().ifNotNull().transform(bytes -> new Fetched(bytes, true))
                .onItem().ifNull().switchTo(() -> download(url, context));
    }

    private Uni<Fetched> download(URI url, JobContext context) {
        String traceParent = context.trace() == null ? null : context.trace().header();
        return egress.get(url, config.maxBytes().asLongValue(), context.deadline().left(), traceParent)
                .map(EgressResponse::body)
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
