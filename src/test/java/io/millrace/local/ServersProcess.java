package io.millrace.local;

import java.io.IOException;
import java.nio.file.Path;

/** A process that owns servers until it is killed or its standard input ends. Prints the URLs, or why there are none. */
final class ServersProcess {

    public static void main(String... folder) throws IOException {
        try (LocalServers.Running running = LocalServers.find().orElseThrow().start(Path.of(folder[0]))) {
            System.out.println(running.databaseUrl() + " " + running.redisUrl());
            System.in.read();
        } catch (LocalServersException e) {
            System.out.println(e.getMessage());
        }
    }
}
