package io.millrace.handler;

import java.util.List;
import java.util.Map;

import io.millrace.handler.trial.EchoHandler;
import io.millrace.handler.trial.FailHandler;
import io.millrace.handler.trial.FlakyHandler;
import io.millrace.handler.trial.SleepHandler;
import io.millrace.support.TestConfig;

/** Job types without an application. */
public final class TestHandlers {
    private TestHandlers() {}

    public static JobHandlers trial() {
        return of(new EchoHandler(), new FailHandler(), new FlakyHandler(), new SleepHandler());
    }

    public static JobHandlers of(JobHandler<?>... handlers) {
        return new JobHandlers(List.of(handlers), TestConfig.of(TypesConfig.class, Map.of()));
    }
}
