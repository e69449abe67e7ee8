package io.millrace.account;

import java.time.Instant;
import java.util.Set;
import java.util.UUID;

import io.millrace.audit.Actor;

/**
 * Who a token or an API key speaks for.
 *
 * @param kind how they have proved it
 * @param id of an API key; null for others
 * @param tenant whose jobs the caller sees
 * @param until when the token or key ends; null for never
 */
public record Caller(Actor.Kind kind, UUID id, String name, String tenant, Set<String> groups, Instant until) {}
