package io.millrace.observe;

import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.millrace.api.Admission;
import io.millrace.api.RateGate;
import io.millrace.job.JobState;
import io.millrace.maintenance.Retention;
import io.millrace.rate.RateLimiter.Limited;
import io.quarkus.runtime.StartupEvent;

/** The figures that {@code /q/metrics} shows. What they count knows nothing of them. */
@Singleton
public class Metrics {
    private final MeterRegistry registry;

    Metrics(MeterRegistry registry) {
        this.registry = registry;
    }

    void watch(@Observes StartupEvent event, Admission admission, RateGate rates, Retention retention) {
        Gauge.builder("millrace.requests.in.flight", admission, Admission::requestsInFlight).register(registry);
        Gauge.builder("millrace.request.bytes.in.flight", admission, Admission::bytesInFlight).register(registry);
        FunctionCounter.builder("millrace.requests.refused", admission, Admission::refusedCount).register(registry);
        for (Limited limited : Limited.values()) {
            FunctionCounter.builder("millrace.requests.rate.limited", rates, gate -> gate.refusedCount(limited))
                    .tag("limit", limited.label()).register(registry);
        }
        retention.onDeleted(this::countDeleted);
    }

    /** {@code millrace_jobs_deleted_total}. */
    private void countDeleted(String queue, JobState state, int count) {
        registry.counter("millrace.jobs.deleted", "queue", queue, "state", state.name()).increment(count);
    }
}
