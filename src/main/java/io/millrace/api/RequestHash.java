package io.millrace.api;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Tells one request from another: SHA-256 over its fields, each with its length before it, so that none can pass for two. */
final class RequestHash {
    private static final int ABSENT = -1;

    private final MessageDigest digest;

    RequestHash() {
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** @param field counts by its text; null if it was not given */
    void add(Object field) {
        byte[] text = field == null ? new byte[0] : field.toString().getBytes(StandardCharsets.UTF_8);
        digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(field == null ? ABSENT : text.length).array());
        digest.update(text);
    }

    String hex() {
        return HexFormat.of().formatHex(digest.digest());
    }
}
