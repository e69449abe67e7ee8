package io.millrace.api;

import java.time.Duration;
import java.util.List;

import jakarta.annotation.security.RolesAllowed;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;

import com.fasterxml.jackson.annotation.JsonRawValue;

import io.millrace.account.Group;
import io.millrace.handler.JobHandlers;
import io.millrace.handler.JobType;
import io.millrace.handler.SensitivePaths;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.smallrye.common.annotation.NonBlocking;

/** The job types this process knows. */
@Path("/v1/job-types")
@Produces(MediaType.APPLICATION_JSON)
public class JobTypesResource {
    private final Listing listing;

    JobTypesResource(JobHandlers handlers) {
        listing = new Listing(handlers.types().stream().map(type -> TypeView.of(type, handlers.sensitive(type.name())))
                .toList());
    }

    @RegisterForReflection
    public record Listing(List<TypeView> data) {}

    /**
     * A job type with its defaults and a payload that works.
     *
     * @param sensitive JSON Pointers into payloads and results of what is shown as {@code ***}
     */
    @RegisterForReflection
    public record TypeView(String type, String description, String queue, Duration timeout, RetryView retry,
            @JsonRawValue String example, List<String> sensitive) {
        static TypeView of(JobType<?> type, SensitivePaths sensitive) {
            return new TypeView(type.name(), type.description(), type.queue(), type.timeout(),
                    new RetryView(type.retry().maxAttempts(), type.retry().backoff().curve().label(),
                            type.retry().backoff().base(),
                            type.retry().backoff().cap(), type.retry().backoff().jitter().label()),
                    type.example(), sensitive.pointers());
        }
    }

    @RegisterForReflection
    public record RetryView(int maxAttempts, String backoff, Duration base, Duration cap, String jitter) {}

    @GET
    @RolesAllowed({Group.PRODUCER, Group.VIEWER, Group.OPERATOR, Group.ADMIN})
    @NonBlocking
    public Listing list() {
        return listing;
    }
}
