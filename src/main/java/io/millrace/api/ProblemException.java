package io.millrace.api;

import java.util.List;
import java.util.UUID;

import io.millrace.account.RefusedException;

/** Ends a request with a {@link Problem}. */
public final class ProblemException extends RuntimeException {
    private final transient Problem problem;

    private ProblemException(int status, String name, String title, String detail, String hint,
            List<Problem.FieldError> errors) {
        this(status, name, title, detail, hint, errors, null);
    }

    private ProblemException(int status, String name, String title, String detail, String hint,
            List<Problem.FieldError> errors, UUID jobId) {
        super(detail, null, false, false);
        this.problem = new Problem("urn:millrace:problem:" + name, title, status, detail, hint, errors, jobId);
    }

    Problem problem() {
        return problem;
    }

    static ProblemException invalidJson(String detail) {
        return new ProblemException(400, "invalid-json", "The body is not JSON that can be read", detail,
                "Send one JSON object, in UTF-8.", List.of());
    }

    static ProblemException unreadableText(String path, String what) {
        return new ProblemException(422, "unreadable-text", "A text holds what PostgreSQL cannot keep",
                path + " holds " + what, "Remove it, or encode the text, for example as Base64.",
                List.of(new Problem.FieldError(path, "unreadable-text", "holds " + what)));
    }

    static ProblemException invalid(List<Problem.FieldError> errors) {
        String detail = errors.size() == 1
                ? errors.get(0).path() + " " + errors.get(0).message()
                : errors.size() + " fields cannot be used";
        return new ProblemException(400, "invalid-request", "The request cannot be used as it is", detail,
                "Correct what errors names and send it again; nothing was stored.", errors);
    }

    static ProblemException tooLarge(long limit) {
        return new ProblemException(413, "body-too-large", "The body is too large",
                "the body has more than " + limit + " bytes",
                "Store large data elsewhere and send where it is.", List.of());
    }

    static ProblemException notFound(String what) {
        return new ProblemException(404, "not-found", "Not found", what,
                "Check the id: GET /v1/jobs lists what there is.", List.of());
    }

    static ProblemException unauthenticated() {
        return new ProblemException(401, "unauthenticated", "Who you are is not known",
                "there is no access token or API key, or it is not valid, or not any more",
                "Send Authorization: Bearer with a token from POST /login, or an API key.", List.of());
    }

    static ProblemException forbidden() {
        return new ProblemException(403, "forbidden", "You may not do this", "none of your groups may do this",
                "Ask an admin for another group; docs/security.md says which.", List.of());
    }

    static ProblemException of(RefusedException refused) {
        return switch (refused.reason()) {
            case INVALID -> invalid(List.of(new Problem.FieldError(refused.field().isEmpty() ? "" : "/" + refused.field(),
                    "invalid-value", refused.getMessage())));
            case WRONG_PASSWORD -> new ProblemException(403, "wrong-password", "The current password is another one",
                    "nothing was changed", "Send the password that you log in with as currentPassword.", List.of());
            case NO_ACCOUNT -> new ProblemException(403, "no-account", "The caller has no account here", refused.getMessage(),
                    "Use the access token of a login; an API key is revoked by an admin.", List.of());
            case WRONG_CREDENTIALS -> unauthenticated();
            case SIGN_UP_CLOSED -> forbidden();
            case NAME_TAKEN -> new ProblemException(409, "name-taken", "The name is taken", refused.getMessage(),
                    "Choose another one.", List.of());
            case TOO_MANY_TRIES -> new ProblemException(429, "too-many-tries", "Too many tries", refused.getMessage(),
                    "Send it again after the time in Retry-After.", List.of());
            case BUSY -> busy();
        };
    }

    /** @param what jobs or requests */
    static ProblemException tooFast(String what, long perSecond, long burst) {
        return new ProblemException(429, "rate-limited", "Too many " + what + " in a short time",
                "your tenant may have " + perSecond + " " + what + " a second, and " + burst + " at once after a pause; "
                        + "nothing was done",
                "Send it again after the time in Retry-After; RateLimit says how much is left.", List.of());
    }

    static ProblemException wrongState(String detail, String hint) {
        return new ProblemException(409, "wrong-state", "The job is in another state", detail, hint, List.of());
    }

    /** @param jobId the job that has the unique key */
    static ProblemException notUnique(UUID jobId) {
        return new ProblemException(409, "not-unique", "There is such a job",
                "job " + jobId + " has the same type and uniqueKey and has not ended; nothing was stored",
                "Wait for its end, cancel it, or ask for another onConflict; replace works while no worker runs the job.",
                List.of(),
                jobId);
    }

    static ProblemException uniqueKeyTaken() {
        return new ProblemException(409, "not-unique", "There is such a job",
                "another job has the same type and uniqueKey and has not ended", "Retry the job when that one has ended.",
                List.of());
    }

    static ProblemException keyOfAnotherRequest() {
        return new ProblemException(422, "idempotency-key-reused", "The idempotency key belongs to another request",
                "another job was handed in with this key; nothing was stored",
                "Repeat a request as it was; give a new one a new key.", List.of());
    }

    static ProblemException keyContended() {
        return new ProblemException(409, "key-contended", "Too many requests with the same key at once",
                "the turn of this request did not come; nothing was stored", "Send it again after the time in Retry-After.",
                List.of());
    }

    static ProblemException queueFull() {
        return new ProblemException(503, "overloaded", "Too many jobs arrive at once", "nothing was stored",
                "Send it again after the time in Retry-After.", List.of());
    }

    /** Before anything of the body is read. */
    static ProblemException busy() {
        return new ProblemException(503, "busy", "Too many requests at once",
                "this process has as many requests under way as it may hold in memory; nothing was done",
                "Send it again after the time in Retry-After.", List.of());
    }

    static ProblemException storeUnavailable() {
        return new ProblemException(503, "store-unavailable", "PostgreSQL does not answer",
                "it is unknown whether the request took effect",
                "Send it again after the time in Retry-After.", List.of());
    }

    /** A mistake of ours: it is in the log. */
    static ProblemException internal(String reference) {
        return new ProblemException(500, "internal-error", "Something went wrong here", "the log has more, under " + reference,
                "Send it again, or report it with the reference.", List.of());
    }

    /** @param hint how to ask for less */
    static ProblemException tooSlow(String hint) {
        return new ProblemException(503, "query-too-slow", "The query took too long", "it was stopped", hint, List.of());
    }

    static ProblemException refusedByStore() {
        return new ProblemException(422, "refused-by-store", "PostgreSQL cannot keep this job",
                "a value in it is refused; the log of this process says which",
                "Correct the payload and send it again; nothing was stored.", List.of());
    }
}
