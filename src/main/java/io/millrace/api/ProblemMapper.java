package io.millrace.api;

import java.util.UUID;

import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.Response;

import org.jboss.logging.Logger;
import org.jboss.resteasy.reactive.server.ServerExceptionMapper;

import io.millrace.batch.BatchFullException;
import io.millrace.batch.BatchTimeoutException;
import io.millrace.store.Database;
import io.millrace.store.JobStore;

/** Answers every failure of a request with a {@link Problem}. */
class ProblemMapper {
    private static final Logger LOG = Logger.getLogger(ProblemMapper.class);
    private static final String RETRY_AFTER_SECONDS = "1";

    @ServerExceptionMapper
    Response problem(ProblemException failure) {
        return response(failure.problem());
    }

    /** What the framework refuses: unknown path, wrong method, wrong media type. */
    @ServerExceptionMapper
    Response refused(WebApplicationException failure) {
        Response original = failure.getResponse();
        int status = original.getStatus();
        String title = Response.Status.fromStatusCode(status) == null
                ? "Refused"
                : Response.Status.fromStatusCode(status).getReasonPhrase();
        Problem problem = new Problem("urn:millrace:problem:http-" + status, title, status, detail(status), hint(status),
                null);
        Response.ResponseBuilder answer = Response.fromResponse(original).type(Problem.MEDIA_TYPE).entity(problem);
        return answer.build();
    }

    @ServerExceptionMapper
    Response failed(Throwable failure) {
        return response(problemOf(failure).problem());
    }

    /** Also for the items of a bulk request, which fail one by one. */
    static ProblemException problemOf(Throwable failure) {
        if (failure instanceof ProblemException known) {
            return known;
        } else if (failure instanceof BatchFullException) {
            return ProblemException.queueFull();
        } else if (JobStore.isFaultOfAJob(failure)) {
            return ProblemException.refusedByStore(failure.getMessage());
        } else if (Database.isTooSlow(failure)) {
            return ProblemException.tooSlow();
        }
        if (failure instanceof BatchTimeoutException || Database.isUnavailable(failure)) {
            LOG.warnf("a request failed: PostgreSQL does not answer: %s", failure.getMessage());
            return ProblemException.storeUnavailable();
        }
        String reference = UUID.randomUUID().toString();
        LOG.errorf(failure, "a request failed (%s)", reference);
        return ProblemException.internal(reference);
    }

    private static String detail(int status) {
        return switch (status) {
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

    private static Response response(Problem problem) {
        Response.ResponseBuilder answer = Response.status(problem.status()).type(Problem.MEDIA_TYPE).entity(problem);
        if (problem.status() == 503) {
            answer.header("Retry-After", RETRY_AFTER_SECONDS);
        }
        return answer.build();
    }
}
