package io.millrace.job;

import java.util.regex.Pattern;

/**
 * What keeps a job from being there twice.
 *
 * @param idempotencyKey one request, however often it is sent; null for none
 * @param bodyHash of that request, hex; null without an idempotency key
 * @param uniqueKey at most one job of the tenant and type that has not ended may have it; null for any number
 * @param onConflict null without a unique key
 */
public record JobKeys(String idempotencyKey, String bodyHash, String uniqueKey, OnConflict onConflict) {
    public static final JobKeys NONE = new JobKeys(null, null, null, null);

    /** Of either kind of key: 1 to 255 visible ASCII characters. */
    public static final Pattern KEY = Pattern.compile("[\\x21-\\x7e]{1,255}");

    public boolean isEmpty() {
        return idempotencyKey == null && uniqueKey == null;
    }
}
