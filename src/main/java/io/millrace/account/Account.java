package io.millrace.account;

import java.time.Instant;
import java.util.Set;
import java.util.UUID;

import io.quarkus.hibernate.reactive.panache.PanacheEntityBase;

import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;

/** Somebody who logs in. */
@Entity
@Table(name = "account")
public class Account extends PanacheEntityBase {
    @Id
    public UUID id;
    /** In lower case, unique over all tenants. */
    public String username;
    @Column(name = "password_hash")
    public String passwordHash;
    public String tenant;
    /** Names with blanks between them. */
    @Column(name = "group_names")
    public String groupNames;
    @Column(name = "created_at")
    public Instant createdAt;

    public Set<String> groups() {
        return Set.of(groupNames.split(" "));
    }
}
