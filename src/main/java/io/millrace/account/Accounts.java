package io.millrace.account;

import java.time.Clock;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.UUID;

import jakarta.enterprise.context.ApplicationScoped;

import org.hibernate.exception.ConstraintViolationException;
import org.jboss.logging.Logger;

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
    private final Tries byUser;
    private final Tries byAddress;

    Accounts(AuthConfig config, Passwords passwords, Sessions sessions) {
        this.config = config;
        this.passwords = passwords;
        this.sessions = sessions;
        this.byUser = new Tries(Clock.systemUTC(), config.triesPerUser(), config.tryWindow());
        this.byAddress = new Tries(Clock.systemUTC(), config.triesPerAddress(), config.tryWindow());
    }

    /** Makes an account in a tenant of its own, so that a stranger sees nobody's jobs, and logs it in. */
    public Uni<TokenPair> signUp(String username, String password, String address) {
        if (!config.signUp()) {
            throw RefusedException.signUpClosed();
        }
        UUID id = UUID.randomUUID();
        Uni<Account> made = make(id, username, password, id.toString(), Set.of(Group.PRODUCER));
        byAddress.begin(Address.network(address));
        return made.chain(sessions::open);
    }

    /** As long for a name that nobody has as for a wrong password, and with the same answer. */
    public Uni<TokenPair> logIn(String username, String password, String address) {
        String name = username.strip().toLowerCase(java.util.Locale.ROOT);
        String network = Address.network(address);
        String key = name.length() <= Names.MOST_USERNAME ? name : "";
        byAddress.begin(network);
        byUser.begin(key);
        return find(name)
                .chain(account -> passwords
                        .isRight(Names.triedPassword(password), account == null ? null : account.passwordHash)
                        .chain(isRight -> {
                            if (!isRight) {
                                throw RefusedException.wrongLogin();
                            }
                            return sessions.open(account);
                        }))
                .onTermination().invoke((in, failure, cancelled) -> {
                    // An outage of ours is nobody's wrong password. A client that hangs up gets no more tries by it.
                    if (!cancelled && !isWrong(failure)) {
                        byAddress.takeBack(network);
                        byUser.takeBack(key);
                    }
                });
    }

    /** @throws RefusedException if the token was made up, has been used before, is too old, or its session was ended */
    public Uni<TokenPair> refresh(String refreshToken, String address) {
        String network = Address.network(address);
        byAddress.begin(network);
        return sessions.refresh(refreshToken).onTermination().invoke((refreshed, failure, cancelled) -> {
            if (!cancelled && !isWrong(failure)) {
                byAddress.takeBack(network);
            }
        });
    }

    private static boolean isWrong(Throwable failure) {
        return failure instanceof RefusedException refused && refused.reason() == RefusedException.Reason.WRONG_CREDENTIALS;
    }

    /** By an admin, in the admin's tenant. */
    public Uni<Account> make(String username, String password, String tenant, Collection<String> groups) {
        return make(UUID.randomUUID(), username, password, tenant, groups);
    }

    private Uni<Account> make(UUID id, String username, String password, String tenant, Collection<String> groups) {
        Account account = new Account();
        account.id = id;
        account.username = Names.username(username);
        account.tenant = tenant;
        account.groupNames = Names.groups(groups);
        account.createdAt = Instant.now();
        String checked = Names.newPassword(password);
        return Panache.withSession(() -> Account.count("tenant = ?1", tenant).chain(count -> {
            if (count >= MOST_IN_TENANT) {
                throw RefusedException.invalid("the tenant has " + MOST_IN_TENANT + " accounts, which is the most");
            }
            return Account.count("username = ?1", account.username);
        })).chain(count -> {
            if (count > 0) { // before the dear part; whether it is still free is decided by the insert
                throw RefusedException.nameTaken();
            }
            return passwords.hash(checked);
        }).chain(hash -> {
            account.passwordHash = hash;
            return Panache.withTransaction(() -> account.<Account>persistAndFlush());
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
    public Uni<Boolean> delete(String tenant, UUID id) {
        return Panache.withTransaction(() -> Account.delete("tenant = ?1 and id = ?2", tenant, id)).map(count -> count > 0);
    }

    /** The account that everything else is made with. Does nothing if there is one of this name. */
    Uni<Void> makeFirstAdmin(String username, String password) {
        return make(username, password, Tenant.DEFAULT, Set.of(Group.ADMIN))
                .invoke(account -> LOG.infof("made the account %s, which is admin of the tenant %s", account.username,
                        account.tenant))
                .replaceWithVoid()
                .onFailure(failure -> failure instanceof RefusedException refused
                        && refused.reason() == RefusedException.Reason.NAME_TAKEN)
                .recoverWithNull();
    }
}
