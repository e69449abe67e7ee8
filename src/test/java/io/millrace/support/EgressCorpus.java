package io.millrace.support;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Pattern;

/** The lines of {@code src/test/resources/egress}: what somebody may try to make us call what they cannot call themselves. */
public final class EgressCorpus {

    private static final Pattern CHARACTER = Pattern.compile("\\\\u([0-9a-f]{4})");

    private EgressCorpus() {}

    public static List<String> addresses() {
        return lines("addresses.txt");
    }

    /** @param port of the sink */
    public static List<String> urls(int port) {
        return lines("urls.txt").stream().map(url -> url.replace("{port}", Integer.toString(port))).toList();
    }

    /**
     * @param port of the sink
     * @param open of the host that may be called
     */
    public static List<String> redirects(int port, int open) {
        return lines("redirects.txt").stream()
                .map(url -> url.replace("{port}", Integer.toString(port)).replace("{open}", Integer.toString(open))).toList();
    }

    /** @return for each name its look-ups in turn, and the addresses of each */
    public static List<List<List<String>>> names() {
        return lines("names.txt").stream()
                .map(name -> List.of(name.split("; ")).stream().map(lookUp -> List.of(lookUp.split(", "))).toList()).toList();
    }

    private static List<String> lines(String file) {
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(
                EgressCorpus.class.getResourceAsStream("/egress/" + file), StandardCharsets.UTF_8))) {
            return reader.lines().filter(line -> !line.isBlank() && !line.startsWith("#"))
                    .map(line -> CHARACTER.matcher(line)
                            .replaceAll(found -> java.util.regex.Matcher
                                    .quoteReplacement(Character.toString(Integer.parseInt(found.group(1), 16)))))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
