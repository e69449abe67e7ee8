package io.millrace.store;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.stream.Collectors;

/** One statement from {@code src/main/resources/sql}. */
final class SqlFile {
    private SqlFile() {}

    /**
     * @param name of the file, without {@code .sql}
     * @return the statement without its comment lines, so that the header does not travel to the server
     * @throws IllegalStateException if there is no such file: the process does not start without its statements
     */
    static String read(String name) {
        String path = "/sql/" + name + ".sql";
        try (InputStream in = SqlFile.class.getResourceAsStream(path)) {
            if (in == null) {
                throw new IllegalStateException("missing statement " + path);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines()
                    .filter(line -> !line.stripLeading().startsWith("--")).collect(Collectors.joining("\n")).strip();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
