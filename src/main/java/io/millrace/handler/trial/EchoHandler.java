package io.millrace.handler.trial;

import jakarta.inject.Singleton;

import com.fasterxml.jackson.databind.JsonNode;

import io.millrace.handler.JobContext;
import io.millrace.handler.JobHandler;
import io.millrace.handler.JobType;
import io.millrace.job.Outcome;
import io.smallrye.mutiny.Uni;

/** Returns its payload: for trying the way through, and for measuring it. */
@Singleton
public class EchoHandler implements JobHandler<JsonNode> {
    private static final JobType<JsonNode> TYPE = new JobType<>("echo", "Returns its payload.", JsonNode.class,
            "{\"hello\": \"world\"}");

    @Override
    public JobType<JsonNode> type() {
        return TYPE;
    }

    @Override
    public Uni<Outcome> run(JsonNode payload, JobContext context) {
        return Uni.createFrom().item(new Outcome.Success(payload));
    }
}
