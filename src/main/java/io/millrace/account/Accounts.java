package io.millrace.account;

import java.time.Clock;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Supplier;

import jakarta.enterprise.context.ApplicationScoped;

import org.hibernate.exception.ConstraintViolationException;
import org.jboss.logging.Logger;

import io.millrace.audit.Actor;
import io.millrace.audit.AuditAction;
import io.millrace.audit.AuditEntry;
import io.millrace.audit.AuditLog;
import io.millrace.audit.Origin;
import io.quarkus.hibernate.reactive.panache.Panache;
import io.smallrye.mutiny.Uni;

/** Sign-up, login, and the accounts that an admin makes. */
@ApplicationScoped
public class Accounts {
    private static final Logger LOG = Logger.getLogger(Accounts.class);
    /** An admin's list is not paged. */
    private static final long MOST_IN_TENANT = 1_000;

    private final AuthConfig config;
    private final Passwords passwords;
    private final Sessions sessions;
    private final AuditLog audit;
    private final Tries byUser;
    private final Tries byAddress;

    Accounts(AuthConfig config, Passwords passwords, Sessions sessions, AuditLog audit) {
        this.config = config;
        this.passwords = passwords;
        this.sessions = sessions;
        this.audit = audit;
        this.byUser = new Tries(Clock.systemUTC(), config.triesPerUser(), config.tryWindow());
        this.byAddress = new Tries(Clock.systemUTC(), config.triesPerAddress(), config.tryWindow());
    }

    /** Makes an account in a tenant of its own, so that a stranger sees nobody's jobs, and logs it in. */
    public Uni<TokenPair> signUp(String username, String password, Origin origin) {
        if (!config.signUp()) {
            throw RefusedException.signUpClosed();
        }
        UUID id = UUID.randomUUID();
        Uni<Account> made = make(id, username, password, id.toString(), Set.of(Group.PRODUCER),
                account -> user(account, origin).did(AuditAction.SIGN_UP, null));
        byAddress.begin(Address.network(origin.address()));
        return made.chain(sessions::open);
    }

    /** As long for a name that nobody has as for a wrong password, and with the same answer. */
    public Uni<TokenPair> logIn(String username, String password, Origin origin) {
        String name = username.strip().toLowerCase(java.util.Locale.ROOT);
        return counted(name, origin, () -> find(name).chain(account -> passwords
                .isRight(Names.triedPassword(password), account == null ? null : account.passwordHash)
                .chain(isRight -> isRight
                        ? sessions.open(account, user(account, origin).did(AuditAction.LOGIN, null))
                        : refuseLogin(account, origin))));
    }

    /** @param account null if nobody has the name. The name is not written down then: it may be a password in the wrong field. */
    private Uni<TokenPair> refuseLogin(Account account, Origin origin) {
        AuditEntry entry = account == null
                ? Actor.anybody(null, origin).wasRefused(AuditAction.LOGIN, null)
                : Actor.anybody(account.tenant, origin).wasRefused(AuditAction.LOGIN, account.id).with("username",
                        account.username);
        return audit.writeFailure(entry).chain(() -> Uni.createFrom().failure(RefusedException::wrongLogin));
    }

    private static Actor user(Account account, Origin origin) {
        return new Actor(account.tenant, Actor.Kind.USER, account.username, account.id, origin);
    }

    /** A try with a password, of which only so many may be wrong. */
    private Uni<TokenPair> counted(String name, Origin origin, Supplier<Uni<TokenPair>> attempt) {
        String network = Address.network(origin.address());
        String key = name.length() <= Names.MOST_USERNAME ? name : "";
        byAddress.begin(network);
        byUser.begin(key);
        return attempt.get()
                .onTermination().invoke((in, failure, cancelled) -> {
                    // An outage of ours is nobody's wrong password. A client that hangs up gets no more tries by it.
                    if (!cancelled && !isWrong(failure)) {
                        byAddress.takeBack(network);
                        byUser.takeBack(key);
                    }
                });
    }

    /**
     * Ends all sessions of the account and opens a new one.
     *
     * @throws RefusedException if the caller has no account here, or the new password cannot be one
     */
    public Uni<TokenPair> changePassword(Caller caller, String current, String next, Origin origin) {
        String checked = Names.newPassword("newPassword", next);
        checkHasAccount(caller);
        return counted(caller.name(), origin, () -> find(caller).chain(account -> passwords
                .isRight(Names.triedPassword(current), account == null ? null : account.passwordHash)
                .chain(isRight -> isRight
                        ? passwords.hash(checked).chain(hash -> sessions.restart(account, hash,
                                user(account, origin).did(AuditAction.PASSWORD_CHANGE, account.id)))
                        : refuseChange(caller, account, origin))));
    }

    private Uni<TokenPair> refuseChange(Caller caller, Account account, Origin origin) {
        return audit.writeFailure(new Actor(caller.tenant(), caller.kind(), caller.name(), null, origin)
                .wasRefused(AuditAction.PASSWORD_CHANGE, account == null ? null : account.id))
                .chain(() -> Uni.createFrom().failure(RefusedException::wrongPassword));
    }

