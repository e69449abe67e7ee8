package io.millrace.bench;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Where, when and on what a run was made, and who else was at work there. */
final class Machine {

    // Positions in the first line of /proc/stat, behind the name: proc(5).
    private static final int STEAL = 7;
    private static final int KINDS = 8;

    private final Map<String, String> setting = new LinkedHashMap<>();
    private final long[] ticksAtStart = ticks();

    Machine(Stack stack) throws IOException, SQLException {
        setting.put("date", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        setting.put("commit", output("git", "describe", "--always", "--dirty"));
        setting.put("machine", Runtime.getRuntime().availableProcessors() + " cores, " + processor());
        setting.put("Java", System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version"));
        setting.put("PostgreSQL", stack.ask("show server_version") + ", fsync " + stack.ask("show fsync")
                + ", synchronous_commit " + stack.ask("show synchronous_commit") + ", shared_buffers "
                + stack.ask("show shared_buffers") + ", max_wal_size " + stack.ask("show max_wal_size"));
        setting.put("Redis", stack.redisInfo("redis_version") + ", AOF everysec");
        setting.put("Millrace", "defaults, but for the heartbeat of workers (" + Stack.HEARTBEAT + "): " + Stack.SLOTS
                + " slots; without accounts");
        setting.put("load average at start", loadAverage());
    }

    /** @return what there is to say at the end of a run, in order */
    Map<String, String> describe() throws IOException {
        setting.put("load average at end", loadAverage());
        long[] ticks = ticks();
        long all = 0;
        for (int kind = 0; kind < KINDS; kind++) {
            all += ticks[kind] - ticksAtStart[kind];
        }
        setting.put("CPU time stolen by the host", all == 0
                ? "unknown"
                : String.format(Locale.ROOT, "%.1f %%", 100.0 * (ticks[STEAL] - ticksAtStart[STEAL]) / all));
        return setting;
    }

    /** @return all 0 where there is no {@code /proc} */
    private static long[] ticks() throws IOException {
        Path stat = Path.of("/proc/stat");
        return Files.exists(stat)
                ? Stream.of(Files.readAllLines(stat).get(0).split(" +")).skip(1).limit(KINDS).mapToLong(Long::parseLong)
                        .toArray()
                : new long[KINDS];
    }

    private static String loadAverage() {
        return String.format(Locale.ROOT, "%.1f", ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage());
    }

    private static String processor() throws IOException {
        Path info = Path.of("/proc/cpuinfo");
        if (!Files.exists(info)) {
            return System.getProperty("os.name") + " " + System.getProperty("os.arch");
        }
        return Files.readAllLines(info).stream().filter(line -> line.startsWith("model name"))
                .map(line -> line.substring(line.indexOf(':') + 1).strip()).findFirst().orElse(System.getProperty("os.arch"));
    }

    /** @return "unknown" where the program is not there, or this is no repository */
    private static String output(String... command) {
        try {
            Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
            String line = new String(process.getInputStream().readAllBytes()).strip();
            return process.waitFor(5, TimeUnit.SECONDS) && process.exitValue() == 0 ? line : "unknown";
        } catch (IOException noSuchProgram) {
            return "unknown";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "unknown";
        }
    }
}
