package io.millrace.worker;

import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

import io.millrace.handler.JobContext;
import io.millrace.handler.JobHandler;
import io.millrace.handler.JobType;
import io.millrace.handler.RawJson;
import io.millrace.job.Outcome;
import io.smallrye.mutiny.Uni;

/** Runs each job until the test says that it is done. */
final class HeldHandler implements JobHandler<RawJson> {
    final ConcurrentHashMap<UUID, CompletableFuture<Outcome>> held = new ConcurrentHashMap<>();

    @Override
    public JobType<RawJson> type() {
        return new JobType<>("echo", "Is held.", RawJson.class, "{}");
    }

    @Override
    public Uni<Outcome> run(RawJson payload, JobContext context) {
        return Uni.createFrom().completionStage(held.computeIfAbsent(context.jobId(), id -> new CompletableFuture<>()));
    }

    void finish(UUID id) {
        held.remove(id).complete(new Outcome.Success(null));
    }
}
