package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.File;
import java.io.IOException;
import java.lang.reflect.Method;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

import io.millrace.support.PlainRedis;
import io.millrace.support.TestServers;

@Timeout(120)
@DisplayNameGeneration(ReplaceUnderscores.class)
class EmbeddedServersTest {

    private static final int NOBODY = 65534;
    private static final List<String> AS_NOBODY = List.of("setpriv", "--reuid=" + NOBODY, "--regid=" + NOBODY,
            "--clear-groups");

    private static final Pattern NEEDED = Pattern.compile("postgresql-|commons-|xz-|embedded-");
    private static final Duration CLOSE_LIMIT = Duration.ofMinutes(1);

    /** Unpacked once for all tests, and not where a developer's own are. */
    @TempDir
    static Path cache;

    @TempDir
    Path temporary;

    private final List<Process> children = new ArrayList<>();
    private EmbeddedServers servers;
    private Path folder;

    @BeforeEach
    void open_the_temporary_folders_to_other_users() throws IOException {
        servers = new EmbeddedServers(Optional.of(cache));
        folder = temporary.resolve("servers");
        Files.setPosixFilePermissions(cache, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.setPosixFilePermissions(temporary, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /** A test that failed half-way may have left servers without an owner: starting adopts them, closing ends them. */
    @AfterEach
    void stop_what_still_runs() throws Exception {
        for (Process child : children) {
            child.destroyForcibly().waitFor();
        }
        if (Files.exists(folder.resolve("redis/redis.pid")) || Files.exists(folder.resolve("postgres/data/postmaster.pid"))) {
            servers.start(folder).close();
        }
    }

    @Test
    void a_first_start_unpacks_the_binaries_and_both_servers_keep_what_they_confirm() throws Exception {
        Path ownCache = temporary.resolve("cache");
        try (LocalServers.Running running = new EmbeddedServers(Optional.of(ownCache)).start(folder)) {
            assertThat(ownCache).isNotEmptyDirectory();
            assertThat(query(running, "SHOW server_version")).startsWith("18.");
            assertThat(query(running, "SHOW fsync")).isEqualTo("on");
            assertThat(query(running, "SELECT current_database()")).isEqualTo("millrace");
            assertThat(PlainRedis.ask(running.redisUrl(), "CONFIG GET appendonly", "CONFIG GET maxmemory-policy"))
                    .contains("yes", "noeviction");
        }
    }

    @Test
    void data_and_urls_survive_a_stop() throws Exception {
        LocalServers.Running first = servers.start(folder);
        try (first) {
            keep(first, "kept");
        }
        assertGone(first);

        try (LocalServers.Running second = servers.start(folder)) {
            assertThat(second.databaseUrl()).isEqualTo(first.databaseUrl());
            assertThat(second.redisUrl()).isEqualTo(first.redisUrl());
            assertKept(second, "kept");
        }
    }

    @Test
    void a_port_that_was_taken_meanwhile_is_changed_for_another() throws Exception {
        LocalServers.Running first = servers.start(folder);
        first.close();
        int port = URI.create(first.redisUrl()).getPort();

        try (ServerSocket other = new ServerSocket(port, 1, InetAddress.getByName("127.0.0.1"));
                LocalServers.Running second = servers.start(folder)) {
            assertThat(URI.create(second.redisUrl()).getPort()).isNotEqualTo(other.getLocalPort());
            assertThat(PlainRedis.ask(second.redisUrl(), "PING")).containsExactly("+PONG");
        }
    }

    @Test
    void servers_of_a_killed_process_are_adopted_and_stopped() throws Exception {
        Process owner = startOwner(List.of());
        String urls = owner.inputReader().readLine();
        String pids = pids();
        owner.destroyForcibly().waitFor();

        LocalServers.Running adopted = servers.start(folder);
        try (adopted) {
            assertThat(adopted.databaseUrl() + " " + adopted.redisUrl()).isEqualTo(urls);
            assertThat(pids()).isEqualTo(pids);
            keep(adopted, "written after the kill");
        }
        assertGone(adopted);
    }

    @Test
    void pid_files_that_name_another_program_are_stale() throws Exception {
        try (LocalServers.Running running = servers.start(folder)) {
            keep(running, "kept");
        }
        String another = ProcessHandle.current().pid() + "\n";
        Files.writeString(folder.resolve("postgres/data/postmaster.pid"), another);
        Files.writeString(folder.resolve("redis/redis.pid"), another);

        try (LocalServers.Running running = servers.start(folder)) {
            assertKept(running, "kept");
        }
    }

    @Test
    void a_second_process_is_told_to_take_another_folder_or_to_share() throws Exception {
        try (LocalServers.Running running = servers.start(folder)) {
            Process second = startOwner(List.of());

            assertThat(second.inputReader().readLine()).contains(folder.toString(), "MILLRACE_LOCAL_DIR",
                    "MILLRACE_DATABASE_URL=" + running.databaseUrl(), "MILLRACE_REDIS_URL=" + running.redisUrl());
            assertThat(PlainRedis.ask(running.redisUrl(), "PING")).containsExactly("+PONG");
        }
    }

    @Test
    void a_second_start_in_one_process_is_refused_and_leaves_the_first_its_lock() throws Exception {
        try (LocalServers.Running running = servers.start(folder)) {
            assertThatThrownBy(() -> servers.start(folder)).isInstanceOf(LocalServersException.class)
                    .hasMessageContaining(running.redisUrl());
            assertThat(startOwner(List.of()).inputReader().readLine()).contains("MILLRACE_LOCAL_DIR");
        }
    }

    @Test
    void a_server_that_does_not_start_shows_its_log_and_frees_the_folder() throws Exception {
        servers.start(folder).close();
        Path settings = folder.resolve("postgres/data/postgresql.conf");
        String good = Files.readString(settings);
        Files.writeString(settings, "no_such_setting = 1\n", StandardOpenOption.APPEND);

        assertThatThrownBy(() -> servers.start(folder)).isInstanceOf(LocalServersException.class)
                .hasMessageContaining("no_such_setting");

        Files.writeString(settings, good);
        servers.start(folder).close();
    }

    @Test
    void without_redis_postgresql_is_stopped_again() throws Exception {
        LocalServers.Running first = servers.start(folder);
        first.close();
        Path manifest = folder.resolve("redis/appendonlydir/appendonly.aof.manifest");
        String good = Files.readString(manifest);
        Files.writeString(manifest, "nonsense");

        assertThatThrownBy(() -> servers.start(folder)).isInstanceOf(LocalServersException.class)
                .hasMessageContainingAll("Redis", "manifest");
        assertGone(first);

        Files.writeString(manifest, good);
        servers.start(folder).close();
    }

    @Test
    void processes_may_unpack_at_the_same_time() throws Exception {
        Binaries binaries = new Binaries(Files.createDirectory(temporary.resolve("cache")));
        Callable<Path> unpack = binaries::postgres;
        ExecutorService two = Executors.newFixedThreadPool(2);
        try {
            Set<Path> unpacked = new HashSet<>();
            for (Future<Path> done : two.invokeAll(List.of(unpack, unpack))) {
                unpacked.add(done.get());
            }
            assertThat(binaries.cache()).isDirectoryNotContaining(path -> !unpacked.contains(path));
            assertThat(unpacked).singleElement().satisfies(path -> assertThat(path.resolve("bin/postgres")).isExecutable());
        } finally {
            two.shutdown();
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void the_servers_are_in_sessions_of_their_own_out_of_reach_of_the_terminal() throws Exception {
        try (LocalServers.Running running = servers.start(folder)) {
            assertThat(running.redisUrl()).isNotEmpty();
            for (String pid : pids().split(" ")) {
                assertThat(session(pid)).isNotEqualTo(session("self"));
            }
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void another_user_than_root_runs_them_without_a_home() throws Exception {
        assumeRoot();
        Files.setAttribute(Files.createDirectory(folder), "unix:uid", NOBODY);
        Process owner = startOwner(AS_NOBODY, openClassPath());

        assertThat(owner.inputReader().readLine()).startsWith("postgresql://");
        assertThat(folder.resolve("binaries")).isNotEmptyDirectory();
        close(owner);
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void root_without_user_namespaces_runs_postgresql_as_nobody() throws Exception {
        assumeRoot();
        Path programs = Files.createDirectory(temporary.resolve("programs"));
        Files.writeString(programs.resolve("unshare"), "#!/bin/sh\nexit 1\n");
        Files.setPosixFilePermissions(programs.resolve("unshare"), PosixFilePermissions.fromString("rwxr-xr-x"));
        Process owner = startOwner(List.of("env", "PATH=" + programs + ":" + System.getenv("PATH")));

        assertThat(owner.inputReader().readLine()).startsWith("postgresql://");
        assertThat(Files.getAttribute(folder.resolve("postgres/data"), "unix:uid")).isEqualTo(NOBODY);
        close(owner);
        // with user namespaces again, the data is root's again
        servers.start(folder).close();
    }

    @Test
    void there_are_none_without_the_optional_libraries() throws Exception {
        URL classes = LocalServers.class.getProtectionDomain().getCodeSource().getLocation();
        try (URLClassLoader bare = new URLClassLoader(new URL[]{classes}, ClassLoader.getPlatformClassLoader())) {
            Method find = bare.loadClass(LocalServers.class.getName()).getMethod("find");
            assertThat(find.invoke(null)).isEqualTo(Optional.empty());
        }
        assertThat(LocalServers.find()).isPresent();
    }

    private void keep(LocalServers.Running running, String text) throws SQLException {
        try (Connection connection = TestServers.connect(running.databaseUrl())) {
            connection.createStatement().execute("CREATE TABLE note AS SELECT '" + text + "' AS text");
        }
        PlainRedis.ask(running.redisUrl(), "SET note '" + text + "'");
    }

    private void assertKept(LocalServers.Running running, String text) throws SQLException {
        assertThat(query(running, "SELECT text FROM note")).isEqualTo(text);
        assertThat(PlainRedis.ask(running.redisUrl(), "GET note")).contains(text);
    }

    private void assertGone(LocalServers.Running stopped) {
        assertThatThrownBy(() -> TestServers.connect(stopped.databaseUrl())).isInstanceOf(SQLException.class);
        assertThatThrownBy(() -> PlainRedis.ask(stopped.redisUrl(), "PING")).hasMessageContaining("refused");
    }

    private String query(LocalServers.Running running, String sql) throws SQLException {
        try (Connection connection = TestServers.connect(running.databaseUrl());
                ResultSet rows = connection.createStatement().executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }

    private String pids() throws IOException {
        return Files.readAllLines(folder.resolve("postgres/data/postmaster.pid")).get(0) + " "
                + Files.readString(folder.resolve("redis/redis.pid")).strip();
    }

    /** The sixth word of stat; the second is the program's name, in parentheses and without spaces here. */
    private static String session(String pid) throws IOException {
        return Files.readString(Path.of("/proc", pid, "stat")).split(" ")[5];
    }

    private Process startOwner(List<String> prefix) throws IOException {
        return startOwner(prefix, System.getProperty("java.class.path"), "-Dmillrace.local.cache=" + cache);
    }

    private Process startOwner(List<String> prefix, String classPath, String... options) throws IOException {
        List<String> command = new ArrayList<>(prefix);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(options));
        command.addAll(List.of("-cp", classPath, ServersProcess.class.getName(), folder.toString()));
        Process owner = new ProcessBuilder(command).directory(temporary.toFile())
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        children.add(owner);
        return owner;
    }

    /** The libraries are copied to where everyone may read: those of root are below its closed home. */
    private String openClassPath() throws IOException {
        Path open = Files.createDirectory(temporary.resolve("classpath"));
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            Path source = Path.of(entry);
            if (NEEDED.matcher(source.getFileName().toString()).lookingAt()) {
                Files.copy(source, open.resolve(source.getFileName()));
            }
        }
        for (Class<?> part : List.of(LocalServers.class, ServersProcess.class)) {
            copyTree(Path.of(part.getProtectionDomain().getCodeSource().getLocation().getPath()), open.resolve("classes"));
        }
        return open.resolve("classes") + File.pathSeparator + open + "/*";
    }

    private static void copyTree(Path from, Path to) throws IOException {
        try (Stream<Path> paths = Files.walk(from)) {
            for (Path path : (Iterable<Path>) paths.filter(Files::isRegularFile)::iterator) {
                Path copy = to.resolve(from.relativize(path));
                Files.createDirectories(copy.getParent());
                Files.copy(path, copy);
            }
        }
    }

    private static void close(Process owner) throws Exception {
        owner.getOutputStream().close();
        assertThat(owner.waitFor(CLOSE_LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
        assertThat(owner.exitValue()).isZero();
    }

    private static void assumeRoot() {
        assumeThat(ProcessHandle.current().info().user()).contains("root");
    }
}
