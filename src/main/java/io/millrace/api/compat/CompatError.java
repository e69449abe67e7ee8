package io.millrace.api.compat;

import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

import org.jboss.resteasy.reactive.server.ServerExceptionMapper;

import io.quarkus.runtime.annotations.RegisterForReflection;

/** Ends a request the way the older systems did: {@code {"error": "..."}}. */
final class CompatError extends RuntimeException {
    private final int status;

    private CompatError(int status, String message) {
        super(message, null, false, false);
        this.status = status;
    }

    static CompatError badRequest(String message) {
        return new CompatError(400, message);
    }

    static CompatError tooLarge(int limit) {
        return new CompatError(413, "the body has more than " + limit + " bytes");
    }

    static CompatError noSuchJob() {
        return new CompatError(404, "Job not found");
    }

    @RegisterForReflection
    record Body(String error) {}

    static class Mapper {
        @ServerExceptionMapper
        Response answer(CompatError error) {
            return Response.status(error.status).type(MediaType.APPLICATION_JSON).entity(new Body(error.getMessage())).build();
        }
    }
}
