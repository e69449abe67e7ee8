package io.millrace.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

/** What an overlay amounts to, as kubectl renders it. */
final class Manifests {
    private static final long RENDER_SECONDS = 60;
    private static final ObjectMapper JSON = new ObjectMapper();

    private Manifests() {}

    /** From the variable KUBECTL, or the PATH. */
    static Optional<String> kubectl() {
        String named = System.getenv("KUBECTL");
        if (named != null && !named.isBlank()) {
            return Optional.of(named);
        }
        return Stream.of(System.getenv("PATH").split(":")).map(folder -> Path.of(folder, "kubectl")).filter(Files::isExecutable)
                .map(Path::toString).findFirst();
    }

    static List<JsonNode> render(String kubectl, String folder) throws IOException, InterruptedException {
        Path output = Files.createTempFile("rendered", ".yaml");
        Path errors = Files.createTempFile("rendered", ".err");
        try {
            Process process = new ProcessBuilder(kubectl, "kustomize", folder).redirectOutput(output.toFile())
                    .redirectError(errors.toFile()).start();
            boolean ended = process.waitFor(RENDER_SECONDS, TimeUnit.SECONDS);
            process.destroyForcibly();
            assertThat(ended).as("%s kustomize %s ended in time", kubectl, folder).isTrue();
            assertThat(process.exitValue()).as(Files.readString(errors)).isZero();
            return parse(Files.readString(output));
        } finally {
            Files.delete(output);
            Files.delete(errors);
        }
    }

    /** All documents of a YAML file; anchors and merge keys are resolved. */
    static List<JsonNode> parse(String yaml) {
        List<JsonNode> documents = new ArrayList<>();
        new Yaml(new SafeConstructor(new LoaderOptions())).loadAll(yaml).forEach(document -> {
            JsonNode tree = JSON.valueToTree(document);
            documents.add(tree);
        });
        return documents;
    }
}
