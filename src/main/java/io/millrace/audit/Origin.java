package io.millrace.audit;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

import io.vertx.core.http.HttpServerRequest;

/**
 * Where a request comes from.
 *
 * @param address of the client, or of the proxy if forwarding is not set up; null for none
 * @param requestId the trace id of {@code traceparent}, else {@code X-Request-Id}, as the client gave it: it finds lines in other logs,
 *        and proves nothing; null for none
 */
public record Origin(String address, String requestId) {
    /** Of what a process does by itself. */
    static final Origin NONE = new Origin(null, null);

    /** W3C Trace Context. */
    private static final Pattern TRACEPARENT = Pattern.compile("[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}");
    private static final Pattern REQUEST_ID = Pattern.compile("[A-Za-z0-9._:-]{1,64}");

    public static Origin of(HttpServerRequest request) {
        return new Origin(request.remoteAddress().hostAddress(),
                requestId(request.getHeader("traceparent"), request.getHeader("X-Request-Id")));
    }

    static String requestId(String traceparent, String requestId) {
        Matcher trace = TRACEPARENT.matcher(traceparent == null ? "" : traceparent);
        if (trace.matches()) {
            return trace.group(1);
        }
        return requestId != null && REQUEST_ID.matcher(requestId).matches() ? requestId : null;
    }
}
