package io.millrace.handler.trial;

import java.time.Instant;
import java.time.temporal.ChronoUnit;

import jakarta.inject.Singleton;

import io.millrace.handler.JobContext;
import io.millrace.handler.JobHandler;
import io.millrace.handler.JobType;
import io.millrace.handler.RawJson;
import io.millrace.job.Outcome;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.smallrye.mutiny.Uni;

/** Says when it started: for measuring what lies between a job and its handler. */
@Singleton
public class ClockHandler implements JobHandler<RawJson> {
    private static final JobType<RawJson> TYPE = new JobType<>("clock",
            "Returns the time at which it starts, in microseconds since 1970 by the clock of its worker.", RawJson.class, "{}");

    @RegisterForReflection
    record Result(long startedAtUs) {}

    @Override
    public JobType<RawJson> type() {
        return TYPE;
    }

    @Override
    public Uni<Outcome> run(RawJson payload, JobContext context) {
        return Uni.createFrom().item(new Outcome.Success(new Result(ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now()))));
    }
}
