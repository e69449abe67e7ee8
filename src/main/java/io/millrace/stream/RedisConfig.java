package io.millrace.stream;

import io.smallrye.config.ConfigMapping;

/** Where Redis is. */
@ConfigMapping(prefix = "millrace.redis")
public interface RedisConfig {
    /** {@code redis://[:password@]host:port[/db]}, or {@code rediss://} for TLS. */
    String url();
}
