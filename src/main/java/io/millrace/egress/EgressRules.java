package io.millrace.egress;

import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Which addresses may be called: first the URL as it is written, then every address its host has. */
final class EgressRules {

    /** A URL that passed the first check, taken apart once: nothing parses it again. */
    record Target(URI uri, boolean ssl, String host, int port, boolean isOpen) {

        /** Path and query; the fragment stays with us. */
        String requestUri() {
            String path = uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
            return uri.getRawQuery() == null ? path : path + "?" + uri.getRawQuery();
        }

        /** What to look up: the host, or what is inside the brackets of an IPv6 literal. */
        String hostToResolve() {
            return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
        }
    }

    /** Longer than any URL that is in use, and far less than what it costs to look at one. */
    private static final int MOST_CHARACTERS = 8_192;

    /** What DNS allows. */
    private static final int MOST_HOST_CHARACTERS = 253;

    /** A last label of this kind makes browsers and C libraries take a host for an IPv4 address. */
    private static final Pattern NUMERIC_LABEL = Pattern.compile("[0-9]+|0x[0-9a-f]*");
    private static final Pattern DOTTED_DECIMAL = Pattern.compile("(?:(?:0|[1-9][0-9]{0,2})\\.){3}(?:0|[1-9][0-9]{0,2})");

    private final Set<String> openHosts;
    private final Set<Integer> allowedPorts;
    private final Predicate<InetAddress> isPublic;

    /** @param isPublic {@link AddressGuard#isPublic}, but in tests, which have no public address to call */
    EgressRules(EgressConfig config, Predicate<InetAddress> isPublic) {
        this.isPublic = isPublic;
        openHosts = config.openHosts().orElse(Set.of()).stream().map(host -> host.strip().toLowerCase(Locale.ROOT))
                .collect(Collectors.toUnmodifiableSet());
        allowedPorts = Set.copyOf(config.allowedPorts());
    }

    /**
     * @return the URL in ASCII: what is not is percent-encoded, so that no later step encodes it in a way of its own
     * @throws EgressRefusedException if the text is not a URL at all
     */
    static URI parse(String url) {
        if (url.length() > MOST_CHARACTERS) {
            throw new EgressRefusedException("a URL of more than " + MOST_CHARACTERS + " characters is not called");
        }
        try {
            return new URI(new URI(url).toASCIIString());
        } catch (URISyntaxException e) {
            throw new EgressRefusedException("not a URL: " + e.getReason() + " at index " + e.getIndex()
                    + "; spaces and non-ASCII characters have to be percent-encoded");
        }
    }

    /** @throws EgressRefusedException if the URL itself is not allowed, whatever its host resolves to */
    Target check(URI uri) {
        String scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
        if (!scheme.equals("http") && !scheme.equals("https")) {
            throw new EgressRefusedException(
                    "only http and https URLs are called, not "
                            + (scheme.isEmpty() ? "one without a scheme" : PlainText.of(scheme)));
        }
        if (uri.getHost() == null) {
            throw new EgressRefusedException("the URL names no host; a host is written in ASCII letters, digits, '-' and '.'"
                    + " (an international name in its xn-- form)");
        }
        if (uri.getRawUserInfo() != null) {
            throw new EgressRefusedException("a URL with a user name or password in it is not called");
        }
        boolean ssl = scheme.equals("https");
        String host = withoutTrailingDot(uri.getHost().toLowerCase(Locale.ROOT));
        checkHost(host);
        int port = uri.getPort() >= 0 ? uri.getPort() : ssl ? 443 : 80;
        boolean open = openHosts.contains(host) || openHosts.contains(host + ":" + port);
        if (!open && !allowedPorts.contains(port)) {
            throw new EgressRefusedException("port " + port + " is not called, only " + new TreeSet<>(allowedPorts)
                    + " (millrace.egress.allowed-ports); for this host alone, add " + host + ":" + port
                    + " to millrace.egress.open-hosts");
        }
        if (port == 0 || port > 65535) {
            throw new EgressRefusedException("no such port: " + port);
        }
        return new Target(uri, ssl, host, port, open);
    }

    /** @throws EgressRefusedException if a hop leads from where nobody can listen to where somebody can */
    static void checkHop(URI from, URI to) {
        if ("https".equalsIgnoreCase(from.getScheme()) && "http".equalsIgnoreCase(to.getScheme())) {
            throw new EgressRefusedException(
                    from.getHost() + " redirects from https to http, which is not followed; name the http"
                            + " address itself if it is meant");
        }
    }

    /**
     * {@code 127.1}, {@code 0177.0.0.1}, {@code 0x7f000001} and {@code 2130706433} are the same address, or four different ones, or
     * none: it depends on who reads them.
     */
    private static void checkHost(String host) {
        if (host.length() > MOST_HOST_CHARACTERS) {
            throw new EgressRefusedException("a host has at most " + MOST_HOST_CHARACTERS + " characters");
        }
        if (NUMERIC_LABEL.matcher(host.substring(host.lastIndexOf('.') + 1)).matches()
                && !DOTTED_DECIMAL.matcher(host).matches()) {
            throw new EgressRefusedException(
                    host + " may be read as more than one address; an IPv4 address is written as four decimal"
                            + " numbers without leading zeros");
        }
    }

    /**
     * One address that is not public is enough to refuse the host: which one would be connected to is not ours to say. The
     * address itself is not told, since the message goes to whoever named the host.
     */
    void check(Target target, List<InetAddress> addresses) {
        if (!target.isOpen() && !addresses.stream().allMatch(isPublic)) {
            throw new EgressRefusedException(target.host() + " does not have a public address and is not called; if it is meant"
                    + " to be, add " + target.host() + ":" + target.port() + " to millrace.egress.open-hosts");
        }
    }

    private static String withoutTrailingDot(String host) {
        return host.endsWith(".") ? host.substring(0, host.length() - 1) : host;
    }
}
