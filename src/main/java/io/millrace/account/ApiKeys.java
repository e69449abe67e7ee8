package io.millrace.account;

import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;

import jakarta.enterprise.context.ApplicationScoped;

import io.millrace.audit.Actor;
import io.millrace.audit.AuditAction;
import io.millrace.audit.AuditLog;
import io.quarkus.hibernate.reactive.panache.Panache;
import io.smallrye.mutiny.Uni;

/** Keys for programs. */
@ApplicationScoped
public class ApiKeys {
    /** Tells a key from an access token, and where it was found from whatever else looks random. */
    static final String PREFIX = "mrk_";
    private static final long MOST_IN_TENANT = 1_000;
    /** They come over a few connections. */
    private static final int MOST_LOOKUPS = 200;

    private final AuditLog audit;
    private final AtomicInteger lookups = new AtomicInteger();

    ApiKeys(AuditLog audit) {
        this.audit = audit;
    }

    /**
     * A key, as only its maker ever sees it.
     *
     * @param secret what the program shows
     */
    public record Made(ApiKey key, String secret) {}

    /**
     * In the admin's tenant.
     *
     * @param expiresAt null for never
     */
    public Uni<Made> make(Actor admin, String name, Collection<String> groups, Instant expiresAt) {
        String secret = PREFIX + Secret.next();
        ApiKey key = new ApiKey();
        key.id = UUID.randomUUID();
        key.tenant = admin.tenant();
        key.name = Names.keyName(name);
        key.keyHash = Secret.hash(secret);
        key.groupNames = Names.groups(groups);
        key.createdAt = Instant.now();
        key.expiresAt = expiresAt;
        return Panache.withTransaction(() -> ApiKey.count("tenant = ?1", key.tenant).chain(count -> {
            if (count >= MOST_IN_TENANT) {
                throw RefusedException.invalid("",
                        "the tenant has " + MOST_IN_TENANT + " keys, which is the most: revoke some");
            }
            return key.<ApiKey>persistAndFlush();
        }).call(() -> audit.write(admin.did(AuditAction.API_KEY_MAKE, key.id).with("name", key.name).with("groups",
                key.groupNames)))).map(made -> new Made(made, secret));
    }

    public Uni<List<ApiKey>> list(String tenant) {
        return Panache.withSession(() -> ApiKey.list("tenant = ?1 order by createdAt desc, id", tenant));
    }

    /** @return false if the tenant has no such key */
    public Uni<Boolean> revoke(Actor admin, UUID id) {
        return Panache.withTransaction(() -> find(admin.tenant(), id)
                .chain(key -> ApiKey.delete("tenant = ?1 and id = ?2", admin.tenant(), id)
                        .call(count -> count == 0
                                ? Uni.createFrom().voidItem()
                                : audit.write(admin.did(AuditAction.API_KEY_REVOKE, id).with("name", key.name)))))
                .map(count -> count > 0);
    }

    private static Uni<ApiKey> find(String tenant, UUID id) {
        return ApiKey.<ApiKey>find("tenant = ?1 and id = ?2", tenant, id).firstResult();
    }

    /** @return null if the key is not valid */
    Uni<Caller> check(String secret) {
        if (lookups.incrementAndGet() > MOST_LOOKUPS) {
            lookups.decrementAndGet();
            throw RefusedException.busy();
        }
        return Panache.withSession(() -> ApiKey.<ApiKey>find("keyHash = ?1", Secret.hash(secret)).firstResult())
                .onTermination().invoke(lookups::decrementAndGet)
                .map(key -> key == null || key.expiresAt != null && !key.expiresAt.isAfter(Instant.now())
                        ? null
                        : new Caller(Actor.Kind.API_KEY, key.id, "key:" + key.name, key.tenant, key.groups(), key.expiresAt));
    }
}
