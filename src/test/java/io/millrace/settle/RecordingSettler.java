package io.millrace.settle;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

import io.millrace.job.Settlement;
import io.millrace.support.TestConfig;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;

/** Remembers what it was told to record, and holds no store. */
public final class RecordingSettler extends Settler {
    public static final SettleConfig CONFIG = TestConfig.of(SettleConfig.class, Map.of());

    public final List<Settlement> settlements = new CopyOnWriteArrayList<>();

    public RecordingSettler(Vertx vertx) {
        super(vertx, null, null, null, CONFIG);
    }

    @Override
    public Uni<Boolean> settle(Attempt attempt) {
        settlements.add(attempt.settlement());
        return Uni.createFrom().item(true);
    }
}
