package io.millrace.api;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import jakarta.annotation.security.RolesAllowed;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;

import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;

import com.fasterxml.jackson.annotation.JsonInclude;

import io.millrace.account.CurrentCaller;
import io.millrace.account.Group;
import io.millrace.account.Tenant;
import io.millrace.audit.AuditAction;
import io.millrace.audit.AuditEntry;
import io.millrace.handler.JobHandlers;
import io.millrace.handler.SensitivePaths;
import io.millrace.intake.Intake;
import io.millrace.job.Artifact;
import io.millrace.job.Job;
import io.millrace.job.JobState;
import io.millrace.job.KeyedJob;
import io.millrace.store.Database;
import io.millrace.store.JobQueries;
import io.millrace.store.KeyStore;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.smallrye.common.annotation.Blocking;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/** Jobs: hand in, look at, list. */
@Path(JobsResource.PATH)
@RegisterForReflection // EnqueueRoute reads a rule
@Produces(MediaType.APPLICATION_JSON)
public class JobsResource {
    static final String PATH = "/v1/jobs";
    static final String BULK = "/bulk";
    static final String NDJSON = "application/x-ndjson";

    private static final char NUL = 0;
    private static final Pattern SECONDS = Pattern.compile("(\\d{1,4})s?");
    private static final Pattern PREFER_WAIT = Pattern.compile("(?:^|[,;\\s])wait=(\\d{1,4})(?:$|[,;\\s])");

    private final JobReader reader;
    private final JobHandlers handlers;
    private final Intake intake;
    private final JobQueries queries;
    private final EndWatcher ends;
    private final Admission admission;
    private final ApiConfig config;
    private final Tenant tenant;
    private final CurrentCaller caller;
    private final RateGate rates;
    private final RequestTraces traces;

    JobsResource(JobReader reader, JobHandlers handlers, Intake intake, JobQueries queries, EndWatcher ends,
            Admission admission, ApiConfig config, Tenant tenant, CurrentCaller caller, RateGate rates,
            RequestTraces traces) {
        this.reader = reader;
        this.handlers = handlers;
        this.intake = intake;
        this.queries = queries;
        this.ends = ends;
        this.admission = admission;
        this.config = config;
        this.tenant = tenant;
        this.caller = caller;
        this.rates = rates;
        this.traces = traces;
    }

    /**
     * 201 means that the job is committed to PostgreSQL; 200 that a job with its {@code uniqueKey} was there and is answered, or was
     * replaced. A request that is repeated with the same {@code Idempotency-Key} gets the first answer again, status included, as
     * draft-ietf-httpapi-idempotency-key-header has it: whoever missed that answer need not know that there was one.
     *
     * <p>
     * Most requests never get here: see {@link EnqueueRoute}.
     */
    @POST
    @RolesAllowed({Group.PRODUCER, Group.ADMIN})
    @Consumes(MediaType.APPLICATION_JSON)
    public Uni<Response> enqueue(byte[] body,
            @Parameter(description = "1 to 255 visible ASCII characters; the same as the field "
                    + "idempotencyKey") @HeaderParam(IdempotencyHeader.NAME) List<String> idempotencyKey,
            @Context RoutingContext request) {
        String whose = tenant.current();
        return rates.enterJobs(request, 1)
                .chain(() -> enqueue(traces.join(request,
                        reader.readJob(body, whose, IdempotencyHeader.read(idempotencyKey)))));
    }

    private Uni<Response> enqueue(KeyedJob keyed) {
        return intake.accept(keyed).map(receipt -> {
            Accepted accepted = Accepted.of(keyed.job(), receipt);
            // Not Response.created: it asks for the request that this thread serves, and a batch serves many.
            Response.ResponseBuilder answer = Response.status(Accepted.status(receipt)).header("Location", accepted.location());
            if (receipt.isReplayed()) {
                answer.header(IdempotencyHeader.REPLAYED, "true");
            }
            return answer.entity(accepted).build();
        });
    }

    /**
     * One result per job handed in: what was stored, or what is wrong.
     *
     * @param replayed true if it was handed in with the same idempotency key before
     */
    @RegisterForReflection
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record BulkItem(int status, Accepted job, Problem problem, Boolean replayed) {}

    @RegisterForReflection
    public record BulkResult(int accepted, int refused, List<BulkItem> items) {}

    /** One bad job does not fail the others; {@code items} has a result for each, in order. */
    @POST
    @RolesAllowed({Group.PRODUCER, Group.ADMIN})
    @Blocking // reading megabytes of JSON would hold up an event loop
    @Path(BULK)
    @Consumes({MediaType.APPLICATION_JSON, NDJSON})
    public Uni<BulkResult> enqueueBulk(byte[] body, @HeaderParam("Content-Type") MediaType contentType,
            @HeaderParam(IdempotencyHeader.NAME) List<String> idempotencyKey, @Context UriInfo uri,
            @Context RoutingContext request) {
        IdempotencyHeader.refuseForMany(idempotencyKey);
        QueryParameters.refuseUnknown(uri, List.of());
        boolean isLines = contentType != null && contentType.isCompatible(MediaType.valueOf(NDJSON));
        List<JobReader.Item> items = reader.readJobs(body, isLines, tenant.current());
        if (items.isEmpty()) {
            return Uni.createFrom().item(new BulkResult(0, 0, List.of()));
        }
        admission.enterBulk(request, items.size());
        return rates.enterJobs(request, items.size()).chain(() -> accept(items, request));
    }

