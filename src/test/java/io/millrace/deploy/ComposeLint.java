package io.millrace.deploy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map.Entry;
import java.util.Set;
import java.util.regex.Pattern;

import com.fasterxml.jackson.databind.JsonNode;

/** What Docker Compose would find out only when it runs, or not at all. */
final class ComposeLint {
    private static final Pattern REPLACEABLE_IMAGE = Pattern.compile("\\$\\{[A-Z_]+:-(.+)}");
    private static final Pattern TAGGED = Pattern.compile("[^:]+:(?!latest$).+");
    private static final Duration DRAIN = Duration.ofSeconds(20);

    private final JsonNode file;
    private final Path folder;
    private final Set<String> settings;
    private final List<String> problems = new ArrayList<>();

    private ComposeLint(JsonNode file, Path folder, Set<String> settings) {
        this.file = file;
        this.folder = folder;
        this.settings = settings;
    }

    /**
     * @param folder where the file is; paths in it begin there
     * @param settings environment variables that exist
     * @return one line for each problem; empty if there are none
     */
    static List<String> check(String yaml, Path folder, Set<String> settings) {
        ComposeLint lint = new ComposeLint(Manifests.parse(yaml).get(0), folder, settings);
        lint.file.path("services").properties().forEach(lint::service);
        return lint.problems;
    }

    private void service(Entry<String, JsonNode> named) {
        String name = named.getKey();
        JsonNode service = named.getValue();
        image(name, service.path("image").asText());
        service.path("environment").fieldNames().forEachRemaining(variable -> require(name,
                !variable.startsWith("MILLRACE_") || settings.contains(variable), "there is no setting " + variable));
        names(service.path("depends_on"))
                .forEach(other -> require(name, file.path("services").has(other), "there is no service " + other));
        service.path("networks").forEach(network -> require(name, file.path("networks").has(network.asText()),
                "there is no network " + network.asText()));
        service.path("volumes").forEach(volume -> volume(name, volume.asText()));
        service.path("ports")
                .forEach(port -> require(name, port.asText().startsWith("127.0.0.1:"), "is reachable from elsewhere"));
        if (service.has("build")) {
            ours(name, service);
        }
    }

    /** They may be a list, or keys with conditions. */
    private static List<String> names(JsonNode services) {
        List<String> names = new ArrayList<>();
        services.fieldNames().forEachRemaining(names::add);
        services.forEach(other -> {
            if (other.isTextual()) {
                names.add(other.asText());
            }
        });
        return names;
    }

    private void volume(String name, String volume) {
        String source = volume.split(":")[0];
        if (!source.startsWith("./")) {
            require(name, file.path("volumes").has(source), "there is no volume " + source);
            return;
        }
        // Docker makes an empty folder of what is not there.
        require(name, Files.exists(folder.resolve(source)), "there is no file or folder " + source);
        require(name, volume.endsWith(":ro"), "may write to " + source);
    }

    private void image(String name, String image) {
        var replaceable = REPLACEABLE_IMAGE.matcher(image);
        if (!replaceable.matches()) {
            require(name, false, "cannot be another image where no registry is reached: " + image);
        } else {
            require(name, TAGGED.matcher(replaceable.group(1)).matches(), "its image has no tag, or latest");
        }
    }

    private void ours(String name, JsonNode service) {
        require(name, service.path("read_only").asBoolean(), "may write to its image");
        require(name, service.path("cap_drop").toString().contains("ALL"), "keeps capabilities");
        Duration grace = Duration.parse("PT" + service.path("stop_grace_period").asText("10s"));
        boolean isWorker = service.at("/environment/MILLRACE_MODE").asText().equals("worker");
        Duration least = ManifestLint.OUTSIDE_DRAIN.plus(isWorker ? Duration.ZERO : ManifestLint.API_DRAIN).plus(DRAIN);
        require(name, grace.compareTo(least) > 0, "is killed before it has drained");
        require(name, !isWorker || !service.has("container_name") && !service.has("ports"), "cannot be scaled");
    }

    private void require(String name, boolean holds, String otherwise) {
        if (!holds) {
            problems.add(name + ": " + otherwise);
        }
    }
}
