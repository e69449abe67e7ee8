package io.millrace.deploy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The settings that {@code docs/settings.md} lists, as environment variables. */
final class KnownSettings {
    private static final Pattern KEY = Pattern.compile("`(millrace\\.[a-z.-]+)`");

    private KnownSettings() {}

    static Set<String> variables() {
        try {
            return Files.readString(Path.of("docs/settings.md")).lines().filter(line -> line.startsWith("| `millrace."))
                    .map(line -> line.substring(0, line.indexOf('|', 1)))
                    .flatMap(cell -> KEY.matcher(cell).results().map((MatchResult found) -> found.group(1)))
                    .map(key -> key.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_'))
                    .collect(Collectors.toUnmodifiableSet());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
