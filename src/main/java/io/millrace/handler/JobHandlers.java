package io.millrace.handler;

import java.util.Map;
import java.util.TreeMap;

import jakarta.inject.Singleton;

import io.quarkus.arc.All;

import java.util.List;

/** The job types of this process. */
@Singleton
public class JobHandlers {
    private final Map<String, JobHandler<?>> byType = new TreeMap<>();

    JobHandlers(@All List<JobHandler<?>> handlers) {
        for (JobHandler<?> handler : handlers) {
            JobHandler<?> other = byType.put(handler.type().name(), handler);
            if (other != null) {
                throw new IllegalStateException("the job type " + handler.type().name() + " has two handlers: "
                        + other.getClass().getName() + " and " + handler.getClass().getName());
            }
        }
    }

    /** @return null if there is none */
    public JobHandler<?> find(String type) {
        return byType.get(type);
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
