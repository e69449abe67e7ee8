package io.millrace.batch;

import java.util.concurrent.Executor;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.impl.VertxInternal;

/**
 * One event loop on which batches start. Batchers that feed each other share one, so that an item does not hop between
 * threads on its way; and no flush runs in the context of the request that happened to trigger it.
 */
public final class EngineLoop implements Executor {
    private final Context context;

    public EngineLoop(Vertx vertx) {
        context = ((VertxInternal) vertx).createEventLoopContext();
    }

    @Override
    public void execute(Runnable command) {
        context.runOnContext(ignored -> command.run());
    }
}
