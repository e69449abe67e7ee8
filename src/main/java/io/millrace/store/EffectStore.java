package io.millrace.store;

import java.time.Duration;

import jakarta.inject.Singleton;

import io.millrace.job.AttemptId;
import io.smallrye.mutiny.Uni;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.Tuple;

/** What handlers did to the outside world: begun and done, each by a compare-and-set. */
@Singleton
public class EffectStore {
    private static final String BEGIN = SqlFile.read("begin_effect");
    private static final String FINISH = SqlFile.read("finish_effect");
    private static final String DELETE_EXPIRED = SqlFile.read("delete_expired_effects");

    private final Database database;

    EffectStore(Database database) {
        this.database = database;
    }

    /** @return DONE, MINE or ELSEWHERE */
    public Uni<String> begin(AttemptId attempt, String key, Duration keep) {
        return database.run(BEGIN, parameters(attempt, key, keep)).map(rows -> rows.iterator().next().getString(0));
    }

    /** @return false if another attempt or job has begun the effect since */
    public Uni<Boolean> finish(AttemptId attempt, String key, Duration keep) {
        return database.run(FINISH, parameters(attempt, key, keep)).map(rows -> rows.size() > 0);
    }

    /** @return how many effects whose time is up were deleted, at most {@code limit} */
    public Uni<Integer> deleteExpired(int limit) {
        return database.run(DELETE_EXPIRED, Tuple.of(limit)).map(RowSet::rowCount);
    }

    private static Tuple parameters(AttemptId attempt, String key, Duration keep) {
        return Tuple.of(attempt.tenant(), key, attempt.jobId(), attempt.epoch(), keep.toMillis());
    }
}
