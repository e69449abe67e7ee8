package io.millrace.api;

import java.io.IOException;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;

import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;

import org.hibernate.HibernateException;
import org.jboss.logging.Logger;
import org.jboss.resteasy.reactive.server.ServerExceptionMapper;

import io.millrace.account.RefusedException;
import io.millrace.batch.BatchFullException;
import io.millrace.batch.BatchTimeoutException;
import io.millrace.store.Database;
import io.millrace.store.JobStore;
import io.quarkus.security.AuthenticationFailedException;
import io.quarkus.security.ForbiddenException;
import io.quarkus.security.UnauthorizedException;
import io.quarkus.runtime.annotations.RegisterForReflection;

/** Answers every failure of a request with a {@link Problem}. */
class ProblemMapper {
    private static final Logger LOG = Logger.getLogger(ProblemMapper.class);
    static final String RETRY_AFTER_SECONDS = "1";
    private static final List<String> OLDER_PATHS = List.of("/processJob", "/api/status", "/jobs", "/signup", "/login",
            "/refreshToken", "/health", "/addJob", "/failedJobs");

    /** On the paths of the older systems, errors look as they did there. */
    @RegisterForReflection
    record OlderError(String error) {}

    @ServerExceptionMapper
    Response problem(ProblemException failure, UriInfo uri) {
        return response(failure.problem(), uri);
    }

    /** What the framework refuses: unknown path, wrong method, wrong media type. */
    @ServerExceptionMapper
    Response refused(WebApplicationException failure, UriInfo uri) {
        Response original = failure.getResponse();
        return withEntity(Response.fromResponse(original), refusal(original.getStatus()), uri).build();
    }

    /** What HTTP itself has a status for. */
    static Problem refusal(int status) {
        String title = Response.Status.fromStatusCode(status) == null
                ? "Refused"
                : Response.Status.fromStatusCode(status).getReasonPhrase();
        return new Problem("urn:millrace:problem:http-" + status, title, status, detail(status), hint(status), null, null);
    }

    @ServerExceptionMapper({UnauthorizedException.class, AuthenticationFailedException.class})
    Response unauthenticated(UriInfo uri) {
        return withEntity(Response.status(401), ProblemException.unauthenticated().problem(), uri)
                .header("WWW-Authenticate", "Bearer").build();
    }

    @ServerExceptionMapper(ForbiddenException.class)
    Response forbidden(UriInfo uri) {
        return response(ProblemException.forbidden().problem(), uri);
    }

    @ServerExceptionMapper
    Response failed(Throwable failure, UriInfo uri) {
        return response(problemOf(failure).problem(), uri);
    }

    /** Also for the items of a bulk request, which fail one by one. */
    static ProblemException problemOf(Throwable failure) {
        if (failure instanceof ProblemException known) {
            return known;
        } else if (failure instanceof RefusedException refused) {
            return ProblemException.of(refused);
        } else if (failure instanceof BatchFullException) {
            return ProblemException.queueFull();
        } else if (JobStore.isFaultOfAJob(failure)) {
            LOG.warnf("a job was refused: %s", failure.getMessage());
            return ProblemException.refusedByStore();
        }
        if (failure instanceof BatchTimeoutException || isUnavailable(failure)) {
            if (!isAnswered(failure) && isTimeToTell()) {
                LOG.warnf("requests fail: PostgreSQL does not answer: %s", failure.getMessage());
            }
            return ProblemException.storeUnavailable();
        }
        return mistake(failure);
    }

    /** A body that did not say how long it is was too long: Quarkus has answered 413 and hung up, so nothing of this reaches anybody. */
    private static boolean isAnswered(Throwable failure) {
        return failure instanceof IOException && "Request too large".equals(failure.getMessage());
    }

    /** Of ours: only the log says more. */
    static ProblemException mistake(Throwable failure) {
        String reference = UUID.randomUUID().toString();
        LOG.errorf(failure, "a request failed (%s)", reference);
        return ProblemException.internal(reference);
    }

    /** Hibernate wraps what the driver says. */
    private static boolean isUnavailable(Throwable failure) {
        return Database.isUnavailable(failure)
                || failure instanceof HibernateException && failure.getCause() != null && isUnavailable(failure.getCause());
    }

    /** In an outage thousands of jobs fail a second, all in the same way: one line a second is enough. */
    private static boolean isTimeToTell() {
        long now = System.nanoTime();
        long last = Told.NANOS.get();
        return now - last >= 1_000_000_000L && Told.NANOS.compareAndSet(last, now);
    }

    /** A class of its own: a native image sets it up when it starts, not on the clock of the machine that built it. */
    private static final class Told {
        static final AtomicLong NANOS = new AtomicLong(System.nanoTime() - 1_000_000_000L);
    }

    private static String detail(int status) {
        return switch (status) {
            case 400 -> "the request is not HTTP that can be understood";
            case 404 -> "there is nothing at this path";
            case 405 -> "this path does not take this method";
            case 406 -> "this path does not answer in the media type of Accept";
            case 415 -> "this path does not take the media type of Content-Type";
            default -> "the request was refused";
        };
    }

    private static String hint(int status) {
        return switch (status) {
            case 406 -> "Accept application/json.";
            case 415 -> "Send application/json.";
            default -> "See /q/openapi for what there is.";
        };
    }

    private static Response response(Problem problem, UriInfo uri) {
        Response.ResponseBuilder answer = withEntity(Response.status(problem.status()), problem, uri);
        if (problem.isToBeRepeated()) {
            answer.header("Retry-After", RETRY_AFTER_SECONDS);
        }
        return answer.build();
    }

    private static Response.ResponseBuilder withEntity(Response.ResponseBuilder answer, Problem problem, UriInfo uri) {
        return answer.type(mediaType(uri.getPath())).entity(entity(problem, uri.getPath()));
    }

    static String mediaType(String path) {
        return isOlder(path) ? MediaType.APPLICATION_JSON : Problem.MEDIA_TYPE;
    }

    /** @return what is written as JSON */
    static Object entity(Problem problem, String path) {
        return isOlder(path) ? new OlderError(problem.title() + ": " + problem.detail()) : problem;
    }

    private static boolean isOlder(String path) {
        return OLDER_PATHS.stream().anyMatch(older -> path.equals(older) || path.startsWith(older + "/"));
    }
}
