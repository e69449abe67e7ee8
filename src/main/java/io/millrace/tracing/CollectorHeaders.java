package io.millrace.tracing;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** Reads headers as OpenTelemetry has them in its environment variables: {@code api-key=secret,tenant=a%2Cb}. */
final class CollectorHeaders {
    private CollectorHeaders() {}

    static boolean isUsable(String text) {
        try {
            parse(text);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /** @throws IllegalArgumentException if the text cannot be read; it quotes nothing, for values are secrets */
    static Map<String, String> parse(String text) {
        Map<String, String> headers = new LinkedHashMap<>();
        for (String header : text.split(",")) {
            int equals = header.indexOf('=');
            if (equals < 1) {
                throw new IllegalArgumentException("a header is not name=value");
            }
            // A plus stands for itself here, not for a blank.
            headers.put(header.substring(0, equals).strip(),
                    URLDecoder.decode(header.substring(equals + 1).strip().replace("+", "%2B"), StandardCharsets.UTF_8));
        }
        return headers;
    }
}
