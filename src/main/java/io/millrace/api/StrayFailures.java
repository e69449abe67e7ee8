package io.millrace.api;

import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;

import io.quarkus.security.AuthenticationException;
import io.quarkus.vertx.http.ManagementInterface;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;

/** Answers what fails before or beside the resources, where {@link ProblemMapper} is not asked, with a {@link Problem}, too. */
@Singleton
class StrayFailures {
    /** Before Quarkus's own, which shows stack traces in dev mode. */
    private static final int ORDER = -1_000;
    private static final int NOT_FOUND = 404;
    private static final int FIRST_OF_OURS = 500;

    private final ObjectMapper json;

    StrayFailures(ObjectMapper json) {
        this.json = json;
    }

    void register(@Observes Router router) {
        watch(router);
    }

    void register(@Observes ManagementInterface management) {
        watch(management.router());
    }

    private void watch(Router router) {
        router.route().order(ORDER).failureHandler(this::answer);
        router.errorHandler(NOT_FOUND, this::answer);
    }

    private void answer(RoutingContext context) {
        HttpServerResponse response = context.response();
        if (response.ended()) {
            return; // it was refused while its body still came
        }
        if (context.failure() instanceof AuthenticationException) {
            context.next();
        } else if (response.headWritten()) {
            context.request().connection().close(); // what was sent of an answer is not the whole
        } else {
            Problem problem = problem(context);
            String path = context.request().path() == null ? "/" : context.request().path();
            response.setStatusCode(problem.status()).putHeader(HttpHeaders.CONTENT_TYPE, ProblemMapper.mediaType(path))
                    .end(write(ProblemMapper.entity(problem, path)));
        }
    }

    private static Problem problem(RoutingContext context) {
        int status = context.statusCode();
        return status >= 400 && status < FIRST_OF_OURS
                ? ProblemMapper.refusal(status)
                : ProblemMapper.mistake(context.failure()).problem();
    }

    private String write(Object entity) {
        try {
            return json.writeValueAsString(entity);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
