package io.millrace.worker;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

import jakarta.inject.Singleton;

import org.jboss.logging.Logger;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;

import io.millrace.handler.Cancellation;
import io.millrace.handler.Deadline;
import io.millrace.handler.JobContext;
import io.millrace.handler.JobHandler;
import io.millrace.handler.JobHandlers;
import io.millrace.handler.JobType;
import io.millrace.handler.RawJson;
import io.millrace.handler.SensitivePaths;
import io.millrace.job.ClaimedJob;
import io.millrace.job.Outcome;
import io.millrace.job.Settlement;
import io.millrace.job.TraceParent;
import io.millrace.settle.Attempt;
import io.millrace.settle.SettleConfig;
import io.millrace.settle.SettlementPolicy;
import io.millrace.settle.Settler;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.Cancellable;
import io.vertx.core.Vertx;

/** Runs one attempt of a claimed job: finds its handler, bounds its time, and has its end recorded. */
@Singleton
public class Runner {
    private static final Logger LOG = Logger.getLogger(Runner.class);
    /** A job of a type this version does not know waits for a worker that does: a rolling update may bring one. */
    private static final Duration UNKNOWN_TYPE_PAUSE = Duration.ofSeconds(30);

    private final Vertx vertx;
    private final JobHandlers handlers;
    private final ObjectMapper json;
    private final Settler settler;
    private final SettlementPolicy policy;
    private final RunningJobs running;
    private volatile Listener onHandlerOver = (job, nanos) -> {};
    private volatile Listener onLeaseLost = (job, nanos) -> {};

    /** Is told how long a handler took. Must not block. */
    @FunctionalInterface
    public interface Listener {
        void over(ClaimedJob job, long nanos);
    }

    Runner(Vertx vertx, JobHandlers handlers, ObjectMapper json, Settler settler, SettleConfig config, RunningJobs running) {
        this.vertx = vertx;
        this.handlers = handlers;
        this.json = json;
        this.settler = settler;
        this.running = running;
        this.policy = new SettlementPolicy(this::write, config.maxResult(), Math::random);
    }

    /** @param listener is told of every handler, whatever came of it */
    public void onHandlerOver(Listener listener) {
        onHandlerOver = listener;
    }

    /** @param listener is told of handlers that were stopped because their lease was lost: nothing is recorded of them */
    public void onLeaseLost(Listener listener) {
        onLeaseLost = listener;
    }

    /**
     * Starts the job; it is in {@link RunningJobs} until its end is recorded.
     *
     * @param onHandlerDone called once, when the handler is over: its slot is free, though the end is not recorded yet
     */
    void start(RunningJob job, Runnable onHandlerDone) {
        running.add(job);
        JobHandler<?> handler = handlers.find(job.job().type());
        if (handler == null) {
            LOG.warnf("%s: no handler for the type here, put off for %s", job.job(), UNKNOWN_TYPE_PAUSE);
            onHandlerDone.run();
            settle(job, new Settlement.Postpone(UNKNOWN_TYPE_PAUSE));
        } else if (job.job().isCancelRequested()) {
            onHandlerDone.run();
            settle(job, new Settlement.Cancel());
        } else {
            run(job, handler, onHandlerDone);
        }
    }

    /** Records that the job is to run later; the attempt does not count. */
    void putOff(RunningJob job, Duration pause) {
        running.add(job);
        settle(job, new Settlement.Postpone(pause));
    }

    private <P> void run(RunningJob job, JobHandler<P> handler, Runnable onHandlerDone) {
        JobType<P> type = handler.type();
        Duration timeout = job.job().options().timeout() != null ? job.job().options().timeout() : type.timeout();
        AtomicBoolean isOver = new AtomicBoolean();
        AtomicReference<Cancellable> subscription = new AtomicReference<>();
        long startedNanos = System.nanoTime();
        job.started(startedNanos);

        job.cancellation().onRequest(() -> {
            if (isOver.compareAndSet(false, true)) {
                Cancellable started = subscription.get();
                if (started != null) {
                    started.cancel();
                }
                onHandlerDone.run();
                onHandlerOver.over(job.job(), System.nanoTime() - startedNanos);
                settleStopped(job, type, timeout);
            }
        });
        Consumer<Outcome> onOutcome = outcome -> {
            if (isOver.compareAndSet(false, true)) {
                onHandlerDone.run();
                onHandlerOver.over(job.job(), System.nanoTime() - startedNanos);
                settle(job, decide(job, type, outcome == null ? new Outcome.Success(null) : outcome));
            }
        };
        subscription.set(attempt(job, handler, timeout).subscribe().with(onOutcome,
                failure -> onOutcome.accept(new Outcome.Retry(failure))));
        if (isOver.get()) {
            subscription.get().cancel(); // told to stop before there was a subscription to cancel; harmless if it has ended
        } else { // most handlers that only compute are over by now: no timer for them
            long timer = vertx.setTimer(Math.max(1, timeout.toMillis()),
                    fired -> job.cancellation().request(Cancellation.Cause.TIMED_OUT));
            job.onSettled(() -> vertx.cancelTimer(timer));
        }
    }

