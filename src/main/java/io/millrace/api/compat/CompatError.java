package io.millrace.api.compat;

import java.time.Duration;

import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

import org.jboss.resteasy.reactive.server.ServerExceptionMapper;

import io.millrace.account.RefusedException;
import io.quarkus.runtime.annotations.RegisterForReflection;

/** Ends a request the way the older systems did: {@code {"error": "..."}}. */
final class CompatError extends RuntimeException {
    private final int status;
    private final transient Duration retryAfter;

    private CompatError(int status, String message) {
        this(status, message, null);
    }

    private CompatError(int status, String message, Duration retryAfter) {
        super(message, null, false, false);
        this.status = status;
        this.retryAfter = retryAfter;
    }

    static CompatError of(RefusedException refused) {
        return new CompatError(refused.reason().status(), refused.getMessage(), refused.retryAfter());
    }

    static CompatError badRequest(String message) {
        return new CompatError(400, message);
    }

    static CompatError tooLarge(int limit) {
        return new CompatError(413, "the body has more than " + limit + " bytes");
    }

    static CompatError contended() {
        return new CompatError(503, "Too many requests for the same email and name at once", Duration.ofSeconds(1));
    }

    static CompatError tooSlow() {
        return new CompatError(503, "The query took too long", Duration.ofSeconds(1));
    }

    static CompatError noSuchJob() {
        return new CompatError(404, "Job not found");
    }

    @RegisterForReflection
    record Body(String error) {}

    static class Mapper {
        @ServerExceptionMapper
        Response answer(CompatError error) {
            Response.ResponseBuilder answer = Response.status(error.status).type(MediaType.APPLICATION_JSON)
                    .entity(new Body(error.getMessage()));
            if (error.retryAfter != null) {
                answer.header("Retry-After", Math.max(1, error.retryAfter.toSeconds()));
            }
            return answer.build();
        }
    }
}
