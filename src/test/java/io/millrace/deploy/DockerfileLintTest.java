package io.millrace.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayNameGeneration(ReplaceUnderscores.class)
class DockerfileLintTest {

    private static String dockerfile(String name) throws IOException {
        return Files.readString(Path.of("src/main/docker", name));
    }

    @ParameterizedTest
    @ValueSource(strings = {"Dockerfile.jvm", "Dockerfile.native"})
    void a_Dockerfile_is_sound(String name) throws IOException {
        assertThat(DockerfileLint.check(dockerfile(name))).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '`', value = {
            "temurin:25-jre-noble; temurin; has no tag",
            "temurin:25-jre-noble; temurin:latest; has no tag, or latest",
            "FROM ${JRE_IMAGE}; FROM debian:12; FROM names its base itself",
            "USER 10001:0; USER millrace; not a number above 0",
            "USER 10001:0; USER 0; not a number above 0",
            "ENTRYPOINT [\"java\"; ENTRYPOINT java [; goes through a shell",
            "WORKDIR /app; CMD [\"migrate\"]; CMD would be replaced",
            "WORKDIR /app; ADD x.tar /app; ADD unpacks",
            "WORKDIR /app; COPY . /app; COPY takes whatever",
            "WORKDIR /app; RUN curl -O x; RUN downloads",
            "WORKDIR /app; ENV DB_PASSWORD=x; a secret would stay",
            "EXPOSE 8080 9000; EXPOSE 8080; EXPOSE does not name 9000"})
    void the_lint_sees(String what, String instead, String problem) throws IOException {
        String sound = dockerfile("Dockerfile.jvm");
        assertThat(sound).contains(what);
        assertThat(DockerfileLint.check(sound.replace(what, instead))).anyMatch(line -> line.contains(problem));
    }

    @Test
    void only_what_an_image_is_made_of_is_sent_to_the_builder() throws IOException {
        assertThat(Files.readAllLines(Path.of(".dockerignore"))).filteredOn(line -> !line.startsWith("#"))
                .startsWith("*").hasSizeGreaterThan(1).allMatch(line -> line.equals("*") || line.startsWith("!target/"));
    }
}