    private Uni<BulkResult> accept(List<JobReader.Item> items, RoutingContext request) {
        List<Uni<BulkItem>> results = new ArrayList<>(items.size());
        items.forEach(item -> results.add(accept(item, request)));
        return Uni.join().all(results).andFailFast().map(all -> {
            int accepted = (int) all.stream().filter(item -> item.job() != null).count();
            return new BulkResult(accepted, all.size() - accepted, all);
        });
    }

    private Uni<BulkItem> accept(JobReader.Item item, RoutingContext request) {
        if (item.problem() != null) {
            return Uni.createFrom().item(refused(item.problem()));
        }
        return intake.accept(traces.join(request, item.job()))
                .map(receipt -> new BulkItem(Accepted.status(receipt), Accepted.of(item.job().job(), receipt), null,
                        receipt.isReplayed() ? true : null))
                .onFailure().recoverWithItem(failure -> refused(ProblemMapper.problemOf(failure)));
    }

    private static BulkItem refused(ProblemException failure) {
        return new BulkItem(failure.problem().status(), null, failure.problem(), null);
    }

    /** With {@code ?wait=20s} or {@code Prefer: wait=20}, answers when the job has ended, or the time is up, or this process stops. */
    @GET
    @RolesAllowed({Group.PRODUCER, Group.VIEWER, Group.OPERATOR, Group.ADMIN})
    @Path("/{id}")
    public Uni<JobView> get(@PathParam("id") String idText, @QueryParam("wait") String wait,
            @HeaderParam("Prefer") String prefer, @QueryParam("expand") String expand, @Context UriInfo uri,
            @Context RoutingContext request) {
        QueryParameters.refuseUnknown(uri, List.of("wait", "expand"));
        if (expand != null && !expand.equals("attempts")) {
            throw ListParameters.invalid("expand", "must be attempts");
        }
        UUID id = id(idText);
        Duration limit = wait(wait, prefer);
        String whose = tenant.current();
        return find(whose, id)
                .chain(job -> job.state().isTerminal() || limit.isZero()
                        ? Uni.createFrom().item(job)
                        : admission.aside(request, ends.awaitEnd(id, limit)).chain(() -> find(whose, id)))
                .chain(job -> "attempts".equals(expand)
                        ? queries.findAttempts(whose, id).map(attempts -> view(job, attempts))
                        : Uni.createFrom().item(view(job, null)));
    }

    private Uni<Job> find(String whose, UUID id) {
        return queries.find(whose, id).onItem().ifNull().failWith(() -> noSuchJob(id.toString()));
    }

    /** A page of jobs. */
    @RegisterForReflection
    public record Page(List<JobView> data, String nextCursor) {}

    /** Newest first. A payload or result of more than 4,000 characters is left out: read it with the job. */
    @GET
    @RolesAllowed({Group.PRODUCER, Group.VIEWER, Group.OPERATOR, Group.ADMIN})
    public Uni<Page> list(@QueryParam("state") String state, @QueryParam("queue") String queue, @QueryParam("type") String type,
            @QueryParam("tag") String tag, @QueryParam("createdAfter") String createdAfter,
            @Parameter(schema = @Schema(type = SchemaType.INTEGER)) @QueryParam("limit") String limit,
            @QueryParam("cursor") String cursor, @Context UriInfo uri) {
        QueryParameters.refuseUnknown(uri, List.of("state", "queue", "type", "tag", "createdAfter", "limit", "cursor"));
        JobState wanted = state == null
                ? null
                : JobState.named(state)
                        .orElseThrow(() -> ListParameters.invalid("state", "must be one of " + List.of(JobState.values())));
        return page(wanted, queue, type, tag, createdAfter, limit, cursor);
    }

    /** @param state null for any */
    Uni<Page> page(JobState state, String queue, String type, String tag, String createdAfter, String limit, String cursor) {
        int most = ListParameters.limit(limit);
        JobQueries.Filter filter = new JobQueries.Filter(ListParameters.behind(cursor),
                ListParameters.notBefore("createdAfter", createdAfter), state, ListParameters.name("queue", queue),
                ListParameters.name("type", type), ListParameters.name("tag", tag), most);
        return queries.list(tenant.current(), filter)
                .onFailure(Database::isTooSlow)
                .transform(failure -> ProblemException.tooSlow("Narrow it: name a queue, a type or createdAfter."))
                .map(found -> new Page(found.stream().map(job -> view(job, null)).toList(),
                        found.size() < most ? null : ListParameters.cursor(found.get(found.size() - 1).id())));
    }

