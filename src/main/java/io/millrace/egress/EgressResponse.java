package io.millrace.egress;

import java.net.URI;

import io.vertx.core.MultiMap;

/**
 * An answer with a 2xx status.
 *
 * @param uri where it came from, after redirects
 * @param body as sent: a {@code Content-Encoding} is not undone
 */
public record EgressResponse(URI uri, int status, MultiMap headers, byte[] body) {}
