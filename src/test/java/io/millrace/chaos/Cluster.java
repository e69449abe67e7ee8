package io.millrace.chaos;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

import io.millrace.chaos.agent.Mutation;
import io.millrace.local.FaultyServers;
import io.millrace.support.Api;
import io.millrace.support.MillraceProcess;
import io.millrace.support.TcpProxy;

/**
 * Several processes of the packaged application on one database and one Redis, each behind its own proxies. A process that ends
 * is started again, as an orchestrator would.
 */
final class Cluster implements AutoCloseable {
    /** Leases and chores of seconds, so that a run of minutes sees hundreds of recoveries. */
    static final Map<String, String> SETTINGS = Map.ofEntries(
            Map.entry("MILLRACE_LEASE_DURATION", "5s"), Map.entry("MILLRACE_LEASE_HEARTBEAT", "1s"),
            Map.entry("MILLRACE_LEASE_STOP_AFTER", "4s"), Map.entry("MILLRACE_MAINTENANCE_REAP_EVERY", "1s"),
            Map.entry("MILLRACE_MAINTENANCE_RECLAIM_EVERY", "2s"), Map.entry("MILLRACE_MAINTENANCE_RECLAIM_IDLE", "8s"),
            Map.entry("MILLRACE_MAINTENANCE_RECONCILE_EVERY", "3s"), Map.entry("MILLRACE_MAINTENANCE_RECONCILE_MARGIN", "12s"),
            Map.entry("MILLRACE_MAINTENANCE_LOAD_EVERY", "3s"), Map.entry("MILLRACE_MAINTENANCE_TRIM_EVERY", "5s"),
            Map.entry("MILLRACE_MAINTENANCE_TRIM_IDLE", "20s"), Map.entry("MILLRACE_STREAM_READ_BLOCK", "1s"),
            Map.entry("MILLRACE_STREAM_COMMAND_TIMEOUT", "1s"), Map.entry("MILLRACE_STREAM_DISPATCH_WINDOW", "1000"),
            Map.entry("MILLRACE_DATABASE_STATEMENT_TIMEOUT", "4s"), Map.entry("MILLRACE_DATABASE_SILENCE_TIMEOUT", "6s"),
            Map.entry("MILLRACE_DATABASE_QUERY_TIMEOUT", "2s"), Map.entry("MILLRACE_DATABASE_CONNECT_TIMEOUT", "2s"),
            Map.entry("MILLRACE_SETTLE_TIMEOUT", "4s"), Map.entry("MILLRACE_WORKER_CLAIM_TIMEOUT", "4s"),
            Map.entry("MILLRACE_INTAKE_TIMEOUT", "4s"), Map.entry("MILLRACE_WORKER_DRAIN", "2s"),
            Map.entry("MILLRACE_WORKER_SLOTS", "64"), Map.entry("MILLRACE_WORKER_PROBATION", "2s"),
            Map.entry("MILLRACE_QUEUES", "default," + Plan.SIDE_QUEUE + ":8"));

    private static final Duration SUPERVISE_EVERY = Duration.ofMillis(200);
    /** Killed, and asked to end: with everything finished, or with something left. */
    private static final Set<Integer> EXPECTED_EXITS = Set.of(128 + 9, 128 + 15, 0, 3);

    /** A process that ended. */
    record Ended(Instant at, String process, int exitCode) {}

    private final FaultyServers servers;
    private final String databaseUrl;
    private final String redisUrl;
    private final Map<String, String> common;
    private final Conductor conductor;
    private final Journal journal;
    private final Path agent;
    private final Map<String, Member> members = new LinkedHashMap<>();
    private final ConcurrentLinkedQueue<Ended> ends = new ConcurrentLinkedQueue<>();
    private final ScheduledExecutorService supervisor = Executors.newSingleThreadScheduledExecutor();

    /**
     * @param common settings of all processes, for example {@link #SETTINGS}
     * @param agent the jar that is woven in
     */
    Cluster(FaultyServers servers, String databaseUrl, String redisUrl, Map<String, String> common, Path agent,
            Conductor conductor, Journal journal) {
        this.common = common;
        this.servers = servers;
        this.databaseUrl = databaseUrl;
        this.redisUrl = redisUrl;
        this.conductor = conductor;
        this.journal = journal;
        this.agent = agent;
        supervisor.scheduleWithFixedDelay(this::supervise, SUPERVISE_EVERY.toMillis(), SUPERVISE_EVERY.toMillis(),
                TimeUnit.MILLISECONDS);
    }