    /**
     * Ends sessions of the caller; access tokens are good until they run out.
     *
     * @param refreshToken of the session to end; null for all
     * @return how many were ended
     * @throws RefusedException if the caller has no account here
     */
    public Uni<Long> logOut(Caller caller, String refreshToken, Origin origin) {
        checkHasAccount(caller);
        return find(caller).chain(account -> account == null
                ? Uni.createFrom().item(0L)
                : sessions.end(account, refreshToken, user(account, origin).did(AuditAction.LOGOUT, account.id)));
    }

    private static void checkHasAccount(Caller caller) {
        if (caller.kind() != Actor.Kind.USER) {
            throw RefusedException.noAccount();
        }
    }

    /** The name may be somebody else's by now, in another tenant: a token outlives its account for a while. */
    private static Uni<Account> find(Caller caller) {
        return Panache.withSession(() -> Account
                .<Account>find("username = ?1 and tenant = ?2", caller.name(), caller.tenant()).firstResult());
    }

    /** @throws RefusedException if the token was made up, has been used before, is too old, or its session was ended */
    public Uni<TokenPair> refresh(String refreshToken, Origin origin) {
        String network = Address.network(origin.address());
        byAddress.begin(network);
        return sessions.refresh(refreshToken, origin).onTermination().invoke((refreshed, failure, cancelled) -> {
            if (!cancelled && !isWrong(failure)) {
                byAddress.takeBack(network);
            }
        });
    }

    private static boolean isWrong(Throwable failure) {
        return failure instanceof RefusedException refused && (refused.reason() == RefusedException.Reason.WRONG_CREDENTIALS
                || refused.reason() == RefusedException.Reason.WRONG_PASSWORD);
    }

    /** In the admin's tenant. */
    public Uni<Account> make(Actor admin, String username, String password, Collection<String> groups) {
        return make(UUID.randomUUID(), username, password, admin.tenant(), groups,
                account -> admin.did(AuditAction.ACCOUNT_MAKE, account.id).with("username", account.username).with("groups",
                        account.groupNames));
    }

    private Uni<Account> make(UUID id, String username, String password, String tenant, Collection<String> groups,
            Function<Account, AuditEntry> entry) {
        Account account = new Account();
        account.id = id;
        account.username = Names.username(username);
        account.tenant = tenant;
        account.groupNames = Names.groups(groups);
        account.createdAt = Instant.now();
        String checked = Names.newPassword("password", password);
        return Panache.withSession(() -> Account.count("tenant = ?1", tenant).chain(count -> {
            if (count >= MOST_IN_TENANT) {
                throw RefusedException.invalid("", "the tenant has " + MOST_IN_TENANT + " accounts, which is the most");
            }
            return Account.count("username = ?1", account.username);
        })).chain(count -> {
            if (count > 0) { // before the dear part; whether it is still free is decided by the insert
                throw RefusedException.nameTaken();
            }
            return passwords.hash(checked);
        }).chain(hash -> {
            account.passwordHash = hash;
            return Panache.withTransaction(() -> account.<Account>persistAndFlush()
                    .call(() -> audit.write(entry.apply(account))));
        }).onFailure(ConstraintViolationException.class).transform(taken -> RefusedException.nameTaken());
    }

    private static Uni<Account> find(String username) {
        return Panache.withSession(() -> Account.<Account>find("username = ?1", username).firstResult());
    }

    public Uni<List<Account>> list(String tenant) {
        return Panache.withSession(() -> Account.list("tenant = ?1 order by username", tenant));
    }

    /**
     * Its sessions end with it; an access token that it has is good until it runs out.
     *
     * @return false if the tenant has no such account
     */
    public Uni<Boolean> delete(Actor admin, UUID id) {
        String tenant = admin.tenant();
        return Panache.withTransaction(() -> Account.<Account>find("tenant = ?1 and id = ?2", tenant, id).firstResult()
                .chain(account -> Account.delete("tenant = ?1 and id = ?2", tenant, id)
                        .call(count -> count == 0
                                ? Uni.createFrom().voidItem()
                                : audit.write(admin.did(AuditAction.ACCOUNT_DELETE, id).with("username", account.username)))))
                .map(count -> count > 0);
    }

    /** The account that everything else is made with. Does nothing if there is one of this name. */
    Uni<Void> makeFirstAdmin(String username, String password) {
        return make(Actor.system(Tenant.DEFAULT), username, password, Set.of(Group.ADMIN))
                .invoke(account -> LOG.infof("made the account %s, which is admin of the tenant %s", account.username,
                        account.tenant))
                .replaceWithVoid()
                .onFailure(failure -> failure instanceof RefusedException refused
                        && refused.reason() == RefusedException.Reason.NAME_TAKEN)
                .recoverWithNull();
    }
}
