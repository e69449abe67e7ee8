package io.millrace.chaos.agent;

import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;

/**
 * What woven-in code calls. It sees the application's objects by reflection alone, since the application's class loader is
 * another.
 */
public final class Woven {
    private static final Point[] POINTS = Point.values();
    private static final AtomicReferenceArray<Armed> ARMED = new AtomicReferenceArray<>(POINTS.length);
    private static final AtomicIntegerArray PASSED = new AtomicIntegerArray(POINTS.length);

    private static volatile Wire wire;
    private static volatile Set<Mutation> mutations = Set.of();

    /** @param untilNanos for {@link Action#SKIP}: for how long; 0 until it has begun */
    private record Armed(Action action, long ms, int after, long untilNanos) {}

    private Woven() {}

    static void start(Wire line, Set<Mutation> wrong) {
        wire = line;
        mutations = wrong;
    }

    /**
     * {@code arm <point> <action> <ms> <after>}: at the point, once it has been passed so often;
     * {@code disarm}; {@code figures}: tells heap after a collection, threads and open files.
     */
    static void command(String[] words) {
        switch (words[0]) {
            case "arm" -> {
                Point point = Point.valueOf(words[1]);
                PASSED.set(point.ordinal(), 0);
                ARMED.set(point.ordinal(),
                        new Armed(Action.valueOf(words[2]), Long.parseLong(words[3]), Integer.parseInt(words[4]), 0));
            }
            case "disarm" -> {
                for (int i = 0; i < POINTS.length; i++) {
                    ARMED.set(i, null);
                }
            }
            case "figures" -> wire.tell("figures " + figures());
            default -> throw new IllegalArgumentException(words[0]);
        }
    }

    private static String figures() {
        System.gc();
        String[] files = new File("/proc/self/fd").list();
        return (ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed() >> 20) + " "
                + ManagementFactory.getThreadMXBean().getThreadCount() + " " + (files == null ? 0 : files.length);
    }

    /** @return true to leave the method out */
    public static boolean enter(int point, Object self, Object[] arguments) {
        boolean skip = !hasNothingToDo(arguments) && at(POINTS[point]);
        switch (POINTS[point]) {
            case BEFORE_EFFECT -> {
                effect(arguments[0]);
                at(Point.AFTER_EFFECT);
            }
            case AFTER_READ -> skip |= mutations.contains(Mutation.GUARD_KEY_BEFORE_EFFECT) && guard(self, arguments);
            case RECONCILE_MID -> refuseIf(Mutation.NO_RECONCILER);
            case BEFORE_REAP -> refuseIf(Mutation.NO_REAPER);
            case LOAD_MID -> refuseIf(Mutation.NO_LOADER);
            default -> {
            }
        }
        return skip;
    }

    /** A step that found no job is not one at which a fault could leave anything behind. */
    private static boolean hasNothingToDo(Object[] arguments) {
        return Arrays.stream(arguments).anyMatch(argument -> argument instanceof Collection<?> jobs && jobs.isEmpty());
    }

    private static void refuseIf(Mutation mutation) {
        if (mutations.contains(mutation)) {
            throw new IllegalStateException(mutation.name());
        }
    }

    /** For {@link Mutation#ACKNOWLEDGE_BEFORE_SETTLE}. */
    public static void beforeSettle(Object settler, Object attempt) {
        if (mutations.contains(Mutation.ACKNOWLEDGE_BEFORE_SETTLE)) {
            for (Object entry : (List<?>) call(attempt, "entries")) {
                String stream = "{" + call(entry, "queue") + "}:" + call(call(entry, "priority"), "label");
                redis("XACK " + stream + " workers " + call(entry, "id"), "XDEL " + stream + " " + call(entry, "id"));
            }
        }
    }

