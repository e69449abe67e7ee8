package io.millrace.account;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.UUID;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.persistence.LockModeType;

import org.jboss.logging.Logger;

import io.quarkus.hibernate.reactive.panache.Panache;
import io.smallrye.mutiny.Uni;

/**
 * Logins that last. A refresh token is its session's id and a secret, and good for one use. One that was used before names a session
 * whose latest token is another: two parties hold tokens of it, one of them a thief, so the session ends for both.
 */
@ApplicationScoped
class Sessions {
    private static final Logger LOG = Logger.getLogger(Sessions.class);
    private static final int ID_BYTES = 16;
    private static final int SECRET_BYTES = 32;

    private final AuthConfig config;
    private final Tokens tokens;

    Sessions(AuthConfig config, Tokens tokens) {
        this.config = config;
        this.tokens = tokens;
    }

    Uni<TokenPair> open(Account account) {
        Instant now = Instant.now();
        Session session = new Session();
        session.id = UUID.randomUUID();
        session.accountId = account.id;
        session.createdAt = now;
        session.expiresAt = now.plus(config.refreshLifetime());
        String refreshToken = refreshToken(session.id);
        session.tokenHash = Secret.hash(refreshToken);
        // Locked, so that of two logins at once each sees the session of the other.
        return Panache.withTransaction(() -> Account.<Account>findById(account.id, LockModeType.PESSIMISTIC_WRITE)
                .onItem().ifNull().failWith(RefusedException::wrongLogin)
                .chain(() -> Session.delete("accountId = ?1 and expiresAt <= ?2", account.id, now))
                .chain(() -> session.persistAndFlush())
                .chain(() -> endOldest(account.id)))
                .map(opened -> pair(account, refreshToken));
    }

    private Uni<Long> endOldest(UUID accountId) {
        return Session.<Session>list("accountId = ?1 order by createdAt desc", accountId).chain(sessions -> {
            if (sessions.size() <= config.sessions()) {
                return Uni.createFrom().item(0L);
            }
            List<UUID> oldest = sessions.subList(config.sessions(), sessions.size()).stream().map(session -> session.id)
                    .toList();
            return Session.delete("id in ?1", oldest);
        });
    }

    Uni<TokenPair> refresh(String refreshToken) {
        UUID id = sessionOf(refreshToken);
        if (id == null) {
            throw RefusedException.wrongRefreshToken();
        }
        String next = refreshToken(id);
        Instant now = Instant.now();
        return Panache.withTransaction(() -> Session
                .update("tokenHash = ?1, expiresAt = ?2 where id = ?3 and tokenHash = ?4 and expiresAt > ?5", Secret.hash(next),
                        now.plus(config.refreshLifetime()), id, Secret.hash(refreshToken), now)
                .chain(count -> count == 1 ? accountOf(id) : end(id)))
                // Outside the transaction: a failure inside would keep the session alive.
                .onItem().ifNull().failWith(RefusedException::wrongRefreshToken)
                .map(account -> pair(account, next));
    }

    private static Uni<Account> accountOf(UUID sessionId) {
        return Session.<Session>findById(sessionId).chain(session -> Account.findById(session.accountId));
    }

    private static Uni<Account> end(UUID sessionId) {
        return Session.delete("id = ?1", sessionId).invoke(count -> {
            if (count > 0) {
                LOG.warn("a refresh token was used that is not valid any more: its session has been ended");
            }
        }).map(count -> null);
    }

    private TokenPair pair(Account account, String refreshToken) {
        return new TokenPair(tokens.sign(account.username, account.tenant, account.groups()), refreshToken);
    }

    private static String refreshToken(UUID sessionId) {
        ByteBuffer bytes = ByteBuffer.allocate(ID_BYTES + SECRET_BYTES).putLong(sessionId.getMostSignificantBits())
                .putLong(sessionId.getLeastSignificantBits()).put(Secret.randomBytes(SECRET_BYTES));
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes.array());
    }

    /** @return null if it is no refresh token at all */
    private static UUID sessionOf(String refreshToken) {
        try {
            ByteBuffer bytes = ByteBuffer.wrap(Base64.getUrlDecoder().decode(refreshToken));
            return bytes.capacity() == ID_BYTES + SECRET_BYTES ? new UUID(bytes.getLong(), bytes.getLong()) : null;
        } catch (IllegalArgumentException notBase64) {
            return null;
        }
    }
}
