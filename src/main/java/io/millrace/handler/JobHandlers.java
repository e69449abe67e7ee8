package io.millrace.handler;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

import jakarta.inject.Singleton;

import io.quarkus.arc.All;

/** The job types of this process. */
@Singleton
public class JobHandlers {
    private final Map<String, JobHandler<?>> byType = new TreeMap<>();
    private final Map<String, SensitivePaths> sensitive = new HashMap<>();

    JobHandlers(@All List<JobHandler<?>> handlers, TypesConfig config) {
        for (JobHandler<?> handler : handlers) {
            JobHandler<?> other = byType.put(handler.type().name(), handler);
            if (other != null) {
                throw new IllegalStateException("the job type " + handler.type().name() + " has two handlers: "
                        + other.getClass().getName() + " and " + handler.getClass().getName());
            }
            sensitive.put(handler.type().name(), SensitivePaths.of(pointers(handler.type(), config)));
        }
        // Also of types that only other processes have handlers for: this one shows their jobs.
        config.types().forEach((type, own) -> sensitive.putIfAbsent(type,
                SensitivePaths.of(own.sensitive().orElse(List.of()))));
    }

    private static List<String> pointers(JobType<?> type, TypesConfig config) {
        TypesConfig.OfType own = config.types().get(type.name());
        return own == null
                ? type.sensitive()
                : Stream.concat(type.sensitive().stream(), own.sensitive().orElse(List.of()).stream()).distinct().toList();
    }

    /** @return null if there is none */
    public JobHandler<?> find(String type) {
        return byType.get(type);
    }

    /** @return what of the payloads and results of a type nobody is shown; nothing for a type that neither a handler nor a setting knows */
    public SensitivePaths sensitive(String type) {
        return sensitive.getOrDefault(type, SensitivePaths.NONE);
    }

    /** @return in order of their names */
    public List<JobType<?>> types() {
        return byType.values().stream().<JobType<?>>map(JobHandler::type).toList();
    }

    /** @return in order */
    public List<String> names() {
        return List.copyOf(byType.keySet());
    }
}
