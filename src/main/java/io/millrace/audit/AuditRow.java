package io.millrace.audit;

import java.time.Instant;
import java.util.UUID;

import io.quarkus.hibernate.reactive.panache.PanacheEntityBase;

import org.hibernate.annotations.ColumnTransformer;

import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;

/** An {@link AuditEntry} on its way into the table. It is read by {@code store}, in all processes. */
@Entity
@Table(name = "audit")
public class AuditRow extends PanacheEntityBase {
    @Id
    public UUID id;
    public String tenant;
    public Instant at;
    @Column(name = "actor_kind")
    public String actorKind;
    public String actor;
    @Column(name = "actor_id")
    public UUID actorId;
    public String action;
    public String target;
    public String outcome;
    public String address;
    @Column(name = "request_id")
    public String requestId;
    /** JSON; by way of text, because the driver makes a JSON string of a text that is bound to jsonb. */
    @ColumnTransformer(write = "cast(cast(? as text) as jsonb)")
    public String details;

    static AuditRow of(AuditEntry entry) {
        AuditRow row = new AuditRow();
        row.id = entry.id();
        row.tenant = entry.actor().tenant();
        row.at = entry.at();
        row.actorKind = entry.actor().kind().label();
        row.actor = entry.actorName();
        row.actorId = entry.actor().id();
        row.action = entry.action().label();
        row.target = entry.target();
        row.outcome = entry.outcome().label();
        row.address = entry.address();
        row.requestId = entry.actor().origin().requestId();
        row.details = entry.detailsJson();
        return row;
    }
}
