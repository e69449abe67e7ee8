package io.millrace.support;

import java.lang.management.ManagementFactory;

import com.sun.management.ThreadMXBean;

/** Counts what a thread takes from the heap: what takes nothing builds no text and no list, however fast the machine is. */
public final class Allocations {
    private static final int TIMES = 20_000;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private Allocations() {}

    /** @return bytes for one call, on average, once it has been called often; below 1 is none: the odd byte is the JVM's */
    public static double bytesPerCall(Runnable call) {
        run(call);
        long before = THREADS.getCurrentThreadAllocatedBytes();
        run(call);
        return (THREADS.getCurrentThreadAllocatedBytes() - before) / (double) TIMES;
    }

    private static void run(Runnable call) {
        for (int i = 0; i < TIMES; i++) {
            call.run();
        }
    }
}
