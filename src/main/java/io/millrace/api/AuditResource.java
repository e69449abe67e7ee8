package io.millrace.api;

import java.time.Instant;
import java.util.List;
import java.util.UUID;

import jakarta.annotation.security.RolesAllowed;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.UriInfo;

import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonRawValue;

import io.millrace.account.Group;
import io.millrace.account.Tenant;
import io.millrace.audit.AuditAction;
import io.millrace.store.AuditStore;
import io.millrace.store.AuditStore.Line;
import io.millrace.store.Database;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.smallrye.mutiny.Uni;

/** Who did what in the admin's tenant. */
@Path("/v1/audit")
@Produces(MediaType.APPLICATION_JSON)
@RolesAllowed(Group.ADMIN)
public class AuditResource {
    private final AuditStore log;
    private final Tenant tenant;

    AuditResource(AuditStore log, Tenant tenant) {
        this.log = log;
        this.tenant = tenant;
    }

    /**
     * Who did it.
     *
     * @param kind {@code user}, {@code federated} (of another issuer), {@code api-key}, {@code anybody} or {@code system}
     * @param id of the account or API key, where it is known
     */
    @RegisterForReflection
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record ActorView(String kind, String name, UUID id) {}

    /**
     * What was done.
     *
     * @param target id of the job, account or API key it was done to
     * @param outcome {@code done}, {@code requested} (a worker will be told) or {@code refused}
     * @param requestId as the client gave it
     */
    @RegisterForReflection
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record LineView(UUID id, Instant at, ActorView actor, String action, String target, String outcome, String address,
            String requestId, @JsonRawValue String details) {
        static LineView of(Line line) {
            return new LineView(line.id(), line.at(), new ActorView(line.actorKind(), line.actor(), line.actorId()),
                    line.action(), line.target(), line.outcome(), line.address(), line.requestId(), line.details());
        }
    }

    @RegisterForReflection
    public record Page(List<LineView> data, String nextCursor) {}

    /** Newest first. {@code since} counts, {@code until} does not. */
    @GET
    public Uni<Page> list(@QueryParam("action") String action, @QueryParam("actor") String actor,
            @QueryParam("target") String target, @QueryParam("since") String since, @QueryParam("until") String until,
            @Parameter(schema = @Schema(type = SchemaType.INTEGER)) @QueryParam("limit") String limit,
            @QueryParam("cursor") String cursor, @Context UriInfo uri) {
        QueryParameters.refuseUnknown(uri, List.of("action", "actor", "target", "since", "until", "limit", "cursor"));
        int most = ListParameters.limit(limit);
        UUID behind = ListParameters.lesser(ListParameters.behind(cursor), ListParameters.before("until", until));
        AuditStore.Filter filter = new AuditStore.Filter(behind, ListParameters.notBefore("since", since), known(action),
                ListParameters.name("actor", actor), ListParameters.name("target", target), most);
        return log.list(tenant.current(), filter)
                .onFailure(Database::isTooSlow)
                .transform(failure -> ProblemException.tooSlow("Narrow it: name since and until."))
                .map(lines -> new Page(lines.stream().map(LineView::of).toList(),
                        lines.size() < most ? null : ListParameters.cursor(lines.get(lines.size() - 1).id())));
    }

    private static String known(String action) {
        if (action != null && AuditAction.labelled(action).isEmpty()) {
            throw ListParameters.invalid("action", "must be one of " + String.join(", ", AuditAction.labels()));
        }
        return action;
    }
}
