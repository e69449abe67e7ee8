package io.millrace.load;

import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** System properties that begin with {@code load.}; README.md lists them. What cannot be used stops the run before it begins. */
final class Settings {
    private static final Pattern DURATION = Pattern.compile("(\\d{1,9})(ms|s|m|h)");
    private static final Map<String, Duration> UNITS = Map.of("ms", Duration.ofMillis(1), "s", Duration.ofSeconds(1), "m",
            Duration.ofMinutes(1), "h", Duration.ofHours(1));
    private static final int MOST_PORT = 65_535;

    private Settings() {}

    /** The API, {@code http://host:port}. */
    static String url() {
        String text = text("load.url").orElse("http://localhost:8080");
        try {
            URI url = URI.create(text);
            if (url.getHost() != null && ("http".equals(url.getScheme()) || "https".equals(url.getScheme()))) {
                return text.endsWith("/") ? text.substring(0, text.length() - 1) : text;
            }
        } catch (IllegalArgumentException notAUrl) {
            // said below
        }
        throw refused("load.url", text, "http://host:port");
    }

    /** An access token or an API key; empty for an API that is open. */
    static Optional<String> token() {
        return text("load.token");
    }

    /** The address by which the workers reach the pictures of this process. */
    static String picturesHost() {
        return text("load.pictures-host").orElse("127.0.0.1");
    }

    /** @return 0 for any free one */
    static int picturesPort() {
        return number("load.pictures-port", 0, 0, MOST_PORT);
    }

    /** @throws IllegalArgumentException if it is no number from {@code least} to {@code most} */
    static int number(String name, int otherwise, int least, int most) {
        String text = text(name).orElse(Integer.toString(otherwise));
        try {
            int number = Integer.parseInt(text);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException notANumber) {
            // said below
        }
        throw refused(name, text, "a number from " + least + " to " + most);
    }

    /**
     * @param otherwise such as {@code 30s}
     * @throws IllegalArgumentException if it is no duration, or longer than {@code most}
     */
    static Duration duration(String name, String otherwise, Duration most) {
        String text = text(name).orElse(otherwise);
        Matcher parts = DURATION.matcher(text);
        if (parts.matches()) {
            Duration duration = UNITS.get(parts.group(2)).multipliedBy(Long.parseLong(parts.group(1)));
            if (!duration.isZero() && duration.compareTo(most) <= 0) {
                return duration;
            }
        }
        throw refused(name, text, "a duration such as 250ms, 30s, 5m or 1h, at most " + most.toSeconds() + "s");
    }

    private static Optional<String> text(String name) {
        return Optional.ofNullable(System.getProperty(name)).map(String::strip).filter(text -> !text.isEmpty());
    }

    private static IllegalArgumentException refused(String name, String text, String instead) {
        return new IllegalArgumentException(name + " is '" + text + "': set it to " + instead);
    }
}
