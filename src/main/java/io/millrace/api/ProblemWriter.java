package io.millrace.api;

import jakarta.inject.Singleton;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;

import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;

/** Ends requests that no resource has seen with a {@link Problem}, as {@link ProblemMapper} ends the others. */
@Singleton
class ProblemWriter {
    // As the framework writes them, to the letter.
    private static final CharSequence CONTENT_TYPE = HttpHeaders.createOptimized("Content-Type");
    private static final CharSequence RETRY_AFTER = HttpHeaders.createOptimized("Retry-After");

    private final ObjectMapper json;

    ProblemWriter(ObjectMapper json) {
        this.json = json;
    }

    void end(RoutingContext context, Problem problem) {
        String path = context.request().path();
        HttpServerResponse response = context.response();
        if (problem.isToBeRepeated()) {
            response.putHeader(RETRY_AFTER, ProblemMapper.RETRY_AFTER_SECONDS);
        }
        response.setStatusCode(problem.status()).putHeader(CONTENT_TYPE, ProblemMapper.mediaType(path))
                .end(write(ProblemMapper.entity(problem, path)));
    }

    private String write(Object entity) {
        try {
            return json.writeValueAsString(entity);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