    /**
     * Cancels a job: 200 with the job if it had not started, 202 if it runs and its worker will be told with the next heartbeat,
     * 409 if it has ended.
     */
    @POST
    @RolesAllowed({Group.PRODUCER, Group.OPERATOR, Group.ADMIN})
    @Path("/{id}/cancel")
    public Uni<Response> cancel(@PathParam("id") String idText, @Context RoutingContext request) {
        UUID id = id(idText);
        String whose = tenant.current();
        AuditEntry entry = caller.actor().did(AuditAction.JOB_CANCEL, id);
        return rates.enterRequest(request).chain(() -> intake.cancel(whose, id, entry))
                .chain(state -> find(whose, id).map(job -> {
                    if (state == null && job.state() != JobState.CANCELLED) {
                        throw ProblemException.wrongState(
                                "the job is " + job.state() + ": it has ended and cannot be cancelled",
                                "Look at the job.");
                    }
                    Response.Status status = state == JobState.PROCESSING ? Response.Status.ACCEPTED : Response.Status.OK;
                    return Response.status(status).entity(view(job, null)).build();
                }));
    }

    /**
     * Makes a job that was given up or cancelled ready again, with all its attempts; a body {@code {"payload": ...}} replaces its
     * payload. Of many who try at once, one gets 200, the others 409.
     */
    @POST
    @RolesAllowed({Group.PRODUCER, Group.OPERATOR, Group.ADMIN})
    @Path("/{id}/retry")
    public Uni<JobView> retry(@PathParam("id") String idText, byte[] body, @Context RoutingContext request) {
        UUID id = id(idText);
        String payload = reader.readPatch(body);
        String whose = tenant.current();
        AuditEntry entry = caller.actor().did(AuditAction.JOB_RETRY, id).with("newPayload", payload != null);
        return rates.enterJobs(request, 1)
                .chain(() -> checkPatch(whose, id, payload))
                .chain(() -> intake.replay(whose, id, payload, entry))
                .onFailure(KeyStore::isOvertaken).transform(failure -> ProblemException.uniqueKeyTaken())
                .chain(replayed -> find(whose, id).map(job -> {
                    if (!replayed) {
                        throw ProblemException.wrongState("the job is " + job.state() + ", not FAILED or CANCELLED",
                                "A job that has not ended runs by itself; one that is done is handed in anew.");
                    }
                    return view(job, null);
                }));
    }

    /** What was shown as masked must not be stored as if it were the value. */
    private Uni<Void> checkPatch(String whose, UUID id, String payload) {
        return payload == null ? Uni.createFrom().voidItem() : find(whose, id).invoke(job -> {
            List<Problem.FieldError> errors = new ArrayList<>(PayloadFaults.of(handlers.find(job.type()), payload));
            errors.addAll(JobReader.maskedFields(handlers.sensitive(job.type()), payload));
            if (!errors.isEmpty()) {
                throw ProblemException.invalid(errors);
            }
        }).replaceWithVoid();
    }

    private JobView view(Job job, List<JobQueries.Attempt> attempts) {
        return JobView.of(job, attempts, handlers.sensitive(job.type()));
    }

    /** A file that the job made. */
    @GET
    @RolesAllowed({Group.PRODUCER, Group.VIEWER, Group.OPERATOR, Group.ADMIN})
    @Path("/{id}/artifacts/{name}")
    @Produces(MediaType.WILDCARD)
    public Uni<Response> artifact(@PathParam("id") String id, @PathParam("name") String name) {
        UUID jobId = id(id);
        Uni<Artifact> found = name.indexOf(NUL) < 0
                ? queries.findArtifact(tenant.current(), jobId, name)
                : Uni.createFrom().nullItem();
        return found.onItem().ifNull()
                .failWith(() -> ProblemException.notFound("there is no job " + id + " with an artifact " + name))
                .map(artifact -> Response.ok(artifact.bytes(), artifact.contentType())
                        .header("X-Content-Type-Options", "nosniff")
                        .header("Content-Security-Policy", "default-src 'none'; sandbox")
                        .build());
    }

    private static UUID id(String text) {
        try {
            return UUID.fromString(text);
        } catch (IllegalArgumentException notAnId) {
            throw noSuchJob(text);
        }
    }

    private static ProblemException noSuchJob(String id) {
        return ProblemException.notFound("there is no job " + id);
    }

    private Duration wait(String wait, String prefer) {
        Duration asked = Duration.ZERO;
        if (wait != null) {
            Matcher seconds = SECONDS.matcher(wait);
            if (!seconds.matches()) {
                throw ListParameters.invalid("wait", "must be seconds, for example 20s");
            }
            asked = Duration.ofSeconds(Long.parseLong(seconds.group(1)));
        } else if (prefer != null) {
            Matcher preferred = PREFER_WAIT.matcher(prefer);
            asked = preferred.find() ? Duration.ofSeconds(Long.parseLong(preferred.group(1))) : asked;
        }
        return asked.compareTo(config.maxWait()) > 0 ? config.maxWait() : asked;
    }
}
