package io.millrace.audit;

import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;

import io.millrace.job.JobIds;
import io.vertx.core.json.JsonObject;

/**
 * One row of the audit log. Written by {@link AuditLog#write}, or by a statement that changes something and takes {@link #json} as a
 * parameter: in the transaction of what it tells of, either way. No secret goes in: neither a password nor a token, nor what somebody
 * typed where a name was asked for.
 *
 * @param id ordered by time
 * @param at the time in the id
 * @param target id of what it was done to; null for none
 * @param details a few values, each cut at 200 characters
 */
public record AuditEntry(UUID id, Instant at, Actor actor, AuditAction action, String target, Outcome outcome,
        Map<String, Object> details) {
    private static final JobIds IDS = new JobIds();
    private static final int MOST_CHARACTERS = 200;
    private static final int MOST_DETAILS = 10;

    /** What came of it. */
    public enum Outcome {
        DONE,
        /** Somebody else will do it: the worker of a job. */
        REQUESTED,
        REFUSED;

        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    static AuditEntry of(Actor actor, AuditAction action, Object target, Outcome outcome) {
        UUID id = IDS.next();
        return new AuditEntry(id, JobIds.timeOf(id), actor, action, target == null ? null : bounded(target.toString()), outcome,
                Map.of());
    }

    /** @param value a number, a truth value, or else its text */
    public AuditEntry with(String name, Object value) {
        Map<String, Object> more = new TreeMap<>(details);
        more.put(name, value instanceof Number || value instanceof Boolean ? value : bounded(String.valueOf(value)));
        if (more.size() > MOST_DETAILS) {
            throw new IllegalArgumentException("more than " + MOST_DETAILS + " details of " + action);
        }
        return new AuditEntry(id, at, actor, action, target, outcome, more);
    }

    /** The whole row, by the names of its columns. */
    public String json() {
        JsonObject row = new JsonObject().put("id", id.toString()).put("tenant", actor.tenant()).put("at", at.toString())
                .put("actor_kind", actor.kind().label()).put("actor", actorName())
                .put("actor_id", actor.id() == null ? null : actor.id().toString()).put("action", action.label())
                .put("target", target).put("outcome", outcome.label()).put("address", address())
                .put("request_id", actor.origin().requestId());
        return (details.isEmpty() ? row : row.put("details", new JsonObject(details))).encode();
    }

    String actorName() {
        return bounded(actor.name());
    }

    String address() {
        return actor.origin().address() == null ? null : bounded(actor.origin().address());
    }

    /** @return JSON; null if there are none */
    String detailsJson() {
        return details.isEmpty() ? null : new JsonObject(details).encode();
    }

    /** At most 200 characters, and none that PostgreSQL cannot keep: whoever chooses a name must not keep a row from being written. */
    static String bounded(String text) {
        StringBuilder kept = new StringBuilder();
        text.codePoints().limit(MOST_CHARACTERS)
                .map(point -> point == 0 || point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE ? '?' : point)
                .forEach(kept::appendCodePoint);
        return kept.toString();
    }
}
