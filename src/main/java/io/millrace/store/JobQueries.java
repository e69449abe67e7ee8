package io.millrace.store;

import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;

import jakarta.inject.Singleton;

import io.millrace.job.Artifact;
import io.millrace.job.Job;
import io.millrace.job.JobState;
import io.millrace.job.Priority;
import io.smallrye.mutiny.Uni;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.Tuple;

/** The questions of the API. Each is bounded in rows and, by the server, in time. */
@Singleton
public class JobQueries {
    private static final String FIND = SqlFile.read("find_job");
    private static final String LIST = SqlFile.read("list_jobs");
    private static final String FIND_ATTEMPTS = SqlFile.read("find_attempts");
    private static final String FIND_ENDED = SqlFile.read("find_ended_jobs");
    private static final String LIST_FAILED_MAILS = SqlFile.read("list_failed_mails");
    private static final String FIND_ARTIFACT = SqlFile.read("find_artifact");

    private static final int MOST_ATTEMPTS = 200;

    private final Database database;

    JobQueries(Database database) {
        this.database = database;
    }

    /** @return null if the tenant has no such job */
    public Uni<Job> find(String tenant, UUID id) {
        return database.query(FIND, Tuple.of(tenant, id)).map(rows -> rows.size() == 0 ? null : job(rows.iterator().next()));
    }

    /**
     * What to list. A filter that is null does not filter.
     *
     * @param behind newest first, starting behind this id
     * @param notBefore nothing older than this id
     */
    public record Filter(UUID behind, UUID notBefore, JobState state, String queue, String type, String tag, int limit) {}

    public Uni<List<Job>> list(String tenant, Filter filter) {
        Tuple parameters = Tuple.tuple().addString(tenant).addUUID(filter.behind()).addUUID(filter.notBefore())
                .addString(filter.state() == null ? null : filter.state().name()).addString(filter.queue())
                .addString(filter.type()).addString(filter.tag()).addInteger(filter.limit());
        return database.query(LIST, parameters).map(rows -> {
            List<Job> jobs = new ArrayList<>(rows.size());
            rows.forEach(row -> jobs.add(job(row)));
            return jobs;
        });
    }

    /**
     * An attempt that did not succeed.
     *
     * @param outcome the {@link io.millrace.job.JobTransition} that ended it
     * @param failure JSON, or null
     */
    public record Attempt(int epoch, String outcome, String failure, String worker, Instant startedAt, Instant endedAt) {}

    /** @return at most 200, oldest first */
    public Uni<List<Attempt>> findAttempts(String tenant, UUID jobId) {
        return database.query(FIND_ATTEMPTS, Tuple.of(tenant, jobId, MOST_ATTEMPTS)).map(rows -> {
            List<Attempt> attempts = new ArrayList<>(rows.size());
            rows.forEach(
                    row -> attempts.add(new Attempt(row.getInteger(0), row.getString(1), row.getString(2), row.getString(3),
                            instant(row.getOffsetDateTime(4)), instant(row.getOffsetDateTime(5)))));
            return attempts;
        });
    }

    /** @return those of the given jobs that have ended, or do not exist */
    public Uni<Set<UUID>> findEnded(Collection<UUID> ids) {
        return database.query(FIND_ENDED, Tuple.tuple().addValue(ids.toArray(UUID[]::new))).map(rows -> {
            Set<UUID> ended = new HashSet<>();
            rows.forEach(row -> ended.add(row.getUUID(0)));
            return ended;
        });
    }

    /** @return null if the tenant has no such job, or the job no such file */
    public Uni<Artifact> findArtifact(String tenant, UUID jobId, String name) {
        return database.query(FIND_ARTIFACT, Tuple.of(tenant, jobId, name)).map(rows -> {
            if (rows.size() == 0) {
                return null;
            }
            Row row = rows.iterator().next();
            return new Artifact(name, row.getString(0), row.getBuffer(1).getBytes());
        });
    }

    /**
     * A mail that was given up.
     *
     * @param email its first recipient, or null
     * @param name what its template was given as name, or null
     * @param error what went wrong last
     */
    public record FailedMail(String email, String name, String error) {}

    /** @return those with the tag, newest first */
    public Uni<List<FailedMail>> listFailedMails(String tenant, String tag, int limit, int offset) {
        return database.query(LIST_FAILED_MAILS, Tuple.of(tenant, tag, limit, offset)).map(rows -> {
            List<FailedMail> mails = new ArrayList<>(rows.size());
            rows.forEach(row -> mails.add(new FailedMail(row.getString(0), row.getString(1), row.getString(2))));
            return mails;
        });
    }

    private static Job job(Row row) {
        String[] tags = row.getArrayOfStrings("tags");
        return new Job(row.getUUID("id"), row.getString("tenant"), row.getString("queue"), row.getString("type"),
                row.getString("unique_key"), Priority.ofCode(row.getShort("priority")), row.getString("payload"),
                JsonColumns.readOptions(row.getString("options")), tags == null ? List.of() : List.of(tags),
                JobState.valueOf(row.getString("state")), row.getInteger("epoch"), row.getInteger("failures"),
                row.getInteger("lost"), row.getInteger("max_attempts"), instant(row.getOffsetDateTime("run_at")),
                row.getBoolean("cancel_requested"), row.getString("result"), row.getString("failure"),
                row.getString("lease_owner"), instant(row.getOffsetDateTime("lease_until")),
                instant(row.getOffsetDateTime("created_at")), instant(row.getOffsetDateTime("started_at")),
                instant(row.getOffsetDateTime("finished_at")));
    }

    private static Instant instant(OffsetDateTime time) {
        return time == null ? null : time.toInstant();
    }
}