    /** One process, the way to its stores, and whether it should run. */
    final class Member {
        final String name;
        final TcpProxy toDatabase = new TcpProxy(URI.create(databaseUrl));
        final TcpProxy toRedis = new TcpProxy(URI.create(redisUrl));
        private final Set<Mutation> mutations;
        private final Map<String, String> settings;
        private volatile MillraceProcess process;
        private volatile boolean shouldRun;
        private volatile boolean isPaused;

        private Member(String name, String mode, Set<Mutation> mutations, Map<String, String> special) {
            this.name = name;
            this.mutations = mutations;
            settings = new HashMap<>(common);
            settings.put("MILLRACE_MODE", mode);
            settings.put("MILLRACE_DATABASE_URL", toDatabase.through(databaseUrl));
            settings.put("MILLRACE_REDIS_URL", toRedis.through(redisUrl));
            settings.putAll(special);
        }

        private synchronized void start() {
            shouldRun = true;
            process = MillraceProcess.start(settings, List.of("-Xshare:auto", "-XX:+UseSerialGC", "-javaagent:" + agent + "="
                    + conductor.port() + "," + name
                    + mutations.stream().map(mutation -> "," + mutation).collect(Collectors.joining())));
        }

        synchronized void awaitReady() {
            process.awaitReady();
        }

        boolean isReady() {
            return process.isAlive() && !isPaused && process.isReady();
        }

        void pause() {
            isPaused = true;
            signal("STOP");
        }

        void resume() {
            signal("CONT");
            isPaused = false;
        }

        void kill() {
            signal("KILL");
        }

        void terminate() {
            signal("TERM");
        }

        /** Ends it, and it stays so. */
        synchronized void remove() {
            shouldRun = false;
            process.kill();
        }

        /** @return null if it serves none now */
        Api api() {
            try {
                return process.api();
            } catch (IllegalStateException notYet) {
                return null;
            }
        }

        String output() {
            return process.output();
        }

        private void signal(String signal) {
            ProcessHandle.of(process.pid()).ifPresent(handle -> FaultyServers.signal(signal, List.of(handle)));
        }

        private synchronized void restartIfEnded() {
            if (shouldRun && !process.isAlive()) {
                int exit = process.awaitExit();
                journal.write("ended", Map.of("process", name, "exit", exit));
                ends.add(new Ended(Instant.now(), name, exit));
                start();
            }
        }
    }

    /** @param special settings of this process alone, names and values in turn */
    Member start(String name, String mode, Set<Mutation> mutations, String... special) {
        Map<String, String> more = new HashMap<>();
        for (int i = 0; i < special.length; i += 2) {
            more.put(special[i], special[i + 1]);
        }
        Member member = new Member(name, mode, mutations, more);
        synchronized (members) {
            members.put(name, member);
        }
        member.start();
        return member;
    }

    String databaseUrl() {
        return databaseUrl;
    }

    String redisUrl() {
        return redisUrl;
    }

    FaultyServers servers() {
        return servers;
    }

    Conductor conductor() {
        return conductor;
    }

    List<Member> members() {
        synchronized (members) {
            return members.values().stream().filter(member -> member.shouldRun).toList();
        }
    }

    List<Member> workers() {
        return members().stream().filter(member -> !member.settings.get("MILLRACE_MODE").equals("api")).toList();
    }

    List<Member> apis() {
        return members().stream().filter(member -> !member.settings.get("MILLRACE_MODE").equals("worker")).toList();
    }

    Optional<Api> anyApi(int turn) {
        List<Api> ready = apis().stream().map(Member::api).filter(api -> api != null).toList();
        return ready.isEmpty() ? Optional.empty() : Optional.of(ready.get(Math.floorMod(turn, ready.size())));
    }

    List<Ended> ends() {
        return List.copyOf(ends);
    }

    /** @return those that nobody killed nor asked to end, which should be none */
    List<Ended> unexpectedEnds() {
        return ends.stream().filter(ended -> !EXPECTED_EXITS.contains(ended.exitCode())).toList();
    }

    private void supervise() {
        members().forEach(Member::restartIfEnded);
    }

    @Override
    public void close() {
        supervisor.shutdownNow();
        synchronized (members) {
            members.values().forEach(member -> {
                member.resume();
                member.remove();
                member.toDatabase.close();
                member.toRedis.close();
            });
        }
    }
}
