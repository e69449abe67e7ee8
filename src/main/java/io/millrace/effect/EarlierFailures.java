package io.millrace.effect;

import jakarta.inject.Singleton;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import io.millrace.job.AttemptId;
import io.millrace.job.Job;
import io.millrace.store.JobQueries;
import io.smallrye.mutiny.Uni;

/**
 * What a handler said of the attempt before: the detail of an {@link io.millrace.job.Outcome.Retry} is written in the transaction that
 * records the attempt, so the next one can rely on it. One that died, or ran out of time, has left none.
 */
@Singleton
public class EarlierFailures {
    private final JobQueries queries;
    private final ObjectMapper json;

    EarlierFailures(JobQueries queries, ObjectMapper json) {
        this.queries = queries;
        this.json = json;
    }

    /** @return JSON; null if there is none */
    public Uni<String> lastDetail(AttemptId attempt) {
        return queries.find(attempt.tenant(), attempt.jobId()).map(this::detail);
    }

    private String detail(Job job) {
        if (job == null || job.failure() == null) {
            return null;
        }
        try {
            JsonNode detail = json.readTree(job.failure()).path("detail");
            return detail.isObject() ? detail.toString() : null;
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("the failure of job " + job.id() + " cannot be read", e);
        }
    }
}
