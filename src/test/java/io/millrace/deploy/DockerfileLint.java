package io.millrace.deploy;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What an image of ours must have: a base that can be another, no root, a process that gets the signals, and nothing unasked for. */
final class DockerfileLint {
    private static final Pattern TAG = Pattern.compile(".*[:@](?!latest$)[^/:@]+");
    private static final Pattern NUMERIC_USER = Pattern.compile("[1-9]\\d*(:\\d+)?");
    private static final Pattern DOWNLOADS = Pattern.compile("\\b(curl|wget|sudo)\\b");

    private DockerfileLint() {}

    /** @return one line for each problem; empty if there are none */
    static List<String> check(String dockerfile) {
        List<String> steps = steps(dockerfile);
        List<String> problems = new ArrayList<>();
        String base = first(steps, "ARG").replaceFirst("[A-Z_]+=", "");
        if (!TAG.matcher(base).matches()) {
            problems.add("the base " + base + " has no tag, or latest");
        }
        if (steps.stream().filter(step -> step.startsWith("FROM ")).anyMatch(step -> !step.startsWith("FROM ${"))) {
            problems.add("FROM names its base itself: nobody can build it on another");
        }
        if (!NUMERIC_USER.matcher(last(steps, "USER")).matches()) {
            problems.add("the last USER is not a number above 0: " + last(steps, "USER"));
        }
        if (!last(steps, "ENTRYPOINT").startsWith("[")) {
            problems.add("ENTRYPOINT goes through a shell, which keeps SIGTERM to itself");
        }
        if (steps.stream().anyMatch(step -> step.startsWith("CMD "))) {
            problems.add("CMD would be replaced by migrate and keys, which are arguments");
        }
        if (steps.stream().anyMatch(step -> step.startsWith("ADD "))) {
            problems.add("ADD unpacks and downloads: COPY does neither");
        }
        if (steps.stream().anyMatch(step -> step.startsWith("COPY . ") || step.startsWith("COPY ./ "))) {
            problems.add("COPY takes whatever is there");
        }
        if (steps.stream().filter(step -> step.startsWith("RUN ")).anyMatch(step -> DOWNLOADS.matcher(step).find())) {
            problems.add("RUN downloads, or needs root");
        }
        if (steps.stream().anyMatch(step -> step.matches("(ENV|ARG) .*(?i:password|secret|token|private_key).*"))) {
            problems.add("a secret would stay in the image");
        }
        Stream.of("8080", "9000").filter(port -> !last(steps, "EXPOSE").contains(port))
                .forEach(port -> problems.add("EXPOSE does not name " + port));
        return problems;
    }

    /** Without comments, each with its continuations. */
    private static List<String> steps(String dockerfile) {
        String text = dockerfile.lines().filter(line -> !line.strip().startsWith("#")).reduce("",
                (all, line) -> all + "\n" + line);
        return text.replace("\\\n", " ").lines().map(String::strip).filter(line -> !line.isEmpty()).toList();
    }

    private static String first(List<String> steps, String instruction) {
        return arguments(steps, instruction).findFirst().orElse("");
    }

    private static String last(List<String> steps, String instruction) {
        return arguments(steps, instruction).reduce("", (before, after) -> after);
    }

    private static Stream<String> arguments(List<String> steps, String instruction) {
        return steps.stream().filter(step -> step.startsWith(instruction + " "))
                .map(step -> step.substring(instruction.length() + 1).strip());
    }
}
