package io.millrace.observe;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.millrace.api.Admission;
import io.millrace.api.EnqueueRoute;
import io.millrace.api.RateGate;
import io.millrace.audit.AuditLog;
import io.millrace.effect.Effects;
import io.millrace.intake.Intake;
import io.millrace.job.JobState;
import io.millrace.maintenance.Retention;
import io.millrace.rate.RateLimiter.Limited;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;

/** The figures that {@code /q/metrics} shows. What they count knows nothing of them. */
@Singleton
public class Metrics {
    private final MeterRegistry registry;
    private final List<Meter> watching = new ArrayList<>();

    Metrics(MeterRegistry registry) {
        this.registry = registry;
    }

    void watch(@Observes StartupEvent event, Admission admission, EnqueueRoute shortWay, RateGate rates, Retention retention,
            Intake intake, Effects effects, AuditLog audit) {
        watching.add(Gauge.builder("millrace.requests.in.flight", admission, Admission::requestsInFlight).register(registry));
        watching.add(Gauge.builder("millrace.request.bytes.in.flight", admission, Admission::bytesInFlight).register(registry));
        watching.add(FunctionCounter.builder("millrace.requests.refused", admission, Admission::refusedCount)
                .register(registry));
        watching.add(FunctionCounter.builder("millrace.requests.short.way", shortWay, EnqueueRoute::takenCount)
                .register(registry));
        for (Limited limited : Limited.values()) {
            watching.add(FunctionCounter.builder("millrace.requests.rate.limited", rates, gate -> gate.refusedCount(limited))
                    .tag("limit", limited.label()).register(registry));
        }
        retention.onDeleted(this::countDeleted);
        countReplays("hint", intake, Intake::replaysFoundByHint);
        countReplays("insert", intake, Intake::replaysFoundByInsert);
        countReplays("effect", effects, Effects::doneBeforeCount);
        watching.add(FunctionCounter.builder("millrace.audit.left.out", audit, AuditLog::leftOutCount).register(registry));
    }

    /** The registry outlives the application where that starts anew, and would go on to show the figures of the old one. */
    void forget(@Observes ShutdownEvent event) {
        watching.forEach(registry::remove);
    }

    /** {@code millrace_idempotent_replays_total}: requests that came again, and effects that were asked for again. */
    private <T> void countReplays(String place, T counted, ToDoubleFunction<T> count) {
        watching.add(FunctionCounter.builder("millrace.idempotent.replays", counted, count).tag("place", place)
                .register(registry));
    }

    /** {@code millrace_jobs_deleted_total}. */
    private void countDeleted(String queue, JobState state, int count) {
        registry.counter("millrace.jobs.deleted", "queue", queue, "state", state.name()).increment(count);
    }
}
