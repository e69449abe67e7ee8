package io.millrace.stream;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Every key in Redis. */
public final class RedisKeys {

    private RedisKeys() {}

    /** The bytes of a downloaded image; a hash, since a URL may be long and may hold a signature. */
    public static String imageCache(URI url) {
        return "image:" + sha256(url.toString());
    }

    private static String sha256(String text) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
