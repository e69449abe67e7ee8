package io.millrace.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * Who runs PostgreSQL, which refuses to run as root.
 *
 * @param prefix words before the command
 * @param uid must own the data; empty if it is this process's user anyway
 */
record ServerUser(List<String> prefix, OptionalInt uid) {

    private static final int ROOT = 0;
    private static final int NOBODY = 65534;

    static ServerUser choose() {
        if (!ProcessHandle.current().info().user().equals(Optional.of("root"))) {
            return new ServerUser(List.of(), OptionalInt.empty());
        }
        return Stream.of(new ServerUser(List.of("unshare", "-U"), OptionalInt.of(ROOT)),
                new ServerUser(List.of("setpriv", "--reuid=" + NOBODY, "--regid=" + NOBODY, "--clear-groups"),
                        OptionalInt.of(NOBODY)))
                .filter(user -> user.can("true"))
                .findFirst()
                .orElseThrow(() -> new LocalServersException("PostgreSQL refuses to run as root, and neither unshare -U nor "
                        + "setpriv works here: run as another user"));
    }

    List<String> command(Path program, String... arguments) {
        List<String> command = new ArrayList<>(prefix);
        command.add(program.toString());
        command.addAll(List.of(arguments));
        return command;
    }

    boolean canEnter(Path folder) {
        return can("test", "-x", folder.toString());
    }

    /** @throws LocalServersException if a folder above is closed to this user */
    void letEnter(Path folder) throws IOException {
        if (!canEnter(folder) && uid.isPresent()) {
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        }
        if (!canEnter(folder)) {
            throw new LocalServersException("PostgreSQL refuses to run as root, and the user it runs as cannot enter "
                    + folder + ": set MILLRACE_LOCAL_DIR to a folder whose parents everyone may enter, or run as another user");
        }
    }

    void own(Path folder) throws IOException {
        if (uid.isEmpty()) {
            return;
        }
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : (Iterable<Path>) paths::iterator) {
                Files.setAttribute(path, "unix:uid", uid.getAsInt(), LinkOption.NOFOLLOW_LINKS);
            }
        }
    }

    private boolean can(String... command) {
        List<String> words = new ArrayList<>(prefix);
        words.addAll(List.of(command));
        return Command.succeeds(words);
    }
}
