package io.millrace.model;

import java.util.EnumMap;
import java.util.Map;
import java.util.Set;

/** How calls travel: most of them quickly, some late, some not at all, and some without an answer. */
final class Network {
    enum Server {
        POSTGRES, REDIS
    }

    /** What becomes of one call. */
    record Passage(long outMs, long backMs, boolean arrives, boolean returns) {}

    private static final double LOST_SHARE = 0.01;

    private final Simulation simulation;
    private final Set<Fault> faults;
    private final Map<Server, Long> awayUntilMs = new EnumMap<>(Server.class);
    private double intensity;
    private final Map<Fault, Integer> counts = new EnumMap<>(Fault.class);

    Network(Simulation simulation, Set<Fault> faults, double intensity) {
        this.simulation = simulation;
        this.faults = faults;
        this.intensity = intensity;
    }

    /** From here on everything arrives. */
    void heal() {
        intensity = 0;
        awayUntilMs.clear();
    }

    void takeAway(Server server, long untilMs) {
        awayUntilMs.put(server, untilMs);
    }

    /** @return how many calls did not pass as they should */
    Map<Fault, Integer> counts() {
        return counts;
    }

    Passage passage(Server server) {
        boolean isAway = awayUntilMs.getOrDefault(server, 0L) > simulation.nowMs();
        boolean arrives = !isAway && !happens(Fault.REQUEST_LOST);
        boolean returns = !happens(Fault.REPLY_LOST);
        boolean isSlow = happens(Fault.SLOW_CALL);
        return new Passage(isSlow ? simulation.between(100, 8_000) : simulation.between(1, 15), simulation.between(1, 15),
                arrives, returns);
    }

    private boolean happens(Fault fault) {
        boolean happens = faults.contains(fault) && simulation.isChance(LOST_SHARE * intensity);
        if (happens) {
            counts.merge(fault, 1, Integer::sum);
        }
        return happens;
    }
}
