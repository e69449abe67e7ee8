package io.millrace.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

import com.sun.net.httpserver.HttpServer;

import io.millrace.account.SigningKeys;
import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;

/** Beside {@link QuarkusServers}: callers have to say who they are, to us or to an identity provider that this is. */
public final class AccountsOn implements QuarkusTestResourceLifecycleManager {

    public static final String ADMIN = "root";
    public static final String ADMIN_PASSWORD = "the first password";
    public static final String OTHER_ISSUER = "https://id.example";
    public static final int TRIES_PER_ADDRESS = 1_000;

    /** What the identity provider says its keys are. Read at each question, so that a test can change it. */
    public static final Path JWKS = Path.of("target/test-keys/jwks.json");
    /** A property, because tests and this run in different class loaders. */
    private static final String FETCHES = "test.jwks.fetches";

    private HttpServer provider;

    /** How often the keys of the identity provider were fetched. */
    public static int fetches() {
        return Integer.getInteger(FETCHES, 0);
    }

    @Override
    public int order() {
        return 1;
    }

    @Override
    public Map<String, String> start() {
        try {
            Path folder = Files.createDirectories(JWKS.getParent()).toAbsolutePath();
            Path privateKey = folder.resolve("private.pem");
            Path publicKey = folder.resolve("public.pem");
            SigningKeys.makeFiles(privateKey, publicKey);
            Path password = Files.writeString(folder.resolve("admin-password"), ADMIN_PASSWORD + "\n");
            Files.writeString(JWKS, "{\"keys\":[]}");
            startProvider();
            Map<String, String> settings = new HashMap<>();
            settings.put("millrace.auth", "required");
            settings.put("millrace.auth.private-key", privateKey.toString());
            settings.put("millrace.auth.public-key", publicKey.toString());
            settings.put("millrace.auth.admin", ADMIN);
            settings.put("millrace.auth.admin-password", password.toString());
            settings.put("millrace.auth.tries-per-address", Integer.toString(TRIES_PER_ADDRESS));
            settings.put("millrace.auth.issuers.example.issuer", OTHER_ISSUER);
            settings.put("millrace.auth.issuers.example.audience", "millrace-test");
            settings.put("millrace.auth.issuers.example.jwks-url",
                    "http://127.0.0.1:" + provider.getAddress().getPort() + "/jwks");
            return settings;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void startProvider() throws IOException {
        provider = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        provider.createContext("/jwks", exchange -> {
            System.setProperty(FETCHES, Integer.toString(fetches() + 1));
            byte[] keys = Files.readString(JWKS).getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(200, keys.length);
            exchange.getResponseBody().write(keys);
            exchange.close();
        });
        provider.start();
    }

    @Override
    public void stop() {
        if (provider != null) {
            provider.stop(0);
        }
    }
}
