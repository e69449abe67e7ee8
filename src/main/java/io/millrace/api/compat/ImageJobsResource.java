package io.millrace.api.compat;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

import jakarta.annotation.security.RolesAllowed;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.millrace.account.Group;
import io.millrace.account.Tenant;
import io.millrace.api.ApiConfig;
import io.millrace.api.RateGate;
import io.millrace.api.RequestTraces;
import io.millrace.handler.JobHandlers;
import io.millrace.intake.Intake;
import io.millrace.job.Job;
import io.millrace.job.NewJob;
import io.millrace.store.JobQueries;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/** The paths of the image job scheduler: visits of stores, whose pictures are downloaded and measured at a given time. */
@Path("/")
@Produces(MediaType.APPLICATION_JSON)
public class ImageJobsResource {
    private static final String TYPE = "image";

    private final CompatBody bodies;
    private final CompatConfig config;
    private final ApiConfig limits;
    private final JobHandlers handlers;
    private final Intake intake;
    private final JobQueries queries;
    private final ObjectMapper json;
    private final Tenant tenant;
    private final RateGate rates;
    private final RequestTraces traces;

    ImageJobsResource(CompatBody bodies, CompatConfig config, ApiConfig limits, JobHandlers handlers, Intake intake,
            JobQueries queries, ObjectMapper json, Tenant tenant, RateGate rates, RequestTraces traces) {
        this.bodies = bodies;
        this.config = config;
        this.limits = limits;
        this.handlers = handlers;
        this.intake = intake;
        this.queries = queries;
        this.json = json;
        this.tenant = tenant;
        this.rates = rates;
        this.traces = traces;
    }

    @RegisterForReflection
    @JsonNaming(SnakeCaseStrategy.class)
    public record Scheduled(UUID jobId, String message) {}

    @POST
    @RolesAllowed({Group.PRODUCER, Group.ADMIN})
    @Path("processJob")
    @Consumes(MediaType.APPLICATION_JSON)
    public Uni<Scheduled> processJob(byte[] body, @Context RoutingContext context) {
        ObjectNode request = bodies.readObject(body, "Missing keys");
        checkVisits(request);
        Instant runAt = scheduledTime(request.remove("scheduled_time"));
        NewJob job = bodies.job(handlers.find(TYPE).type(), tenant.current(), request, runAt);
        return rates.enterJobs(context, 1).chain(() -> intake.accept(traces.join(context, job)))
                .map(stored -> new Scheduled(stored.id(), "Job scheduled for processing"));
    }

    private static void checkVisits(ObjectNode request) {
        JsonNode count = request.path("count");
        JsonNode visits = request.path("visits");
        if (!count.isNumber() || !visits.isArray()) {
            throw CompatError.badRequest("Missing keys");
        }
        if (!count.canConvertToExactIntegral() || visits.size() != count.asLong()) {
            throw CompatError.badRequest("Visits length should be equal to count");
        }
        if (visits.isEmpty()) {
            throw CompatError.badRequest("No visits provided");
        }
        for (JsonNode visit : visits) {
            boolean hasUrls = visit.path("image_url").isArray() && !visit.path("image_url").isEmpty();
            if (!visit.path("store_id").isTextual() || !hasUrls) {
                throw CompatError.badRequest("Missing keys");
            }
            visit.path("image_url").forEach(url -> {
                if (!url.isTextual()) {
                    throw CompatError.badRequest("image_url must be a list of strings");
                }
            });
        }
    }

    /** @return null for now; a time in the past is now, too */
    private Instant scheduledTime(JsonNode time) {
        if (time == null || time.isNull()) {
            return null;
        }
        Instant instant = parse(time.asText());
        if (instant.isAfter(Instant.now().plus(limits.maxDelay()))) {
            throw CompatError.badRequest("scheduled_time must be within " + limits.maxDelay() + " from now");
        }
        return instant.isBefore(Instant.EPOCH) ? null : instant;
    }

    private Instant parse(String text) {
        try {
            return OffsetDateTime.parse(text).toInstant();
        } catch (DateTimeException noOffset) {
            try {
                return ZonedDateTime.of(LocalDateTime.parse(text), config.zone()).toInstant();
            } catch (DateTimeException e) {
                throw CompatError
                        .badRequest("scheduled_time must be a time such as 2030-01-31T10:57:00+05:30; without an offset it is "
                                + config.zone());
            }
        }
    }

    /** What is wrong with the images of one store. */
    @RegisterForReflection
    @JsonNaming(SnakeCaseStrategy.class)
    public record StoreError(String storeId, String error) {}

    @RegisterForReflection
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @JsonNaming(SnakeCaseStrategy.class)
    public record Status(UUID jobId, String status, List<StoreError> error) {}

    @GET
    @RolesAllowed({Group.PRODUCER, Group.VIEWER, Group.OPERATOR, Group.ADMIN})
    @Path("api/status/{jobId}")
    public Uni<Status> status(@PathParam("jobId") String jobId) {
        return queries.find(tenant.current(), CompatIds.parse(jobId))
                .onItem().ifNull().failWith(CompatError::noSuchJob)
                .map(this::status);
    }

    private Status status(Job job) {
        return switch (job.state()) {
            case SCHEDULED, PENDING, PROCESSING, RETRYING -> new Status(job.id(), "ongoing", null);
            case COMPLETED -> new Status(job.id(), "completed", null);
            case FAILED -> new Status(job.id(), "failed", storeErrors(job));
            case CANCELLED -> new Status(job.id(), "failed", List.of(new StoreError("", "the job was cancelled")));
        };
    }

    private List<StoreError> storeErrors(Job job) {
        List<StoreError> errors = new ArrayList<>();
        try {
            JsonNode failure = json.readTree(job.failure());
            failure.path("detail").path("errors")
                    .forEach(error -> errors.add(new StoreError(error.path("storeId").asText(), error.path("error").asText())));
            if (errors.isEmpty()) {
                errors.add(new StoreError("", failure.path("message").asText()));
            }
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("the failure of job " + job.id() + " cannot be read", e);
        }
        return errors;
    }
}