    /** @return the text of a statement or script, as it is to be run */
    public static String text(String file, String text) {
        String name = file.startsWith("/lua/") ? file.substring(1, file.lastIndexOf('.')) : "sql/" + file;
        String mutated = text;
        for (Mutation mutation : mutations) {
            mutated = mutation.apply(name, mutated);
        }
        return mutated;
    }

    /** @return true if the call is to be left out */
    private static boolean at(Point point) {
        Armed armed = ARMED.get(point.ordinal());
        if (armed == null || PASSED.getAndIncrement(point.ordinal()) < armed.after()) {
            return false;
        }
        if (armed.action() == Action.SKIP) {
            return skip(point, armed);
        }
        if (!ARMED.compareAndSet(point.ordinal(), armed, null)) {
            return false; // another thread came first
        }
        wire.tell("hit " + point + " " + armed.action());
        switch (armed.action()) {
            case KILL -> Runtime.getRuntime().halt(137);
            case PAUSE -> pause(armed.ms());
            default -> throw new IllegalStateException("made to fail at " + point);
        }
        return false;
    }

    private static boolean skip(Point point, Armed armed) {
        if (armed.untilNanos() == 0) {
            long until = System.nanoTime() + armed.ms() * 1_000_000;
            if (ARMED.compareAndSet(point.ordinal(), armed, new Armed(armed.action(), armed.ms(), armed.after(), until))) {
                wire.tell("hit " + point + " " + armed.action());
            }
            return true;
        }
        if (System.nanoTime() - armed.untilNanos() < 0) {
            return true;
        }
        ARMED.compareAndSet(point.ordinal(), armed, null);
        return false;
    }

    private static void pause(long ms) {
        long until = System.nanoTime() + ms * 1_000_000;
        for (long left = ms * 1_000_000; left > 0; left = until - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    /** What the job does to the world: one line at the sink, with the id and the fencing token that a receiver would get. */
    private static void effect(Object runningJob) {
        Object job = call(runningJob, "job");
        Object lease = call(job, "lease");
        wire.tell("effect " + call(lease, "jobId") + " " + call(lease, "epoch") + " " + call(job, "attempt"));
        if (String.valueOf(call(job, "payload")).contains("\"poison\"")) {
            Runtime.getRuntime().halt(137);
        }
    }

    /** For {@link Mutation#GUARD_KEY_BEFORE_EFFECT}. @return true if the key was there: the entry is dropped */
    private static boolean guard(Object worker, Object[] arguments) {
        Object entry = arguments[0];
        if (!redis("SET guard:" + call(entry, "jobId") + " 1 NX").contains("$-1")) {
            return false;
        }
        call(arguments[1], "giveBack", 1);
        call(field(worker, "acknowledger"), "drop", entry);
        return true;
    }

    /** At once, and not by way of the application: what it has been told to do may never be done. @return the answers */
    private static String redis(String... commands) {
        URI redis = URI.create(System.getenv("MILLRACE_REDIS_URL"));
        try (Socket socket = new Socket(InetAddress.getByName(redis.getHost()), redis.getPort())) {
            String all = "SELECT " + redis.getPath().replace("/", "") + "\r\n" + String.join("\r\n", commands) + "\r\nQUIT\r\n";
            socket.getOutputStream().write(all.getBytes(StandardCharsets.UTF_8));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Object field(Object owner, String name) {
        try {
            Field field = owner.getClass().getDeclaredField(name);
            field.setAccessible(true);
            return field.get(owner);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(owner.getClass() + "." + name, e);
        }
    }

    private static Object call(Object owner, String name, Object... arguments) {
        try {
            for (Method method : owner.getClass().getDeclaredMethods()) {
                if (method.getName().equals(name) && method.getParameterCount() == arguments.length) {
                    method.setAccessible(true);
                    return method.invoke(owner, arguments);
                }
            }
            throw new IllegalStateException("no method " + owner.getClass() + "." + name);
        } catch (InvocationTargetException e) {
            throw new IllegalStateException(e.getCause());
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }
}
