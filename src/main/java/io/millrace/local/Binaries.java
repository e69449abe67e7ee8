package io.millrace.local;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Set;

import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.tukaani.xz.XZInputStream;

/** The servers' programs, unpacked from the jars into a cache that processes and folders share. */
record Binaries(Path cache) {

    private static final Set<PosixFilePermission> EXECUTABLE = PosixFilePermissions.fromString("rwxr-xr-x");
    private static final Set<PosixFilePermission> READABLE = PosixFilePermissions.fromString("rw-r--r--");
    private static final int OWNER_MAY_EXECUTE = 0100;
    private static final int HASH_DIGITS = 16;

    private static final String SYSTEM = System.getProperty("os.name").startsWith("Mac")
            ? "darwin"
            : System.getProperty("os.name").toLowerCase(Locale.ROOT);
    private static final boolean IS_ARM = System.getProperty("os.arch").equals("aarch64");
    private static final String POSTGRES = "/postgres-" + SYSTEM + "-" + (IS_ARM ? "arm_64" : "x86_64") + ".txz";
    private static final String REDIS = "/redis-server-7.0.15-" + SYSTEM + "-" + (IS_ARM ? "arm64" : "amd64");

    private interface Unpacking {
        void unpack(InputStream packed, Path folder) throws IOException;
    }

    /** @throws NoClassDefFoundError if the jars are there and the libraries that unpack them are not */
    static boolean arePresent() {
        return Binaries.class.getResource(POSTGRES) != null && Binaries.class.getResource(REDIS) != null
                && TarArchiveInputStream.class != null && XZInputStream.class != null;
    }

    /** The folder with {@code bin}, {@code lib} and {@code share}. */
    Path postgres() throws IOException {
        return unpackOnce("postgres", POSTGRES, Binaries::unpackTarXz);
    }

    /** The program. */
    Path redis() throws IOException {
        return unpackOnce("redis", REDIS, Binaries::copyProgram).resolve("redis-server");
    }

    /** The content names the folder, so another version never meets a half-fitting one, and a finished folder never changes. */
    private Path unpackOnce(String name, String resource, Unpacking unpacking) throws IOException {
        Path finished = cache.resolve(name + "-" + hash(resource));
        if (Files.exists(finished)) {
            return finished;
        }
        Path unfinished = Files.createTempDirectory(cache, name);
        try (InputStream packed = open(resource)) {
            unpacking.unpack(packed, unfinished);
            Files.setPosixFilePermissions(unfinished, EXECUTABLE);
            Files.move(unfinished, finished, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            FileTree.delete(unfinished);
            // another process may have been faster
            if (!Files.exists(finished)) {
                throw e;
            }
        }
        return finished;
    }

    private static void unpackTarXz(InputStream packed, Path folder) throws IOException {
        try (TarArchiveInputStream tar = new TarArchiveInputStream(new XZInputStream(packed))) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                Path path = folder.resolve(entry.getName()).normalize();
                createReadable(entry.isDirectory() ? path : path.getParent());
                if (entry.isDirectory()) {
                    continue;
                }
                if (entry.isSymbolicLink()) {
                    Files.createSymbolicLink(path, Path.of(entry.getLinkName()));
                } else {
                    Files.copy(tar, path);
                    Files.setPosixFilePermissions(path,
                            (entry.getMode() & OWNER_MAY_EXECUTE) != 0 ? EXECUTABLE : READABLE);
                }
            }
        }
    }

    /** Whatever the umask says: the server may run as another user. */
    private static void createReadable(Path folder) throws IOException {
        Files.createDirectories(folder);
        Files.setPosixFilePermissions(folder, EXECUTABLE);
    }

    private static void copyProgram(InputStream program, Path folder) throws IOException {
        Path path = folder.resolve("redis-server");
        Files.copy(program, path);
        Files.setPosixFilePermissions(path, EXECUTABLE);
    }

    private static String hash(String resource) throws IOException {
        try (DigestInputStream in = new DigestInputStream(open(resource), MessageDigest.getInstance("SHA-256"))) {
            in.transferTo(OutputStream.nullOutputStream());
            return HexFormat.of().formatHex(in.getMessageDigest().digest()).substring(0, HASH_DIGITS);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    private static InputStream open(String resource) throws IOException {
        InputStream in = Binaries.class.getResourceAsStream(resource);
        if (in == null) {
            throw new FileNotFoundException("no resource " + resource);
        }
        return in;
    }
}
