package io.millrace.handler.trial;

import jakarta.inject.Singleton;

import io.millrace.handler.JobContext;
import io.millrace.handler.JobHandler;
import io.millrace.handler.JobType;
import io.millrace.handler.RawJson;
import io.millrace.job.Outcome;
import io.smallrye.mutiny.Uni;

/** Returns its payload: for trying the way through, and for measuring it. */
@Singleton
public class EchoHandler implements JobHandler<RawJson> {
    private static final JobType<RawJson> TYPE = new JobType<>("echo", "Returns its payload, to the byte.", RawJson.class,
            "{\"hello\": \"world\"}");

    @Override
    public JobType<RawJson> type() {
        return TYPE;
    }

    @Override
    public Uni<Outcome> run(RawJson payload, JobContext context) {
        return Uni.createFrom().item(new Outcome.Success(payload));
    }
}
