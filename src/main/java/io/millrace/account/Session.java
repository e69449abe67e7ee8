package io.millrace.account;

import java.time.Instant;
import java.util.UUID;

import io.quarkus.hibernate.reactive.panache.PanacheEntityBase;

import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;

/** A login, kept alive by refresh tokens of which only the latest is valid. */
@Entity
@Table(name = "account_session")
public class Session extends PanacheEntityBase {
    /** A part of every refresh token of this session, and told to nobody else: who knows it had one of them. */
    @Id
    public UUID id;
    @Column(name = "account_id")
    public UUID accountId;
    /** SHA-256 of the latest refresh token. */
    @Column(name = "token_hash")
    public byte[] tokenHash;
    @Column(name = "created_at")
    public Instant createdAt;
    @Column(name = "expires_at")
    public Instant expiresAt;
}
