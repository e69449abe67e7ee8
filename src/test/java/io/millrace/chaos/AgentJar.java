package io.millrace.chaos;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;

import io.millrace.chaos.agent.ChaosAgent;
import net.bytebuddy.agent.builder.AgentBuilder;

/** Packs the agent, as the JVM wants it: a jar that names its class and where the library is. */
final class AgentJar {
    private static final String AGENT = ChaosAgent.class.getPackageName().replace('.', '/');

    private AgentJar() {}

    /** @return the jar, written anew */
    static Path write(Path folder) {
        try {
            Path classes = locationOf(ChaosAgent.class);
            Manifest manifest = new Manifest();
            manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
            manifest.getMainAttributes().put(new Attributes.Name("Premain-Class"), ChaosAgent.class.getName());
            manifest.getMainAttributes().put(Attributes.Name.CLASS_PATH, locationOf(AgentBuilder.class).toUri().toString());
            Path jar = Files.createDirectories(folder).resolve("agent.jar");
            try (OutputStream file = Files.newOutputStream(jar);
                    JarOutputStream out = new JarOutputStream(file, manifest);
                    Stream<Path> agent = Files.walk(classes.resolve(AGENT))) {
                for (Path path : (Iterable<Path>) agent.filter(Files::isRegularFile)::iterator) {
                    out.putNextEntry(new ZipEntry(classes.relativize(path).toString().replace('\\', '/')));
                    Files.copy(path, out);
                    out.closeEntry();
                }
            }
            return jar.toAbsolutePath();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path locationOf(Class<?> type) {
        try {
            return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
