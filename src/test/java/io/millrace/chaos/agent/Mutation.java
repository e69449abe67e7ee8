package io.millrace.chaos.agent;

import java.util.List;

/**
 * A protocol that is wrong in one place, to show that the checks can see: the application is made to do it while it is loaded.
 */
public enum Mutation {
    /** A worker whose lease was lost records the end of the job all the same. */
    SETTLE_WITHOUT_FENCE(new Text("sql/settle_complete", " and j.epoch = u.epoch and j.lease_id = u.lease_id", "")),
    /** The reaper looks, takes its time, and writes without looking again. */
    REAP_WITHOUT_COMPARE(
            new Text("sql/reap_jobs", "     for update skip locked\n), reaped as (",
                    "), slow as materialized (select pg_sleep(3)), "
                            + "reaped as ("),
            new Text("sql/reap_jobs", "    from job old\n", "    from job old, slow\n"),
            new Text("sql/reap_jobs", "     and j.state = 'PROCESSING' and j.lease_until < now()\n", "")),
    /** Redis first: the entry is acknowledged before the end is recorded. */
    ACKNOWLEDGE_BEFORE_SETTLE,
    /** A key in Redis says that the job was run, and is set before it is. */
    GUARD_KEY_BEFORE_EFFECT,
    /** A new consumer group begins at the end of the stream. */
    GROUP_AT_END,
    /** A due job is taken out of the delayed set before it is put on the stream. */
    PROMOTE_REMOVES_FIRST(
            new Text("lua/promote_due", "  redis.call('ZREM', KEYS[1], member)\n", ""),
            new Text("lua/promote_due", "  local priority = tonumber",
                    "  redis.call('ZREM', KEYS[1], member)\n  local priority = tonumber")),
    /** A retry is acknowledged in one step and delayed in another, and the process dies between the two. */
    RETRY_IN_TWO_STEPS(new Text("lua/settle_retry", "  if ARGV[i + 2] ~= '0' then", "  if false then")),
    /** A job is handed out before its time. */
    CLAIM_EARLY(new Text("sql/claim_jobs", " and run_at <= now()", "")),
    /** A job is handed out though another worker holds its lease. */
    CLAIM_HELD(new Text("sql/claim_jobs", "lease_id = $2::uuid or (state in", "state = 'PROCESSING' or (state in")),
    /** Nobody compares PostgreSQL with the streams: alone, or to see what it would have mended. */
    NO_RECONCILER,
    /** Nobody looks for expired leases. */
    NO_REAPER,
    /** Nobody brings waiting jobs from PostgreSQL into the delayed sets. */
    NO_LOADER,
    /** A failed attempt is not counted. */
    RETRY_WITHOUT_COUNT(new Text("sql/settle_retry", "failures = failures + 1, ", "")),
    /** An attempt that was given up leaves no trace. */
    DEAD_LETTER_WITHOUT_ATTEMPT(new Text("sql/settle_dead_letter", "now() from failed\n", "now() from failed where false\n"));

    /** @param file {@code sql/} or {@code lua/} and the name of a statement or script, without its ending */
    record Text(String file, String from, String to) {}

    private final List<Text> texts;

    Mutation(Text... texts) {
        this.texts = List.of(texts);
    }

    List<Text> texts() {
        return texts;
    }

    /**
     * @param file {@code sql/} or {@code lua/} and the name of a statement or script, without its ending
     * @throws IllegalStateException if the text no longer has what the mutation changes: a mutant that is none proves nothing
     */
    String apply(String file, String text) {
        String mutated = text;
        for (Text change : texts) {
            if (change.file().equals(file)) {
                if (!mutated.contains(change.from())) {
                    throw new IllegalStateException(this + " finds nothing to change in " + file + ": " + change.from());
                }
                mutated = mutated.replace(change.from(), change.to());
            }
        }
        return mutated;
    }
}
