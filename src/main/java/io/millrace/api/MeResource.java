package io.millrace.api;

import java.util.List;
import java.util.TreeSet;

import jakarta.annotation.security.RolesAllowed;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

import io.millrace.account.Accounts;
import io.millrace.account.Caller;
import io.millrace.account.CurrentCaller;
import io.millrace.account.Group;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.smallrye.common.annotation.NonBlocking;
import io.smallrye.mutiny.Uni;

/** The caller: who they are, their password and their sessions. */
@Path("/v1/me")
@Produces(MediaType.APPLICATION_JSON)
@RolesAllowed({Group.PRODUCER, Group.VIEWER, Group.OPERATOR, Group.ADMIN})
public class MeResource {
    private final Accounts accounts;
    private final CurrentCaller caller;

    MeResource(Accounts accounts, CurrentCaller caller) {
        this.accounts = accounts;
        this.caller = caller;
    }

    /** @param kind {@code user}, {@code federated} (of another issuer), {@code api-key} or {@code anybody} (the API is open) */
    @RegisterForReflection
    public record Me(String kind, String name, String tenant, List<String> groups) {
        static Me of(Caller caller) {
            return new Me(caller.kind().label(), caller.name(), caller.tenant(), List.copyOf(new TreeSet<>(caller.groups())));
        }
    }

    @GET
    @NonBlocking
    public Me get() {
        return Me.of(caller.get());
    }

    @RegisterForReflection
    public record Tokens(String accessToken, String refreshToken) {}

    /**
     * {@code {"currentPassword": "...", "newPassword": "..."}}. Ends all sessions of the account, and answers the tokens of a new one;
     * access tokens that are out are good until they run out.
     */
    @POST
    @Path("/password")
    @Consumes(MediaType.APPLICATION_JSON)
    public Uni<Response> changePassword(byte[] body) {
        ObjectBody request = ObjectBody.read(body, List.of("currentPassword", "newPassword"));
        return accounts
                .changePassword(caller.get(), request.text("currentPassword"), request.text("newPassword"), caller.origin())
                .map(pair -> Response.ok(new Tokens(pair.accessToken(), pair.refreshToken()))
                        .header("Cache-Control", "no-store").build());
    }

    /** {@code {"refreshToken": "..."}} ends its session; {@code {}} ends all of the account. */
    @POST
    @Path("/logout")
    @Consumes(MediaType.APPLICATION_JSON)
    public Uni<Response> logOut(byte[] body) {
        ObjectBody request = ObjectBody.read(body, List.of("refreshToken"));
        return accounts.logOut(caller.get(), request.optionalText("refreshToken"), caller.origin())
                .map(ended -> Response.noContent().build());
    }
}
