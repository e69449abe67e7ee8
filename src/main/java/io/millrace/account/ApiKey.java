package io.millrace.account;

import java.time.Instant;
import java.util.Set;
import java.util.UUID;

import io.quarkus.hibernate.reactive.panache.PanacheEntityBase;

import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;

/** What a program shows instead of logging in. */
@Entity
@Table(name = "api_key")
public class ApiKey extends PanacheEntityBase {
    @Id
    public UUID id;
    public String tenant;
    public String name;
    /** SHA-256 of the key. */
    @Column(name = "key_hash")
    public byte[] keyHash;
    /** Names with blanks between them. */
    @Column(name = "group_names")
    public String groupNames;
    @Column(name = "created_at")
    public Instant createdAt;
    /** Null: valid until it is revoked. */
    @Column(name = "expires_at")
    public Instant expiresAt;

    public Set<String> groups() {
        return Set.of(groupNames.split(" "));
    }
}
