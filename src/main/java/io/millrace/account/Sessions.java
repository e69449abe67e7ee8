package io.millrace.account;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.UUID;
import java.util.function.Supplier;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.persistence.LockModeType;

import org.jboss.logging.Logger;

import io.millrace.audit.Actor;
import io.millrace.audit.AuditAction;
import io.millrace.audit.AuditEntry;
import io.millrace.audit.AuditLog;
import io.millrace.audit.Origin;
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
    private final AuditLog audit;

    Sessions(AuthConfig config, Tokens tokens, AuditLog audit) {
        this.config = config;
        this.tokens = tokens;
        this.audit = audit;
    }

    /** The first session of an account, of which the log says no more than of the account. */
    Uni<TokenPair> open(Account account) {
        Opened opened = newSession(account.id);
        return Panache.withTransaction(() -> opened.session().persistAndFlush())
                .map(done -> pair(account, opened.refreshToken()));
    }

    /**
     * @param account as it was when its password was found right; should that have changed since, it was wrong
     * @param entry of the login
     */
    Uni<TokenPair> open(Account account, AuditEntry entry) {
        Opened opened = newSession(account.id);
        // Locked, so that of two logins at once each sees the session of the other.
        return Panache.withTransaction(() -> lock(account.id)
                .invoke(locked -> checkUnchanged(locked, account, RefusedException::wrongLogin))
                .chain(() -> Session.delete("accountId = ?1 and expiresAt <= ?2", account.id, Instant.now()))
                .chain(() -> opened.session().persistAndFlush())
                .chain(() -> endOldest(account.id))
                .call(ended -> audit.write(ended == 0 ? entry : entry.with("sessionsEnded", ended))))
                .map(done -> pair(account, opened.refreshToken()));
    }

    /**
     * Gives the account another password, ends all its sessions and opens a new one.
     *
     * @param account as it was when its password was found right; should that have changed since, it was wrong
     * @param entry of the change
     */
    Uni<TokenPair> restart(Account account, String passwordHash, AuditEntry entry) {
        Opened opened = newSession(account.id);
        return Panache.withTransaction(() -> lock(account.id)
                .invoke(locked -> {
                    checkUnchanged(locked, account, RefusedException::wrongPassword);
                    locked.passwordHash = passwordHash;
                })
                .chain(() -> Session.delete("accountId = ?1", account.id))
                .call(() -> opened.session().persistAndFlush())
                .call(ended -> audit.write(entry.with("sessionsEnded", ended))))
                .map(done -> pair(account, opened.refreshToken()));
    }

    /**
     * @param refreshToken of the session to end; null for all
     * @param entry of the logout, written if anything was ended
     * @return how many were ended
     */
    Uni<Long> end(Account account, String refreshToken, AuditEntry entry) {
        return Panache.withTransaction(() -> (refreshToken == null
                ? Session.delete("accountId = ?1", account.id)
                : Session.delete("accountId = ?1 and tokenHash = ?2", account.id, Secret.hash(refreshToken)))
                .call(ended -> ended == 0
                        ? Uni.createFrom().voidItem()
                        : audit.write(entry.with("sessionsEnded", ended))));
    }

    /** Hashing takes long enough for somebody to give the account another password, or to delete it. */
    private static void checkUnchanged(Account locked, Account checked, Supplier<RefusedException> refused) {
        if (locked == null || !locked.passwordHash.equals(checked.passwordHash)) {
            throw refused.get();
        }
    }

    private static Uni<Account> lock(UUID accountId) {
        return Account.findById(accountId, LockModeType.PESSIMISTIC_WRITE);
    }

    private record Opened(Session session, String refreshToken) {}

    private Opened newSession(UUID accountId) {
        Instant now = Instant.now();
        Session session = new Session();
        session.id = UUID.randomUUID();
        session.accountId = accountId;
        session.createdAt = now;
        session.expiresAt = now.plus(config.refreshLifetime());
        String refreshToken = refreshToken(session.id);
        session.tokenHash = Secret.hash(refreshToken);
        return new Opened(session, refreshToken);
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

    Uni<TokenPair> refresh(String refreshToken, Origin origin) {
        UUID id = sessionOf(refreshToken);
        if (id == null) {
            throw RefusedException.wrongRefreshToken();
        }
        String next = refreshToken(id);
        Instant now = Instant.now();
        return Panache.withTransaction(() -> Session
                .update("tokenHash = ?1, expiresAt = ?2 where id = ?3 and tokenHash = ?4 and expiresAt > ?5", Secret.hash(next),
                        now.plus(config.refreshLifetime()), id, Secret.hash(refreshToken), now)
                .chain(count -> count == 1 ? accountOf(id) : endStolen(id, refreshToken, origin)))
                // Outside the transaction: a failure inside would keep the session alive.
                .onItem().ifNull().failWith(RefusedException::wrongRefreshToken)
                .map(account -> pair(account, next));
    }

    private static Uni<Account> accountOf(UUID sessionId) {
        return Session.<Session>findById(sessionId).chain(session -> Account.findById(session.accountId));
    }

    /** @return null; who shows the token is not believed to be the owner of the session */
    private Uni<Account> endStolen(UUID sessionId, String refreshToken, Origin origin) {
        return Session.<Session>findById(sessionId).onItem().ifNotNull().transformToUni(session -> {
            boolean isLatest = Arrays.equals(session.tokenHash, Secret.hash(refreshToken)); // and only too old
            return Account.<Account>findById(session.accountId)
                    .chain(account -> Session.delete("id = ?1", sessionId).call(count -> count == 0 || isLatest
                            ? Uni.createFrom().voidItem()
                            : tellOfTheft(account, origin)));
        }).map(count -> null);
    }

    private Uni<Void> tellOfTheft(Account account, Origin origin) {
        LOG.warn("a refresh token was used that is not valid any more: its session has been ended");
        return audit
                .write(Actor.anybody(account.tenant, origin).wasRefused(AuditAction.TOKEN_REUSE, account.id).with("username",
                        account.username));
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
