package io.millrace.api;

import java.time.Instant;
import java.util.List;
import java.util.TreeSet;
import java.util.UUID;

import jakarta.annotation.security.RolesAllowed;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

import com.fasterxml.jackson.annotation.JsonInclude;

import io.millrace.account.ApiKey;
import io.millrace.account.ApiKeys;
import io.millrace.account.CurrentCaller;
import io.millrace.account.Group;
import io.millrace.account.Tenant;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.smallrye.mutiny.Uni;

/** Keys for programs of the admin's tenant. */
@Path("/v1/api-keys")
@Produces(MediaType.APPLICATION_JSON)
@RolesAllowed(Group.ADMIN)
public class ApiKeysResource {
    private final ApiKeys keys;
    private final Tenant tenant;
    private final CurrentCaller caller;

    ApiKeysResource(ApiKeys keys, Tenant tenant, CurrentCaller caller) {
        this.keys = keys;
        this.tenant = tenant;
        this.caller = caller;
    }

    /** @param key what the program sends as {@code Authorization: Bearer}; only in the answer that made it */
    @RegisterForReflection
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record KeyView(UUID id, String name, List<String> groups, Instant createdAt, Instant expiresAt, String key) {
        static KeyView of(ApiKey key, String secret) {
            return new KeyView(key.id, key.name, List.copyOf(new TreeSet<>(key.groups())), key.createdAt, key.expiresAt,
                    secret);
        }
    }

    @RegisterForReflection
    public record Listing(List<KeyView> data) {}

    /** {@code {"name": "...", "groups": ["producer"], "expiresAt": "..."}}; without {@code expiresAt} it is valid until it is revoked. */
    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    public Uni<Response> make(byte[] body) {
        ObjectBody request = ObjectBody.read(body, List.of("name", "groups", "expiresAt"));
        return keys.make(caller.actor(), request.text("name"), request.texts("groups"), request.time("expiresAt"))
                .map(made -> Response.status(Response.Status.CREATED).header("Cache-Control", "no-store")
                        .entity(KeyView.of(made.key(), made.secret())).build());
    }

    @GET
    public Uni<Listing> list() {
        return keys.list(tenant.current()).map(found -> new Listing(found.stream().map(key -> KeyView.of(key, null)).toList()));
    }

    /** Within 10 s no process takes it any more. */
    @DELETE
    @Path("/{id}")
    public Uni<Response> revoke(@PathParam("id") String id) {
        return keys.revoke(caller.actor(), AdminIds.parse(id, "API key"))
                .map(revoked -> AdminIds.deleted(revoked, id, "API key"));
    }
}
