package io.millrace.app;

import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Whose web pages may call the API from a browser: nobody's, unless they are named. */
record CorsOrigins(List<String> origins) {
    private static final String SETTING = "millrace.http.cors-origins";
    private static final Pattern ORIGIN = Pattern
            .compile("https?://[A-Za-z0-9.-]+(:\\d{1,5})?|https?://\\[[0-9a-fA-F:]+](:\\d{1,5})?");

    /** @throws StartFailure if the setting cannot be used */
    static CorsOrigins read() {
        List<String> origins = Settings.setting(SETTING).stream().flatMap(text -> Stream.of(text.split(","))).map(String::strip)
                .toList();
        for (String origin : origins) {
            // Of everybody: a page that a user of this API happens to open could use it as they can.
            if (!ORIGIN.matcher(origin).matches()) {
                throw StartFailure.usage(Settings.variable(SETTING) + " has '" + origin + "': name each origin as "
                        + "https://host or https://host:port, with commas between them; there is no wildcard");
            }
        }
        return new CorsOrigins(origins);
    }

    void configure() {
        System.setProperty("quarkus.http.cors.enabled", Boolean.toString(!origins.isEmpty()));
        if (!origins.isEmpty()) {
            System.setProperty("quarkus.http.cors.origins", String.join(",", origins));
        }
    }
}
