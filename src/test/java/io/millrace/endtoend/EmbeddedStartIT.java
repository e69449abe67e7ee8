package io.millrace.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.Map;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import io.millrace.local.LocalServers;
import io.millrace.support.MillraceProcess;

/** Without URLs, a process brings its own servers. */
@Timeout(180)
@DisplayNameGeneration(ReplaceUnderscores.class)
class EmbeddedStartIT {

    private Path folder;

    /** A test that failed half-way leaves servers without an owner: a start adopts them, and closing ends them. */
    @AfterEach
    void leave_nothing_behind() throws IOException {
        if (Files.exists(postgresPid()) || Files.exists(redisPid())) {
            LocalServers.find().orElseThrow().start(folder).close();
        }
        try (Stream<Path> paths = Files.walk(folder)) {
            paths.sorted(Comparator.reverseOrder()).forEach(path -> path.toFile().delete());
        }
    }

    @Test
    void the_servers_of_a_process_that_was_killed_serve_the_next_one_and_end_with_it() throws IOException {
        folder = Files.createTempDirectory(Files.createDirectories(Path.of("target")), "embedded-").toAbsolutePath();
        Map<String, String> settings = Map.of("MILLRACE_LOCAL_DIR", folder.toString());

        String done;
        String later;
        String servers;
        try (MillraceProcess first = MillraceProcess.start(settings).awaitReady()) {
            done = first.api().run("{\"type\":\"echo\",\"payload\":\"kept\"}").path("id").asText();
            later = first.api().enqueue("{\"type\":\"echo\",\"delay\":\"PT1S\"}");
            servers = servers();
            first.kill();
        }
        try (MillraceProcess second = MillraceProcess.start(settings).awaitReady()) {
            assertThat(servers()).as("pids").isEqualTo(servers);
            assertThat(second.api().job(done).path("result").asText()).isEqualTo("kept");
            assertThat(second.api().ended(later).path("state").asText()).isEqualTo("COMPLETED");

            second.terminate();
            assertThat(second.awaitExit()).isZero();
            assertThat(second.output()).contains("drained: ");
        }
        for (String pid : servers.split(" ")) {
            await().atMost(Duration.ofSeconds(30)).until(() -> !isRunning(Long.parseLong(pid)));
        }
    }

    /** @return the pids of both servers */
    private String servers() throws IOException {
        return Files.readString(postgresPid()).lines().findFirst().orElseThrow() + " " + Files.readString(redisPid()).strip();
    }

    private Path postgresPid() {
        return folder.resolve("postgres/data/postmaster.pid");
    }

    private Path redisPid() {
        return folder.resolve("redis/redis.pid");
    }

    /** Where process 1 reaps no orphans a dead one stays as a zombie, without a command. */
    private static boolean isRunning(long pid) {
        return ProcessHandle.of(pid).filter(process -> process.isAlive() && process.info().command().isPresent()).isPresent();
    }
}
