package io.millrace.observe;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import jakarta.annotation.Priority;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import jakarta.interceptor.Interceptor;

import org.eclipse.microprofile.config.inject.ConfigProperty;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Timer;
import io.millrace.batch.Batcher;
import io.millrace.intake.Intake;
import io.millrace.job.ClaimedJob;
import io.millrace.job.JobTransition;
import io.millrace.job.NewJob;
import io.millrace.settle.Attempt;
import io.millrace.settle.Settler;
import io.millrace.worker.Claimer;
import io.millrace.worker.Runner;
import io.millrace.worker.RunningJobs;
import io.millrace.worker.Worker;
import io.quarkus.runtime.StartupEvent;

/**
 * What becomes of jobs, and how long it takes. This is the only part that does something for every job: one counter and one timer at
 * its claim and at its end, each found by one hash.
 */
@Singleton
class JobMetrics {
    /** Pairs of queue and type that have series of their own; each has about thirty. Further ones count as "other". */
    static final int MOST_KINDS = 100;
    /** Queues that have series of their own. Further ones count as "other". */
    static final int MOST_QUEUES = 100;
    static final String OTHER = "other";

    /** The events that end an attempt and are recorded by the worker that ran it. */
    private static final List<JobTransition> OUTCOMES = List.of(JobTransition.COMPLETED, JobTransition.RETRIED,
            JobTransition.SNOOZED, JobTransition.DEAD_LETTERED, JobTransition.RELEASED, JobTransition.CANCELLED);

    private record Kind(String queue, String type) {}

    private final Meters meters;
    private final AttemptSpans spans;
    private final boolean works;
    private final ByLabel<Kind, Counter> submitted;
    private final ByLabel<Kind, Timer> durations;
    private final ByLabel<Kind, Map<JobTransition, Counter>> attempts;
    private final ByLabel<String, Timer> startLatencies;
    private final ByLabel<String, Counter> stale;

    JobMetrics(Meters meters, AttemptSpans spans, @ConfigProperty(name = "millrace.mode") String mode) {
        this.works = !"api".equalsIgnoreCase(mode);
        this.meters = meters;
        this.spans = spans;
        Kind others = new Kind(OTHER, OTHER);
        this.submitted = new ByLabel<>(MOST_KINDS, others, kind -> meters.counter("millrace.jobs.submitted", labels(kind)));
        this.durations = new ByLabel<>(MOST_KINDS, others, kind -> meters.timer("millrace.attempt.duration", labels(kind)));
        this.attempts = new ByLabel<>(MOST_KINDS, others, this::attemptsOf);
        this.startLatencies = new ByLabel<>(MOST_QUEUES, OTHER,
                queue -> meters.timer("millrace.start.latency", "queue", queue));
        this.stale = new ByLabel<>(MOST_QUEUES, OTHER, queue -> meters.counter("millrace.stale.settles", "queue", queue));
    }

    /** Before anything runs. */
    void watch(@Observes @Priority(Interceptor.Priority.LIBRARY_BEFORE) StartupEvent event, Intake intake, Claimer claimer,
            Runner runner, Settler settler, RunningJobs running, Worker worker) {
        intake.onAccepted(this::accepted);
        intake.onCancelled(JobLog::cancelled);
        intake.onReplayed(JobLog::replayed);
        claimer.onClaimed(this::claimed);
        runner.onHandlerOver((job, nanos) -> durations.get(kind(job)).record(nanos, TimeUnit.NANOSECONDS));
        settler.onRecorded(this::recorded);
        runner.onLeaseLost(spans::lost);
        settler.onStale(this::stale);
        meters.count("millrace.dispatched", intake, Intake::dispatchedCount, "way", "accepted");
        intake.batchers().forEach(this::watchBatches);
        if (works) {
            meters.gauge("millrace.in.flight", running, RunningJobs::count);
            meters.gauge("millrace.worker.slots", worker, Worker::slotCount);
            claimer.batchers().forEach(this::watchBatches);
            settler.batchers().forEach(this::watchBatches);
            worker.queues().forEach(startLatencies::get);
            worker.queues().forEach(stale::get);
        }
    }

    private void watchBatches(Batcher<?, ?> batcher) {
        meters.count("millrace.batches", batcher, Batcher::flushCount, "batch", batcher.name());
        meters.count("millrace.batch.items", batcher, Batcher::flushedItemCount, "batch", batcher.name());
        meters.gauge("millrace.batch.waiting", batcher, Batcher::waitingCount, "batch", batcher.name());
    }

    private void accepted(NewJob job) {
        JobLog.accepted(job);
        submitted.get(new Kind(job.queue(), job.type())).increment();
    }

    private void claimed(ClaimedJob job) {
        JobLog.claimed(job);
        if (job.waitedUs() != ClaimedJob.RAN_BEFORE) {
            startLatencies.get(job.queue()).record(job.waitedUs(), TimeUnit.MICROSECONDS);
        }
    }

    private void recorded(Attempt attempt) {
        JobLog.recorded(attempt.job(), attempt.settlement());
        spans.recorded(attempt);
        attempts.get(kind(attempt.job())).get(attempt.settlement().transition()).increment();
    }

    private void stale(Attempt attempt) {
        spans.lost(attempt.job(), System.nanoTime() - attempt.startedNanos());
        stale.get(attempt.job().queue()).increment();
    }

    /** All outcomes at once: a series that begins with 1 has no increase that Prometheus could see. */
    private Map<JobTransition, Counter> attemptsOf(Kind kind) {
        Map<JobTransition, Counter> byOutcome = new EnumMap<>(JobTransition.class);
        for (JobTransition outcome : OUTCOMES) {
            byOutcome.put(outcome, meters.counter("millrace.attempts", labels(kind, "outcome",
                    outcome.name().toLowerCase(Locale.ROOT))));
        }
        meters.count("millrace.retries", byOutcome.get(JobTransition.RETRIED), Counter::count, labels(kind));
        return byOutcome;
    }

    private static Kind kind(ClaimedJob job) {
        return new Kind(job.queue(), job.type());
    }

    private static String[] labels(Kind kind, String... more) {
        String[] labels = Arrays.copyOf(new String[]{"queue", kind.queue(), "type", kind.type()}, 4 + more.length);
        System.arraycopy(more, 0, labels, 4, more.length);
        return labels;
    }
}
