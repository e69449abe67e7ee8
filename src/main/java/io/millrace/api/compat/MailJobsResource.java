package io.millrace.api.compat;

import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.regex.Pattern;

import jakarta.annotation.security.RolesAllowed;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;

import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.millrace.account.Group;
import io.millrace.account.Tenant;
import io.millrace.api.RateGate;
import io.millrace.api.RequestTraces;
import io.millrace.handler.JobHandler;
import io.millrace.handler.JobHandlers;
import io.millrace.handler.PayloadFault;
import io.millrace.handler.SensitivePaths;
import io.millrace.intake.Intake;
import io.millrace.job.JobKeys;
import io.millrace.job.KeyedJob;
import io.millrace.job.OnConflict;
import io.millrace.job.Receipt;
import io.millrace.job.Sha256;
import io.millrace.store.Database;
import io.millrace.store.JobQueries;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/** The paths of the mail scheduler: one welcome mail for each address and name, and those that could not be sent. */
@Path("/")
@Produces(MediaType.APPLICATION_JSON)
public class MailJobsResource {
    private static final String TYPE = "email";
    /** Of the jobs of this path, so that they can be told from other mails. */
    private static final String TAG = "addJob";
    private static final String MISSING = "Missing email or name";
    private static final int MAX_NAME = 200;
    private static final int DEFAULT_LIMIT = 10;
    private static final int MOST_PER_PAGE = 100;
    /** Pages are counted off from the newest on, so a far one costs as much as all before it. */
    private static final int MOST_PAGES = 1000;
    /** A mail of this path, to ask what of it nobody is shown. */
    private static final String MASKED = welcome(SensitivePaths.MASK, SensitivePaths.MASK, "").toString();
    private static final Pattern NUMBER = Pattern.compile("\\d{1,4}");

    private final CompatBody bodies;
    private final JobHandler<?> handler;
    private final Intake intake;
    private final JobQueries queries;
    private final Tenant tenant;
    private final RateGate rates;
    private final RequestTraces traces;
    private final boolean isEmailShown;
    private final boolean isNameShown;

    MailJobsResource(CompatBody bodies, JobHandlers handlers, Intake intake, JobQueries queries, Tenant tenant,
            RateGate rates, RequestTraces traces) {
        this.bodies = bodies;
        this.handler = handlers.find(TYPE);
        this.intake = intake;
        this.queries = queries;
        this.tenant = tenant;
        this.rates = rates;
        this.traces = traces;
        List<String> masked = handlers.sensitive(TYPE).findMasks(MASKED);
        this.isEmailShown = !masked.contains("/to/0");
        this.isNameShown = !masked.contains("/data/name");
    }

    @RegisterForReflection
    @JsonNaming(SnakeCaseStrategy.class)
    public record Added(String message, UUID jobId) {}

    /**
     * However often it is asked for, one mail is sent for an address and a name: a job that has not ended is answered again, and one
     * that comes later finds the mail sent. Only the domain of an address is the same in upper and lower case.
     */
    @POST
    @RolesAllowed({Group.PRODUCER, Group.ADMIN})
    @Path("addJob")
    @Consumes(MediaType.APPLICATION_JSON)
    public Uni<Added> addJob(byte[] body, @Context RoutingContext context) {
        ObjectNode request = bodies.readObject(body, MISSING);
        String email = withDomainInLowerCase(text(request, "email"));
        String name = text(request, "name");
        checkName(name);
        String key = "welcome:" + Sha256.hex(email + "\n" + name);
        ObjectNode payload = welcome(email, name, key);
        handler.check(payload.toString()).stream().findFirst().ifPresent(fault -> refuse(fault, email));
        KeyedJob job = new KeyedJob(bodies.job(handler.type(), tenant.current(), payload, null, List.of(TAG)),
                new JobKeys(null, null, key, OnConflict.RETURN));
        return rates.enterJobs(context, 1).chain(() -> intake.accept(traces.join(context, job))).map(MailJobsResource::added);
    }

    private static Added added(Receipt receipt) {
        if (receipt.job() == null) {
            throw CompatError.contended();
        }
        return new Added("Job added to queue", receipt.id());
    }

    private static ObjectNode welcome(String email, String name, String key) {
        ObjectNode payload = JsonNodeFactory.instance.objectNode();
        payload.putArray("to").add(email);
        payload.put("template", "welcome").put("effectKey", key).putObject("data").put("name", name);
        return payload;
    }

    private static String text(ObjectNode request, String field) {
        JsonNode text = request.path(field);
        if (!text.isTextual() || text.asText().isBlank()) {
            throw CompatError.badRequest(MISSING);
        }
        return text.asText().strip();
    }

    private static void checkName(String name) {
        if (name.length() > MAX_NAME || name.chars().anyMatch(Character::isISOControl) || name.indexOf('\u2028') >= 0
                || name.indexOf('\u2029') >= 0) {
            throw CompatError.badRequest("Invalid name: must be 1 to " + MAX_NAME + " characters in one line");
        }
    }

    /** What stands before the @ is left alone: only the server of the domain knows whether its case matters. */
    private static String withDomainInLowerCase(String email) {
        int at = email.lastIndexOf('@');
        if (at < 0 || email.indexOf('<') >= 0) {
            throw CompatError.badRequest("Invalid email: must be such as ada@example.org");
        }
        return email.substring(0, at) + email.substring(at).toLowerCase(Locale.ROOT);
    }

    private static void refuse(PayloadFault fault, String email) {
        throw CompatError.badRequest(fault.path().startsWith("/to") ? "Invalid email: " + fault.message() : fault.toString());
    }

    /** A mail that was given up, as that system showed it. */
    @RegisterForReflection
    public record FailedJob(String email, String name, String error) {}

    /** Newest first. */
    @GET
    @RolesAllowed({Group.PRODUCER, Group.VIEWER, Group.OPERATOR, Group.ADMIN})
    @Path("failedJobs")
    public Uni<List<FailedJob>> failedJobs(
            @Parameter(schema = @Schema(type = SchemaType.INTEGER)) @QueryParam("page") String pageText,
            @Parameter(schema = @Schema(type = SchemaType.INTEGER)) @QueryParam("limit") String limitText) {
        int page = number("page", pageText, 1, MOST_PAGES);
        int limit = number("limit", limitText, DEFAULT_LIMIT, MOST_PER_PAGE);
        return queries.listFailedMails(tenant.current(), TAG, limit, (page - 1) * limit)
                .onFailure(Database::isTooSlow).transform(failure -> CompatError.tooSlow())
                .map(mails -> mails.stream().map(this::shown).toList());
    }

    private FailedJob shown(JobQueries.FailedMail mail) {
        return new FailedJob(isEmailShown ? mail.email() : SensitivePaths.MASK, isNameShown ? mail.name() : SensitivePaths.MASK,
                mail.error());
    }

    private static int number(String parameter, String text, int absent, int most) {
        if (text == null) {
            return absent;
        }
        int number = NUMBER.matcher(text).matches() ? Integer.parseInt(text) : 0;
        if (number < 1 || number > most) {
            throw CompatError.badRequest(parameter + " must be a whole number from 1 to " + most);
        }
        return number;
    }
}
