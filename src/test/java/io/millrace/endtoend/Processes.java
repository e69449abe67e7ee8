package io.millrace.endtoend;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

import io.millrace.support.MillraceProcess;

/** Processes that share a database and a Redis. */
final class Processes implements AutoCloseable {

    private final String databaseUrl;
    private final String redisUrl;
    private final Deque<MillraceProcess> started = new ArrayDeque<>();

    Processes(String databaseUrl, String redisUrl) {
        this.databaseUrl = databaseUrl;
        this.redisUrl = redisUrl;
    }

    /** @param settings names and values in turn */
    MillraceProcess start(String mode, String... settings) {
        Map<String, String> all = new HashMap<>(Map.of("MILLRACE_MODE", mode, "MILLRACE_DATABASE_URL", databaseUrl,
                "MILLRACE_REDIS_URL", redisUrl));
        for (int i = 0; i < settings.length; i += 2) {
            all.put(settings[i], settings[i + 1]);
        }
        MillraceProcess process = MillraceProcess.start(all);
        started.push(process);
        return process;
    }

    @Override
    public void close() {
        started.forEach(MillraceProcess::close);
    }
}
