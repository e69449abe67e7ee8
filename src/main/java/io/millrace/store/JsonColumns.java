package io.millrace.store;

import java.time.Duration;

import io.millrace.job.Backoff;
import io.millrace.job.Failure;
import io.millrace.job.JobOptions;
import io.millrace.job.TraceParent;
import io.vertx.core.json.Json;
import io.vertx.core.json.JsonObject;

/** How small values of the domain are kept in json columns. Names here are stored: change them by migration only. */
final class JsonColumns {
    private JsonColumns() {}

    /** @return null if there is nothing to store */
    static String write(JobOptions options) {
        if (options.isEmpty()) {
            return null;
        }
        JsonObject json = new JsonObject();
        if (options.timeout() != null) {
            json.put("timeoutMs", options.timeout().toMillis());
        }
        if (options.backoff() != null) {
            Backoff backoff = options.backoff();
            json.put("curve", backoff.curve().label()).put("baseMs", backoff.base().toMillis())
                    .put("capMs", backoff.cap().toMillis()).put("jitter", backoff.jitter().label());
        }
        if (options.trace() != null) {
            json.put("trace", options.trace().header());
        }
        return json.encode();
    }

    static JobOptions readOptions(String text) {
        if (text == null) {
            return JobOptions.NONE;
        }
        JsonObject json = new JsonObject(text);
        Long timeoutMs = json.getLong("timeoutMs");
        return new JobOptions(timeoutMs == null ? null : Duration.ofMillis(timeoutMs), readBackoff(json),
                TraceParent.parse(json.getString("trace")));
    }

    private static Backoff readBackoff(JsonObject json) {
        if (!json.containsKey("baseMs")) {
            return null;
        }
        return new Backoff(Backoff.Curve.labelled(json.getString("curve")).orElse(Backoff.DEFAULT.curve()),
                Duration.ofMillis(json.getLong("baseMs")), Duration.ofMillis(json.getLong("capMs")),
                Backoff.Jitter.labelled(json.getString("jitter")).orElse(Backoff.DEFAULT.jitter()));
    }

    static String write(Failure failure) {
        JsonObject json = new JsonObject();
        if (failure.reason() != null) {
            json.put("reason", failure.reason().name());
        }
        json.put("error", failure.error()).put("message", failure.message());
        if (failure.stack() != null) {
            json.put("stack", failure.stack());
        }
        if (failure.detail() != null) {
            json.put("detail", Json.decodeValue(failure.detail()));
        }
        return json.encode();
    }
}
