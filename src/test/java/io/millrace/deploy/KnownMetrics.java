package io.millrace.deploy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The metrics that {@code docs/metrics.md} lists, and those of Quarkus and the JVM that dashboards and alerts use. */
final class KnownMetrics {
    private static final Pattern ROW = Pattern.compile("(?m)^\\| `(millrace_[a-z_]+)` \\| (counter|gauge|histogram) \\|(.*)$");
    /** grafana/check.sh finds out whether they are still called so. */
    private static final Set<String> OF_OTHERS = Set.of("http_server_requests_seconds_count",
            "http_server_requests_seconds_sum",
            "http_server_requests_seconds_max", "jvm_memory_used_bytes", "jvm_memory_max_bytes", "jvm_gc_overhead",
            "jvm_gc_pause_seconds_max", "jvm_gc_memory_allocated_bytes_total", "jvm_buffer_memory_used_bytes",
            "jvm_threads_states_threads", "process_cpu_time_ns_total", "process_files_open_files", "process_files_max_files",
            "process_uptime_seconds");

    private KnownMetrics() {}

    /** Names of series: a histogram has several. */
    static Set<String> series() {
        return Stream.concat(OF_OTHERS.stream(), rows().flatMap(row -> row.group(2).equals("histogram")
                ? Stream.of("_bucket", "_count", "_sum", "_max").map(part -> row.group(1) + part)
                : Stream.of(row.group(1)))).collect(Collectors.toUnmodifiableSet());
    }

    /** Names as they are documented. */
    static Set<String> ours() {
        return rows().map(row -> row.group(1)).collect(Collectors.toUnmodifiableSet());
    }

    /** What every worker counts for all. */
    static Set<String> byCensus() {
        return rows().filter(row -> row.group(3).contains("by census")).map(row -> row.group(1))
                .collect(Collectors.toUnmodifiableSet());
    }

    private static Stream<MatchResult> rows() {
        try {
            return ROW.matcher(Files.readString(Path.of("docs/metrics.md"))).results();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
