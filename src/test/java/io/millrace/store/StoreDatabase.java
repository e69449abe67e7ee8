package io.millrace.store;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import io.millrace.support.TestConfig;
import io.millrace.support.TestServers;
import io.vertx.pgclient.PgConnectOptions;

/** A migrated database and one session in it, with the settings that the sessions of the engine have, or of the questions. */
final class StoreDatabase implements AutoCloseable {
    private static final Path STATEMENTS = Path.of("src/main/resources/sql");
    private static final Pattern PARAMETER = Pattern.compile("\\$(\\d+)");

    private final Connection session;

    StoreDatabase() throws SQLException {
        this(Database::engineOptions);
    }

    StoreDatabase(Function<DatabaseConfig, PgConnectOptions> options) throws SQLException {
        String url = TestServers.migratedDatabase();
        session = TestServers.connect(url);
        DatabaseConfig config = TestConfig.of(DatabaseConfig.class, Map.of("millrace.database.url", url));
        for (Map.Entry<String, String> setting : options.apply(config).getProperties().entrySet()) {
            if (!setting.getKey().equals("application_name")) {
                execute("set " + setting.getKey() + " = '" + setting.getValue() + "'");
            }
        }
        // What a plan is made from must not change while a test looks at it.
        execute("alter table job set (autovacuum_enabled = false)");
    }

    /** @return the names of all statement files, in order */
    static List<String> statementNames() {
        try (Stream<Path> files = Files.list(STATEMENTS)) {
            return files.map(file -> file.getFileName().toString().replace(".sql", "")).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void execute(String sql) throws SQLException {
        try (Statement statement = session.createStatement()) {
            statement.execute(sql);
        }
    }

    /** @return the first column of all rows */
    List<String> query(String sql) throws SQLException {
        try (Statement statement = session.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
            List<String> column = new ArrayList<>();
            while (rows.next()) {
                column.add(rows.getString(1));
            }
            return column;
        }
    }

    /** Prepares a statement file on the server, under its name. */
    void prepare(String name) throws SQLException {
        execute("prepare " + name + " as " + SqlFile.read(name));
    }

    /** @return {@code execute name(null, ...)}: with a generic plan it is all the same what the values are */
    static String executeWithNulls(String name) {
        int count = parameterCount(name);
        return "execute " + name + (count == 0 ? "" : "(" + String.join(", ", Collections.nCopies(count, "null")) + ")");
    }

    static int parameterCount(String name) {
        return PARAMETER.matcher(SqlFile.read(name)).results().mapToInt(match -> Integer.parseInt(match.group(1))).max()
                .orElse(0);
    }

    /** @return the comment lines on top of a statement file */
    static String header(String name) {
        try (Stream<String> lines = Files.lines(STATEMENTS.resolve(name + ".sql"))) {
            return lines.takeWhile(line -> line.startsWith("--")).collect(Collectors.joining("\n"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() throws SQLException {
        session.close();
    }
}
