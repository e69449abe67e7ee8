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

import io.millrace.account.Account;
import io.millrace.account.Accounts;
import io.millrace.account.CurrentCaller;
import io.millrace.account.Group;
import io.millrace.account.Tenant;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.smallrye.mutiny.Uni;

/** The people of the admin's tenant. */
@Path("/v1/accounts")
@Produces(MediaType.APPLICATION_JSON)
@RolesAllowed(Group.ADMIN)
public class AccountsResource {
    private final Accounts accounts;
    private final Tenant tenant;
    private final CurrentCaller caller;

    AccountsResource(Accounts accounts, Tenant tenant, CurrentCaller caller) {
        this.accounts = accounts;
        this.tenant = tenant;
        this.caller = caller;
    }

    @RegisterForReflection
    public record AccountView(UUID id, String username, String tenant, List<String> groups, Instant createdAt) {
        static AccountView of(Account account) {
            return new AccountView(account.id, account.username, account.tenant, List.copyOf(new TreeSet<>(account.groups())),
                    account.createdAt);
        }
    }

    @RegisterForReflection
    public record Listing(List<AccountView> data) {}

    /** {@code {"username": "...", "password": "...", "groups": ["producer"]}} */
    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    public Uni<Response> make(byte[] body) {
        ObjectBody request = ObjectBody.read(body, List.of("username", "password", "groups"));
        return accounts.make(caller.actor(), request.text("username"), request.text("password"), request.texts("groups"))
                .map(made -> Response.status(Response.Status.CREATED).entity(AccountView.of(made)).build());
    }

    @GET
    public Uni<Listing> list() {
        return accounts.list(tenant.current()).map(found -> new Listing(found.stream().map(AccountView::of).toList()));
    }

    /** Ends its sessions; an access token that it has is good until it runs out. */
    @DELETE
    @Path("/{id}")
    public Uni<Response> delete(@PathParam("id") String id) {
        return accounts.delete(caller.actor(), AdminIds.parse(id, "account"))
                .map(deleted -> AdminIds.deleted(deleted, id, "account"));
    }
}
