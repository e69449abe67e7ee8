package io.millrace.model;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** What happened to each job, in order. */
final class Trace {
    private record Entry(long atMs, String actor, String what, Object detail) {
        @Override
        public String toString() {
            return String.format("%9.3f s  %-12s %-22s %s", (atMs - Simulation.START_MS) / 1000.0, actor, what, detail);
        }
    }

    private final Simulation simulation;
    private final Map<UUID, List<Entry>> byJob = new HashMap<>();
    private String actor = "";

    Trace(Simulation simulation) {
        this.simulation = simulation;
    }

    /** @param name of the process whose doing the next notes are */
    void actor(String name) {
        actor = name;
    }

    /** @param detail must not change any more; it is made a text only if somebody reads it */
    void note(UUID job, String what, Object detail) {
        simulation.mix(job.getLeastSignificantBits() * 31 + actor.hashCode());
        simulation.mix(what.hashCode());
        byJob.computeIfAbsent(job, id -> new ArrayList<>()).add(new Entry(simulation.nowMs(), actor, what, detail));
    }

    String of(UUID job) {
        StringBuilder text = new StringBuilder();
        byJob.getOrDefault(job, List.of()).forEach(entry -> text.append("  ").append(entry).append('\n'));
        return text.toString();
    }
}
