package io.millrace.api.compat;

import java.util.function.Supplier;

import jakarta.annotation.security.PermitAll;
import jakarta.annotation.security.RolesAllowed;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.millrace.account.Accounts;
import io.millrace.account.CurrentCaller;
import io.millrace.account.Group;
import io.millrace.account.RefusedException;
import io.millrace.account.TokenPair;
import io.millrace.audit.Origin;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.smallrye.common.annotation.NonBlocking;
import io.smallrye.mutiny.Uni;

/** The paths of the mail scheduler by which people come in. */
@Path("/")
@Produces(MediaType.APPLICATION_JSON)
public class AccountResource {
    private static final String NO_LOGIN = "Missing username or password";
    private static final String NO_TOKEN = "Missing refresh_token";

    private final CompatBody bodies;
    private final Accounts accounts;
    private final CurrentCaller caller;

    AccountResource(CompatBody bodies, Accounts accounts, CurrentCaller caller) {
        this.bodies = bodies;
        this.accounts = accounts;
        this.caller = caller;
    }

    @RegisterForReflection
    @JsonNaming(SnakeCaseStrategy.class)
    public record Tokens(String accessToken, String refreshToken) {
        static Tokens of(TokenPair pair) {
            return new Tokens(pair.accessToken(), pair.refreshToken());
        }
    }

    @POST
    @PermitAll
    @Path("signup")
    @Consumes(MediaType.APPLICATION_JSON)
    public Uni<Response> signUp(byte[] body) {
        ObjectNode login = bodies.readObject(body, NO_LOGIN);
        Origin origin = caller.origin();
        return answer(201, () -> accounts.signUp(text(login, "username", NO_LOGIN), text(login, "password", NO_LOGIN),
                origin));
    }

    @POST
    @PermitAll
    @Path("login")
    @Consumes(MediaType.APPLICATION_JSON)
    public Uni<Response> logIn(byte[] body) {
        ObjectNode login = bodies.readObject(body, NO_LOGIN);
        Origin origin = caller.origin();
        return answer(200, () -> accounts.logIn(text(login, "username", NO_LOGIN), text(login, "password", NO_LOGIN),
                origin));
    }

    @POST
    @PermitAll
    @Path("refreshToken")
    @Consumes(MediaType.APPLICATION_JSON)
    public Uni<Response> refresh(byte[] body) {
        ObjectNode token = bodies.readObject(body, NO_TOKEN);
        Origin origin = caller.origin();
        return answer(200, () -> accounts.refresh(text(token, "refresh_token", NO_TOKEN), origin));
    }

    /** Says to whoever may look that this process answers; of its state it says nothing. */
    @GET
    @NonBlocking
    @RolesAllowed({Group.PRODUCER, Group.VIEWER, Group.OPERATOR, Group.ADMIN})
    @Path("health")
    @Produces(MediaType.TEXT_PLAIN)
    public String health() {
        return "Good health";
    }

    private static Uni<Response> answer(int status, Supplier<Uni<TokenPair>> asked) {
        return Uni.createFrom().deferred(() -> asked.get())
                .onFailure(RefusedException.class).transform(refused -> CompatError.of((RefusedException) refused))
                .map(pair -> Response.status(status).header("Cache-Control", "no-store").entity(Tokens.of(pair)).build());
    }

    private static String text(ObjectNode request, String field, String missing) {
        JsonNode text = request.path(field);
        if (!text.isTextual() || text.asText().isEmpty()) {
            throw CompatError.badRequest(missing);
        }
        return text.asText();
    }
}
