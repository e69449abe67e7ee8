package io.millrace.settle;

import io.millrace.store.SettlementStore;
import io.millrace.store.TestStores;
import io.millrace.stream.TestStreams;
import io.vertx.core.Vertx;

/** What records the ends of attempts, without an application. */
public final class TestSettlers {
    public final WorkerName name = new WorkerName();
    public final Acknowledger acknowledger;
    public final Settler settler;

    public TestSettlers(Vertx vertx, TestStores stores, TestStreams streams) {
        this(vertx, stores, stores.settlements, streams);
    }

    /** @param settlements stands in for those of {@code stores} */
    TestSettlers(Vertx vertx, TestStores stores, SettlementStore settlements, TestStreams streams) {
        acknowledger = new Acknowledger(vertx, streams.jobs, streams.config, name);
        settler = new Settler(vertx, settlements, stores.jobs, acknowledger, RecordingSettler.CONFIG);
    }
}
