package io.millrace.api;

import java.util.List;

import com.fasterxml.jackson.annotation.JsonInclude;

import io.quarkus.runtime.annotations.RegisterForReflection;

/**
 * An error as RFC 9457 has it; {@code docs/problems.md} lists the types.
 *
 * @param type {@code urn:millrace:problem:} and a stable name
 * @param hint what to do about it
 */
@RegisterForReflection
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record Problem(String type, String title, int status, String detail, String hint, List<FieldError> errors) {
    static final String MEDIA_TYPE = "application/problem+json";

    /**
     * What is wrong with one field.
     *
     * @param path JSON Pointer
     * @param code stable, for programs
     */
    @RegisterForReflection
    public record FieldError(String path, String code, String message) {}
}
