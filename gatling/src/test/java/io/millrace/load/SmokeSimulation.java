package io.millrace.load;

import java.time.Duration;

/** All loads at once, small and for five seconds, so that none of them rots: smoke.sh. Its bounds say nothing about speed. */
public class SmokeSimulation extends LoadSimulation {
    private static final Duration FOR = Duration.ofSeconds(3);
    private static final Duration AHEAD = Duration.ofSeconds(2);
    private static final Duration LOOSE = Duration.ofSeconds(10);
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    public SmokeSimulation() {
        super(Load.of(BurstSimulation.load(100, LOOSE, PATIENCE), VisitsSimulation.load(5, FOR, AHEAD, LOOSE, PATIENCE),
                BulkSimulation.load(2, FOR, 100, LOOSE, PATIENCE), EndToEndSimulation.load(20, FOR, 99, LOOSE, PATIENCE),
                SoakSimulation.load(20, FOR, AHEAD, LOOSE, PATIENCE)));
    }
}
