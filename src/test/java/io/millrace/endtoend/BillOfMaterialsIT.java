package io.millrace.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

/** What the package says it is built from, against what is in it. */
@DisplayNameGeneration(ReplaceUnderscores.class)
class BillOfMaterialsIT {

    private static final Path PACKAGE = Path.of("target", "quarkus-app");
    private static final String BILL = "META-INF/sbom/millrace.cdx.json";

    @Test
    void every_library_that_is_shipped_is_on_the_bill_with_its_version() throws IOException {
        JsonNode bill = bill();
        assertThat(bill.path("bomFormat").asText()).isEqualTo("CycloneDX");
        assertThat(bill.at("/metadata/component/name").asText()).isEqualTo("millrace");

        Set<String> listed = new TreeSet<>();
        bill.path("components").forEach(part -> {
            assertThat(part.path("purl").asText()).startsWith("pkg:maven/");
            listed.add(part.path("group").asText() + "." + part.path("name").asText() + "-" + part.path("version").asText());
        });
        Set<String> shipped = shipped();
        assertThat(shipped).hasSizeGreaterThan(100);
        assertThat(shipped).allSatisfy(jar -> assertThat(listed).as(jar).anyMatch(part -> isOf(jar, part)));
    }

    /** A jar with a classifier, as native code has, goes on after the version. */
    private static boolean isOf(String jar, String part) {
        return jar.equals(part) || jar.startsWith(part + "-");
    }

    private static JsonNode bill() throws IOException {
        try (Stream<Path> jars = Files.list(PACKAGE.resolve("app"))) {
            Path jar = jars.filter(file -> file.toString().endsWith(".jar")).findFirst().orElseThrow();
            try (JarFile file = new JarFile(jar.toFile())) {
                JarEntry entry = file.getJarEntry(BILL);
                assumeThat(entry != null || !Boolean.getBoolean("maven.offline")).as("Maven makes no bill when it is offline")
                        .isTrue();
                assertThat(entry).as("%s in %s", BILL, jar).isNotNull();
                try (InputStream in = file.getInputStream(entry)) {
                    return new ObjectMapper().readTree(in);
                }
            }
        }
    }

    /** @return the names of the jars, without their ending: Quarkus writes group, artifact and version into them */
    private static Set<String> shipped() throws IOException {
        try (Stream<Path> files = Files.walk(PACKAGE.resolve("lib"))) {
            return files.map(file -> file.getFileName().toString()).filter(name -> name.endsWith(".jar"))
                    .map(name -> name.substring(0, name.length() - 4)).collect(Collectors.toCollection(TreeSet::new));
        }
    }
}