    /** Whatever goes wrong here, an attempt that is over must be recorded: nothing else would ever end the job's lease. */
    private Settlement decide(RunningJob job, JobType<?> type, Outcome outcome) {
        try {
            return withoutSecrets(job.job(), policy.decide(job.job(), type.retry().backoff(), outcome));
        } catch (RuntimeException | Error mistake) {
            LOG.errorf(mistake, "%s: the outcome of its attempt cannot be used", job.job());
            return withoutSecrets(job.job(),
                    policy.decide(job.job(), type.retry().backoff(), new Outcome.Retry(mistake)));
        }
    }

    /** What a handler says of a failure may quote the payload. */
    private Settlement withoutSecrets(ClaimedJob job, Settlement settlement) {
        SensitivePaths sensitive = handlers.sensitive(job.type());
        if (settlement instanceof Settlement.RetryAfter retry) {
            return new Settlement.RetryAfter(retry.delay(), sensitive.strike(job.payload(), retry.failure()));
        } else if (settlement instanceof Settlement.DeadLetter dead) {
            return new Settlement.DeadLetter(sensitive.strike(job.payload(), dead.failure()));
        }
        return settlement;
    }

    private <P> Uni<Outcome> attempt(RunningJob job, JobHandler<P> handler, Duration timeout) {
        try {
            return Objects.requireNonNull(outcome(job, handler, timeout), "the handler returned no Uni");
        } catch (RuntimeException | Error mistake) {
            return Uni.createFrom().failure(mistake);
        }
    }

    private <P> Uni<Outcome> outcome(RunningJob running, JobHandler<P> handler, Duration timeout) {
        ClaimedJob job = running.job();
        P payload;
        try {
            payload = read(job.payload(), handler.type().payload());
        } catch (JsonProcessingException e) {
            return Uni.createFrom().item(new Outcome.Reject("unreadable payload: " + e.getOriginalMessage()));
        }
        if (payload == null) {
            return Uni.createFrom().item(new Outcome.Reject("unreadable payload: it is null"));
        }
        TraceParent trace = job.options().trace();
        JobContext context = new JobContext(job.id(), job.lease().epoch(), job.attempt(), job.maxAttempts(), job.tenant(),
                job.queue(), Deadline.after(timeout), running.cancellation(),
                trace == null ? null : trace.ofAttempt(job.id(), job.lease().epoch()));
        return handler.run(payload, context);
    }

    private <P> P read(String payload, Class<P> type) throws JsonProcessingException {
        return type == RawJson.class ? type.cast(new RawJson(payload)) : json.readValue(payload, type);
    }

    private String write(Object result) throws JsonProcessingException {
        if (result instanceof RawJson raw) {
            return raw.text();
        }
        return result == null ? null : json.writeValueAsString(result);
    }

    private void settleStopped(RunningJob job, JobType<?> type, Duration timeout) {
        switch (job.cancellation().cause()) {
            case TIMED_OUT -> settle(job, policy.decide(job.job(), type.retry().backoff(),
                    new Outcome.Retry(new AttemptTimeoutException(timeout))));
            case CANCELLED -> settle(job, new Settlement.Cancel());
            case SHUTDOWN -> settle(job, new Settlement.Release());
            case LEASE_LOST -> {
                LOG.warnf("%s: stopped, the lease was lost", job.job());
                onLeaseLost.over(job.job(), System.nanoTime() - job.startedNanos());
                over(job);
            }
        }
    }

    private void settle(RunningJob job, Settlement settlement) {
        settler.settle(new Attempt(job.job(), job.entries(), settlement, job.startedNanos(), job::holdsLease)).subscribe().with(
                recorded -> over(job),
                failure -> {
                    LOG.errorf(failure, "%s: the end could not be recorded, the job will run again", job.job());
                    over(job);
                });
    }

    private void over(RunningJob job) {
        running.remove(job);
        job.settled();
    }
}
