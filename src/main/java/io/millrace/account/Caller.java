package io.millrace.account;

import java.time.Instant;
import java.util.Set;

/**
 * Who a token or an API key speaks for.
 *
 * @param tenant whose jobs the caller sees
 * @param until when the token or key ends; null for never
 */
record Caller(String name, String tenant, Set<String> groups, Instant until) {}
