package io.millrace.account;

import java.nio.charset.StandardCharsets;

import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;

import com.password4j.Argon2Function;
import com.password4j.types.Argon2;

import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;

/**
 * Argon2id with 19 MiB and two passes, the first choice of the OWASP Password Storage Cheat Sheet, on a few threads of its own. How many may
 * wait for them is bounded: hashing is the dearest thing that somebody without an account can make us do.
 */
@ApplicationScoped
class Passwords {
    private static final int MEMORY_KIB = 19_456;
    private static final int PASSES = 2;
    private static final int HASH_BYTES = 32;
    private static final int SALT_BYTES = 16;
    private static final int WAITING_PER_THREAD = 16;

    private final BoundedThreads threads;

    Passwords(Vertx vertx, AuthConfig config) {
        threads = new BoundedThreads(vertx, "passwords", config.passwordThreads(),
                config.passwordThreads() * WAITING_PER_THREAD);
    }

    Uni<String> hash(String password) {
        return threads.run(() -> hashNow(password));
    }

    /** @param hash of the account, or null if there is none: that takes as long, so that nobody can tell from the time */
    Uni<Boolean> isRight(String password, String hash) {
        return threads.run(() -> {
            boolean isRight = check(password, hash == null ? Nobody.HASH : hash);
            return isRight && hash != null;
        });
    }

    static String hashNow(String password) {
        return Argon2Function.getInstance(MEMORY_KIB, PASSES, 1, HASH_BYTES, Argon2.ID)
                .hash(password.getBytes(StandardCharsets.UTF_8), Secret.randomBytes(SALT_BYTES)).getResult();
    }

    /** With the costs that the hash names: they may rise with a later version. */
    static boolean check(String password, String hash) {
        return Argon2Function.getInstanceFromHash(hash).check(password, hash);
    }

    /** A password that nobody knows. */
    private static final class Nobody {
        static final String HASH = hashNow(Secret.next());
    }

    @PreDestroy
    void close() {
        threads.close();
    }
}
