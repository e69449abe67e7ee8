package io.millrace.egress;

import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
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

    private final Set<String> openHosts;
    private final Set<Integer> allowedPorts;

    EgressRules(EgressConfig config) {
        openHosts = config.openHosts().orElse(Set.of()).stream().map(host -> host.strip().toLowerCase(Locale.ROOT))
                .collect(Collectors.toUnmodifiableSet());
        allowedPorts = Set.copyOf(config.allowedPorts());
    }

    /** @throws EgressRefusedException if the text is not a URL at all */
    static URI parse(String url) {
        try {
            return new URI(url);
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
                    "only http and https URLs are called, not " + (scheme.isEmpty() ? "one without a scheme" : scheme));
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

    /**
     * One address that is not public is enough to refuse the host: which one would be connected to is not ours to say. The
     * address itself is not told, since the message goes to whoever named the host.
     */
    void check(Target target, List<InetAddress> addresses) {
        if (!target.isOpen() && !addresses.stream().allMatch(AddressGuard::isPublic)) {
            throw new EgressRefusedException(target.host() + " does not have a public address and is not called; if it is meant"
                    + " to be, add " + target.host() + ":" + target.port() + " to millrace.egress.open-hosts");
        }
    }

    private static String withoutTrailingDot(String host) {
        return host.endsWith(".") ? host.substring(0, host.length() - 1) : host;
    }
}
