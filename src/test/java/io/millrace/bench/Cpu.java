package io.millrace.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * CPU seconds that each process has used, user and system. From {@code /proc}, in ticks of 10 ms; not a number where there is
 * none.
 *
 * @param postgres of the postmaster and all its children, those that have ended too
 * @param load of the load generator, this process
 */
record Cpu(double api, double worker, double postgres, double redis, double load) {

    private static final double TICKS_PER_SECOND = 100;
    // Positions behind the name of the program, as in proc(5) less 3.
    private static final int USER = 11;
    private static final int SYSTEM = 12;
    private static final int USER_OF_ENDED_CHILDREN = 13;
    private static final int SYSTEM_OF_ENDED_CHILDREN = 14;

    static Cpu now(long api, long worker, long postmaster, long redis) {
        double postgres = used(postmaster, USER, SYSTEM, USER_OF_ENDED_CHILDREN, SYSTEM_OF_ENDED_CHILDREN);
        for (ProcessHandle child : ProcessHandle.of(postmaster).orElseThrow().children().toList()) {
            double used = used(child.pid(), USER, SYSTEM);
            postgres += Double.isNaN(used) ? 0 : used; // it has just ended, and counts as such from now on
        }
        return new Cpu(used(api, USER, SYSTEM), used(worker, USER, SYSTEM), postgres, used(redis, USER, SYSTEM),
                used(ProcessHandle.current().pid(), USER, SYSTEM));
    }

    Cpu minus(Cpu before) {
        return new Cpu(api - before.api, worker - before.worker, postgres - before.postgres, redis - before.redis,
                load - before.load);
    }

    private static double used(long pid, int... fields) {
        try {
            String line = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
            String[] values = line.substring(line.lastIndexOf(')') + 2).split(" ");
            double ticks = 0;
            for (int field : fields) {
                ticks += Long.parseLong(values[field]);
            }
            return ticks / TICKS_PER_SECOND;
        } catch (IOException noSuchProcess) {
            return Double.NaN;
        }
    }
}
