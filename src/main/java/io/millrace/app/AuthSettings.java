package io.millrace.app;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

import io.millrace.account.AuthMode;
import io.millrace.account.SigningKeys;
import io.quarkus.runtime.LaunchMode;

/**
 * Whether callers have to say who they are, and the keys for it.
 *
 * @param privateKey null in a process that serves no API, or without accounts
 * @param host null for the default of the application
 */
record AuthSettings(AuthMode mode, Path privateKey, List<Path> publicKeys, boolean makesKeys, String host) {
    private static final String MODE = "millrace.auth";
    private static final String PRIVATE_KEY = "millrace.auth.private-key";
    private static final String PUBLIC_KEY = "millrace.auth.public-key";
    private static final String HOST = "millrace.http.host";
    private static final String OPEN_ANYWHERE = "millrace.auth.open-anywhere";
    private static final String LOOPBACK = "127.0.0.1";

    /** @throws StartFailure if a setting cannot be used; the message names it and says what to do */
    static AuthSettings read(Settings settings) {
        AuthMode mode = Settings.setting(MODE).map(AuthSettings::mode)
                .orElse(settings.isEmbedded() ? AuthMode.OPEN : AuthMode.REQUIRED);
        Optional<Path> privateKey = Settings.setting(PRIVATE_KEY).map(Path::of);
        List<Path> publicKeys = Settings.setting(PUBLIC_KEY).stream().flatMap(files -> Stream.of(files.split(",")))
                .map(file -> Path.of(file.strip())).toList();
        if (privateKey.isPresent() == publicKeys.isEmpty()) {
            throw StartFailure
                    .usage("of MILLRACE_AUTH_PRIVATE_KEY and MILLRACE_AUTH_PUBLIC_KEY only one is set: set both, or neither");
        }
        String host = mode == AuthMode.OPEN ? openHost(settings) : null;
        if (privateKey.isPresent()) {
            return new AuthSettings(mode, privateKey.get(), publicKeys, false, host);
        }
        if (settings.isEmbedded()) {
            Path folder = settings.localDir().resolve("keys");
            return new AuthSettings(mode, folder.resolve("private.pem"), List.of(folder.resolve("public.pem")), true, host);
        }
        if (mode == AuthMode.REQUIRED && settings.mode().serves()) {
            throw StartFailure.usage("MILLRACE_AUTH is required, but there are no keys for its tokens: make a pair with "
                    + "`java -jar quarkus-run.jar keys` or `" + SigningKeys.HOW_TO_MAKE
                    + "`, then set MILLRACE_AUTH_PRIVATE_KEY=private.pem and "
                    + "MILLRACE_AUTH_PUBLIC_KEY=public.pem; or set MILLRACE_AUTH=open for a trial on loopback");
        }
        return new AuthSettings(mode, null, List.of(), false, host);
    }

    private static AuthMode mode(String text) {
        for (AuthMode mode : AuthMode.values()) {
            if (mode.name().equalsIgnoreCase(text)) {
                return mode;
            }
        }
        throw StartFailure.usage("MILLRACE_AUTH is '" + text + "': set it to required or open");
    }

    /** Whoever reaches an open API may do everything. */
    private static String openHost(Settings settings) {
        String host = Settings.setting(HOST).orElse(LOOPBACK);
        boolean isAllowed = Settings.setting(OPEN_ANYWHERE).map(Boolean::parseBoolean).orElse(false);
        if (settings.mode().serves() && !isAllowed && !isLoopback(host)) {
            throw StartFailure
                    .usage("MILLRACE_AUTH is open, and MILLRACE_HTTP_HOST is " + host + ": everybody who reaches it could do "
                            + "everything; set MILLRACE_AUTH=required, or leave MILLRACE_HTTP_HOST out, or set "
                            + "MILLRACE_AUTH_OPEN_ANYWHERE=true if a firewall keeps others away");
        }
        return host;
    }

    private static boolean isLoopback(String host) {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            return false;
        }
    }

    /** @throws StartFailure if they cannot be made or read */
    void prepareKeys() {
        if (privateKey == null) {
            return;
        }
        try {
            if (makesKeys) {
                SigningKeys.makeFiles(privateKey, publicKeys.get(0));
            }
            SigningKeys.read(privateKey, publicKeys);
        } catch (IOException e) {
            throw StartFailure.environment("the keys for tokens cannot be kept in " + privateKey.getParent() + " ("
                    + e.getMessage() + "): make it writable");
        } catch (IllegalArgumentException e) {
            throw StartFailure.usage("MILLRACE_AUTH_PRIVATE_KEY and MILLRACE_AUTH_PUBLIC_KEY cannot be used: " + e.getMessage()
                    + "; make a pair with `" + SigningKeys.HOW_TO_MAKE + "`");
        }
    }

    /** System properties, because they outrank whatever else Quarkus reads. */
    void configure() {
        System.setProperty(MODE, mode.name().toLowerCase(Locale.ROOT));
        if (privateKey != null) {
            System.setProperty(PRIVATE_KEY, privateKey.toString());
            System.setProperty(PUBLIC_KEY, String.join(",", publicKeys.stream().map(Path::toString).toList()));
        }
        if (host != null && LaunchMode.current() != LaunchMode.DEVELOPMENT) { // which has a host of its own
            System.setProperty(HOST, host);
        }
    }
}
