package io.millrace.api.compat;

import java.time.Instant;
import java.util.Locale;
import java.util.UUID;
import java.util.stream.Stream;

import jakarta.annotation.security.RolesAllowed;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonRawValue;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.millrace.account.Group;
import io.millrace.account.Tenant;
import io.millrace.api.RateGate;
import io.millrace.api.RequestTraces;
import io.millrace.handler.JobHandler;
import io.millrace.handler.JobHandlers;
import io.millrace.handler.SensitivePaths;
import io.millrace.intake.Intake;
import io.millrace.job.Job;
import io.millrace.job.JobState;
import io.millrace.job.NewJob;
import io.millrace.store.JobQueries;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/** The paths of the Redis Streams scheduler. */
@Path("/jobs")
@Produces(MediaType.APPLICATION_JSON)
public class StreamJobsResource {
    private final CompatBody bodies;
    private final JobHandlers handlers;
    private final Intake intake;
    private final JobQueries queries;
    private final Tenant tenant;
    private final RateGate rates;
    private final RequestTraces traces;

    StreamJobsResource(CompatBody bodies, JobHandlers handlers, Intake intake, JobQueries queries, Tenant tenant,
            RateGate rates, RequestTraces traces) {
        this.bodies = bodies;
        this.handlers = handlers;
        this.intake = intake;
        this.queries = queries;
        this.tenant = tenant;
        this.rates = rates;
        this.traces = traces;
    }

    @RegisterForReflection
    public record Created(UUID jobId, String status) {}

    @POST
    @RolesAllowed({Group.PRODUCER, Group.ADMIN})
    @Consumes(MediaType.APPLICATION_JSON)
    public Uni<Response> submit(byte[] body, @Context RoutingContext context) {
        String missing = "Missing type or payload";
        ObjectNode request = bodies.readObject(body, missing);
        JsonNode type = request.path("type");
        JsonNode payload = request.path("payload");
        if (!type.isTextual() || type.asText().isBlank() || payload.isMissingNode() || payload.isNull()) {
            throw CompatError.badRequest(missing);
        }
        // That system's types were in upper case.
        JobHandler<?> handler = handlers.find(type.asText().toLowerCase(Locale.ROOT));
        if (handler == null) {
            throw CompatError
                    .badRequest("Unknown type " + type.asText() + ", known types: " + String.join(", ", handlers.names()));
        }
        completeMail(handler, payload);
        handler.check(payload.toString()).stream().findFirst().ifPresent(fault -> {
            throw CompatError.badRequest("Invalid payload: " + fault);
        });
        NewJob job = bodies.job(handler.type(), tenant.current(), payload, null);
        return rates.enterJobs(context, 1).chain(() -> intake.accept(traces.join(context, job)))
                .map(stored -> Response.status(Response.Status.CREATED)
                        .entity(new Created(stored.id(), JobState.PENDING.name())).build());
    }

    /** That system's mails name nothing but whom they go to. */
    private static void completeMail(JobHandler<?> handler, JsonNode payload) {
        boolean isMail = handler.type().name().equals("email");
        if (isMail && payload instanceof ObjectNode mail && !mail.has("text") && !mail.has("html") && !mail.has("template")) {
            mail.put("template", "welcome");
        }
    }

    /**
     * A job as that system showed it.
     *
     * @param redisId always null: an entry of a stream is a delivery here, not an identity
     */
    @RegisterForReflection
    public record JobRow(UUID id, @JsonProperty("redis_id") String redisId, String status, @JsonRawValue String payload,
            @JsonRawValue String result, @JsonProperty("created_at") Instant createdAt,
            @JsonProperty("updated_at") Instant updatedAt) {

        static JobRow of(Job job, SensitivePaths sensitive) {
            Instant updated = Stream.of(job.createdAt(), job.startedAt(), job.finishedAt()).filter(time -> time != null)
                    .max(Instant::compareTo).orElseThrow();
            return new JobRow(job.id(), null, status(job.state()), sensitive.mask(job.payload()),
                    sensitive.mask(job.result()), job.createdAt(), updated);
        }

        private static String status(JobState state) {
            return switch (state) {
                case SCHEDULED, PENDING, RETRYING -> "PENDING";
                case PROCESSING -> "PROCESSING";
                case COMPLETED -> "COMPLETED";
                case FAILED, CANCELLED -> "FAILED";
            };
        }
    }

    @GET
    @RolesAllowed({Group.PRODUCER, Group.VIEWER, Group.OPERATOR, Group.ADMIN})
    @Path("/{id}")
    public Uni<JobRow> get(@PathParam("id") String id) {
        return queries.find(tenant.current(), CompatIds.parse(id))
                .onItem().ifNull().failWith(CompatError::noSuchJob)
                .map(job -> JobRow.of(job, handlers.sensitive(job.type())));
    }
}
