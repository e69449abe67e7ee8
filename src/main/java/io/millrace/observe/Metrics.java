package io.millrace.observe;

import java.util.List;

import jakarta.annotation.Priority;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import jakarta.interceptor.Interceptor;

import org.eclipse.microprofile.config.inject.ConfigProperty;

import io.micrometer.core.instrument.Counter;
import io.millrace.api.Admission;
import io.millrace.api.EnqueueRoute;
import io.millrace.api.RateGate;
import io.millrace.audit.AuditLog;
import io.millrace.effect.Effects;
import io.millrace.intake.Intake;
import io.millrace.job.JobState;
import io.millrace.maintenance.Retention;
import io.millrace.rate.RateLimiter.Limited;
import io.millrace.worker.Worker;
import io.quarkus.runtime.StartupEvent;

/** What {@code /q/metrics} shows of requests and of what is kept. What these figures count knows nothing of them: docs/metrics.md. */
@Singleton
class Metrics {
    private static final List<JobState> ENDED = List.of(JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED);

    private record Deleted(String queue, JobState state) {}

    private final Meters meters;
    private final boolean works;
    private final ByLabel<Deleted, Counter> deleted;

    Metrics(Meters meters, @ConfigProperty(name = "millrace.mode") String mode) {
        this.works = !"api".equalsIgnoreCase(mode);
        this.meters = meters;
        this.deleted = new ByLabel<>(JobMetrics.MOST_QUEUES * ENDED.size(), new Deleted(JobMetrics.OTHER, JobState.COMPLETED),
                one -> meters.counter("millrace.jobs.deleted", "queue", one.queue(), "state", one.state().name()));
    }

    void watch(@Observes @Priority(Interceptor.Priority.LIBRARY_BEFORE) StartupEvent event, Admission admission,
            EnqueueRoute shortWay, RateGate rates, Retention retention, Intake intake, Effects effects, AuditLog audit,
            Worker worker) {
        meters.gauge("millrace.requests.in.flight", admission, Admission::requestsInFlight);
        meters.gauge("millrace.request.bytes.in.flight", admission, Admission::bytesInFlight);
        meters.count("millrace.requests.refused", admission, Admission::refusedCount);
        meters.count("millrace.requests.short.way", shortWay, EnqueueRoute::takenCount);
        for (Limited limited : Limited.values()) {
            meters.count("millrace.requests.rate.limited", rates, gate -> gate.refusedCount(limited), "limit", limited.label());
        }
        retention.onDeleted((queue, state, count) -> deleted.get(new Deleted(queue, state)).increment(count));
        if (works) {
            worker.queues().forEach(queue -> ENDED.forEach(state -> deleted.get(new Deleted(queue, state))));
        }
        // Requests that came again, by the place that found them, and effects that were asked for again.
        meters.count("millrace.idempotent.replays", intake, Intake::replaysFoundByHint, "place", "hint");
        meters.count("millrace.idempotent.replays", intake, Intake::replaysFoundByInsert, "place", "insert");
        meters.count("millrace.idempotent.replays", effects, Effects::doneBeforeCount, "place", "effect");
        meters.count("millrace.audit.left.out", audit, AuditLog::leftOutCount);
    }
}
