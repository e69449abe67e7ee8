package io.millrace.handler;

import com.fasterxml.jackson.annotation.JsonRawValue;
import com.fasterxml.jackson.annotation.JsonValue;

import io.quarkus.runtime.annotations.RegisterForReflection;

/** A payload or a result as it is written, to the byte: for handlers that pass JSON on without looking into it. */
@RegisterForReflection
public record RawJson(@JsonRawValue @JsonValue String text) {}
