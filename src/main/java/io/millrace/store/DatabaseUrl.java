package io.millrace.store;

import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;

/**
 * The address of a PostgreSQL database.
 *
 * @param password null if the URL has none
 * @param query the part behind {@code ?}, or null
 */
public record DatabaseUrl(String host, int port, String database, String user, String password, String query) {
    private static final int DEFAULT_PORT = 5432;
    private static final int MOST_PORT = 65_535;

    /**
     * @param url {@code postgresql://user:password@host:port/database}
     * @throws IllegalArgumentException if it is not of that form; the message says what is missing, without the password
     */
    public static DatabaseUrl parse(String url) {
        URI uri;
        try {
            uri = new URI(url);
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException("it is not a URL (special characters in the password must be %-encoded)");
        }
        if (!"postgresql".equals(uri.getScheme()) && !"postgres".equals(uri.getScheme())) {
            throw new IllegalArgumentException("it must start with postgresql://");
        }
        if (uri.getHost() == null) {
            throw new IllegalArgumentException("it names no host");
        }
        if (uri.getPort() > MOST_PORT) {
            throw new IllegalArgumentException("there is no port " + uri.getPort());
        }
        if (uri.getPath() == null || uri.getPath().length() < 2) {
            throw new IllegalArgumentException("it names no database");
        }
        if (uri.getRawUserInfo() == null) {
            throw new IllegalArgumentException("it names no user");
        }
        String[] userAndPassword = uri.getRawUserInfo().split(":", 2);
        return new DatabaseUrl(uri.getHost(), uri.getPort() == -1 ? DEFAULT_PORT : uri.getPort(), uri.getPath().substring(1),
                decode(userAndPassword[0]), userAndPassword.length == 2 ? decode(userAndPassword[1]) : null, uri.getRawQuery());
    }

    String jdbcUrl() {
        return "jdbc:postgresql://" + host + ":" + port + "/" + database + "?ApplicationName=millrace-migrate&connectTimeout=5"
                + (query == null ? "" : "&" + query);
    }

    private static String decode(String text) {
        return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    }
}
