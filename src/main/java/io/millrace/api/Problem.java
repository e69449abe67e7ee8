package io.millrace.api;

import java.util.List;
import java.util.UUID;

import com.fasterxml.jackson.annotation.JsonInclude;

import io.quarkus.runtime.annotations.RegisterForReflection;

/**
 * An error as RFC 9457 has it; {@code docs/problems.md} lists the types.
 *
 * @param type {@code urn:millrace:problem:} and a stable name
 * @param hint what to do about it
 * @param jobId the job that is in the way; null if there is none
 */
@RegisterForReflection
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record Problem(String type, String title, int status, String detail, String hint, List<FieldError> errors,
        UUID jobId) {
    static final String MEDIA_TYPE = "application/problem+json";
    /** Of a request that met too many others at its keys. */
    static final String CONTENDED = "urn:millrace:problem:key-contended";

    /**
     * What is wrong with one field.
     *
     * @param path JSON Pointer
     * @param code stable, for programs
     */
    @RegisterForReflection
    public record FieldError(String path, String code, String message) {}

    /** @return true if the same request may have a better end a little later: the answer has {@code Retry-After} */
    boolean isToBeRepeated() {
        return status == 503 || CONTENDED.equals(type);
    }
}
