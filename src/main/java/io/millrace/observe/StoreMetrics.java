package io.millrace.observe;

import java.util.concurrent.TimeUnit;

import jakarta.annotation.Priority;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import jakarta.interceptor.Interceptor;

import io.micrometer.core.instrument.Timer;
import io.millrace.pool.PoolUse;
import io.millrace.store.Database;
import io.millrace.stream.SharedRedis;
import io.quarkus.runtime.StartupEvent;

/** How long PostgreSQL and Redis take, and how busy the connections to them are. One timer a statement, which is one a batch. */
@Singleton
class StoreMetrics {
    private final Meters meters;

    StoreMetrics(Meters meters) {
        this.meters = meters;
    }

    void watch(@Observes @Priority(Interceptor.Priority.LIBRARY_BEFORE) StartupEvent event, Database database,
            SharedRedis redis) {
        database.uses().forEach(use -> watch("postgres", use));
        watch("redis", redis.use());
    }

    private void watch(String store, PoolUse use) {
        Timer timer = meters.timer("millrace." + store + ".command", "pool", use.name());
        use.onEnded(nanos -> timer.record(nanos, TimeUnit.NANOSECONDS));
        meters.gauge("millrace." + store + ".pool.used", use, PoolUse::used, "pool", use.name());
        meters.gauge("millrace." + store + ".pool.connections", use, PoolUse::connections, "pool", use.name());
        meters.gauge("millrace." + store + ".pool.waiting", use, PoolUse::waiting, "pool", use.name());
    }
}
