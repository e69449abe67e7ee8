package io.millrace.deploy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;

/** What schemas of Kubernetes do not see: that names lead somewhere, that times and sizes fit, and that nobody may more than needed. */
final class ManifestLint {
    /** Paths of the management port; MigrateIT asks for each of them. */
    static final Set<String> LIVENESS = Set.of("/q/health/live");
    static final Set<String> PROBES = Set.of("/q/health/live", "/q/health/ready");
    /** What is left to the operator to make, with its keys. */
    private static final Map<String, Set<String>> OPERATORS = Map.of("millrace-stores",
            Set.of("database-url", "migrate-url", "redis-url"), "millrace-keys", Set.of("private.pem", "public.pem"),
            "millrace-tls", Set.of("tls.crt", "tls.key"));
    /** quarkus.shutdown.timeout, and the four times LAST_WRITES that Worker.drain may take. */
    static final Duration OUTSIDE_DRAIN = Duration.ofSeconds(10 + 4 * 5);
    /** The default of millrace.api.drain. */
    static final Duration API_DRAIN = Duration.ofSeconds(5);
    private static final Duration DRAIN = Duration.ofSeconds(20);
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    /** The JVM starts, and Quarkus; on a busy node. */
    private static final Duration START = Duration.ofSeconds(60);
    /** Of PostgreSQL, unless a server in the same manifests says otherwise; three are kept for superusers. */
    private static final int MAX_CONNECTIONS = 200;
    private static final int RESERVED = 3;
    private static final int OF_THE_JOB = 2;

    private final List<JsonNode> objects;
    private final Set<String> settings;
    private final List<String> problems = new ArrayList<>();

    private ManifestLint(List<JsonNode> objects, Set<String> settings) {
        this.objects = objects;
        this.settings = settings;
    }

    /**
     * @param settings environment variables that exist
     * @return one line for each problem; empty if there are none
     */
    static List<String> check(List<JsonNode> objects, Set<String> settings) {
        ManifestLint lint = new ManifestLint(objects, settings);
        lint.workloads().forEach(lint::checkWorkload);
        lint.selectors();
        lint.services();
        lint.autoscalers();
        lint.ingresses();
        lint.networkPolicies();
        lint.namespaces();
        lint.connections();
        return lint.problems;
    }

    private void checkWorkload(JsonNode workload) {
        JsonNode pod = workload.at("/spec/template/spec");
        if (!contains(workload.at("/spec/template/metadata/labels"), workload.at("/spec/selector/matchLabels"))) {
            tell(workload, "its selector does not match the labels of its pods");
        }
        podSecurity(workload, pod);
        for (JsonNode container : containers(pod)) {
            containerSecurity(workload, container);
            resources(workload, container);
            image(workload, container);
            variables(workload, container);
            mounts(workload, pod, container);
        }
        volumes(workload, pod);
        for (JsonNode container : pod.path("containers")) {
            probes(workload, container);
        }
        if (isOurs(pod) && !workload.path("kind").asText().equals("Job")) {
            times(workload, pod, pod.at("/containers/0"));
        }
    }

    private void podSecurity(JsonNode workload, JsonNode pod) {
        JsonNode context = pod.path("securityContext");
        require(workload, context.path("runAsNonRoot").asBoolean(), "runAsNonRoot is not true");
        require(workload, context.path("runAsUser").asInt() > 0, "runAsUser is not the number of a user");
        require(workload, context.at("/seccompProfile/type").asText().equals("RuntimeDefault"),
                "seccomp is not RuntimeDefault");
        require(workload, isFalse(pod.path("automountServiceAccountToken")), "it is given a token of its service account");
        require(workload, isFalse(pod.path("enableServiceLinks")), "enableServiceLinks is not false");
        for (String host : List.of("hostNetwork", "hostPID", "hostIPC")) {
            require(workload, !pod.path(host).asBoolean(), host + " is true");
        }
    }

    private void containerSecurity(JsonNode workload, JsonNode container) {
        JsonNode context = container.path("securityContext");
        require(workload, isFalse(context.path("allowPrivilegeEscalation")), "allowPrivilegeEscalation is not false");
        require(workload, context.path("readOnlyRootFilesystem").asBoolean(), "readOnlyRootFilesystem is not true");
        require(workload, texts(context.at("/capabilities/drop")).contains("ALL"), "capabilities are not dropped");
        require(workload, !context.at("/capabilities").has("add"), "capabilities are added");
    }

    private void resources(JsonNode workload, JsonNode container) {
        JsonNode resources = container.path("resources");
        long memory = bytes(resources.at("/requests/memory").asText());
        require(workload, memory > 0 && memory == bytes(resources.at("/limits/memory").asText()),
                "its memory limit is not its request");
        require(workload, resources.at("/requests").has("cpu"), "it requests no CPU");
        require(workload, !resources.at("/limits").has("cpu"), "its CPU is limited");
    }

    private void image(JsonNode workload, JsonNode container) {
        String image = container.path("image").asText();
        String name = image.substring(image.lastIndexOf('/') + 1);
        boolean isFixed = name.contains("@sha256:") || name.contains(":") && !name.endsWith(":latest");
        require(workload, isFixed, "the image " + image + " is another one tomorrow");
    }

    private void variables(JsonNode workload, JsonNode container) {
        for (JsonNode variable : container.path("env")) {
            known(workload, variable.path("name").asText());
            reference(workload, "Secret", variable.at("/valueFrom/secretKeyRef"));
            reference(workload, "ConfigMap", variable.at("/valueFrom/configMapKeyRef"));
        }
        for (JsonNode from : container.path("envFrom")) {
            String name = from.at("/configMapRef/name").asText();
            JsonNode map = find("ConfigMap", name);
            require(workload, !map.isMissingNode(), "there is no ConfigMap " + name);
            map.path("data").fieldNames().forEachRemaining(key -> known(workload, key));
        }
    }

    private void known(JsonNode workload, String variable) {
        require(workload, !variable.startsWith("MILLRACE_") || settings.contains(variable), "there is no setting " + variable);
    }

    private void reference(JsonNode workload, String kind, JsonNode reference) {
        if (reference.isMissingNode()) {
            return;
        }
        String name = reference.path("name").asText();
        String key = reference.path("key").asText();
        JsonNode held = find(kind, name);
        boolean isThere = held.isMissingNode()
                ? kind.equals("Secret") && OPERATORS.getOrDefault(name, Set.of()).contains(key)
                : held.path("data").has(key) || held.path("stringData").has(key);
        require(workload, isThere, "there is no " + kind + " " + name + " with " + key);
    }

    private void volumes(JsonNode workload, JsonNode pod) {
        for (JsonNode volume : pod.path("volumes")) {
            String secret = volume.at("/secret/secretName").asText();
            require(workload, secret.isEmpty() || OPERATORS.containsKey(secret) || !find("Secret", secret).isMissingNode(),
                    "there is no Secret " + secret);
            String map = volume.at("/configMap/name").asText();
            require(workload, map.isEmpty() || !find("ConfigMap", map).isMissingNode(), "there is no ConfigMap " + map);
            require(workload, !volume.has("hostPath"), "it mounts a folder of the node");
            require(workload, !volume.has("emptyDir") || volume.path("emptyDir").has("sizeLimit"),
                    "the volume " + volume.path("name").asText() + " has no bound");
        }
    }

    private void mounts(JsonNode workload, JsonNode pod, JsonNode container) {
        List<String> volumes = Stream.concat(stream(pod.path("volumes")), stream(workload.at("/spec/volumeClaimTemplates"))
                .map(claim -> claim.path("metadata"))).map(volume -> volume.path("name").asText()).toList();
        for (JsonNode mount : container.path("volumeMounts")) {
            String name = mount.path("name").asText();
            require(workload, volumes.contains(name), "there is no volume " + name);
        }
        require(workload,
                stream(container.path("volumeMounts")).anyMatch(mount -> mount.path("mountPath").asText().equals("/tmp")),
                "nothing to write to is mounted at /tmp");
    }

    private void probes(JsonNode workload, JsonNode container) {
        List<String> ports = names(container.path("ports"));
        for (String kind : List.of("startupProbe", "livenessProbe", "readinessProbe")) {
            JsonNode http = container.path(kind).path("httpGet");
            if (http.isMissingNode()) {
                continue;
            }
            String path = http.path("path").asText();
            require(workload, ports.contains(http.path("port").asText()),
                    kind + " asks a port that is none: " + http.path("port").asText());
            require(workload, (kind.equals("readinessProbe") ? PROBES : LIVENESS).contains(path),
                    kind + " asks for " + path + ", which is not what it should know");
        }
        if (!workload.path("kind").asText().equals("Job")) {
            require(workload, container.has("startupProbe") && container.has("readinessProbe"), "it lacks a probe");
        }
    }

    /** A worker has no callers to wait for. */
    private Duration apiDrain(JsonNode container) {
        boolean isWorker = stream(container.path("env"))
                .anyMatch(variable -> variable.path("name").asText().equals("MILLRACE_MODE")
                        && variable.path("value").asText().equals("worker"));
        return isWorker ? Duration.ZERO : setting(container, "MILLRACE_API_DRAIN", API_DRAIN);
    }

    private void times(JsonNode workload, JsonNode pod, JsonNode container) {
        Duration preStop = Duration.ofSeconds(container.at("/lifecycle/preStop/sleep/seconds").asLong());
        require(workload, !preStop.isZero(), "there is no preStop: it would stop while it is still sent requests");
        Duration least = preStop.plus(OUTSIDE_DRAIN).plus(apiDrain(container))
                .plus(setting(container, "MILLRACE_WORKER_DRAIN", DRAIN));
        require(workload, Duration.ofSeconds(pod.path("terminationGracePeriodSeconds").asLong(30)).compareTo(least) > 0,
                "terminationGracePeriodSeconds is not longer than the " + least.toSeconds() + " s that stopping may take");
        JsonNode startup = container.path("startupProbe");
        Duration given = Duration
                .ofSeconds(startup.path("periodSeconds").asLong(10) * startup.path("failureThreshold").asLong(3));
        Duration needed = setting(container, "MILLRACE_START_PATIENCE", PATIENCE).multipliedBy(2).plus(START);
        require(workload, given.compareTo(needed) >= 0,
                "startupProbe ends after " + given.toSeconds() + " s, a start may take " + needed.toSeconds() + " s");
        require(workload, container.has("livenessProbe"), "it lacks a livenessProbe");
    }

    private Duration setting(JsonNode container, String name, Duration otherwise) {
        String text = stream(container.path("env")).filter(variable -> variable.path("name").asText().equals(name))
                .map(variable -> variable.path("value").asText())
                .findFirst().orElseGet(() -> stream(container.path("envFrom"))
                        .map(from -> find("ConfigMap", from.at("/configMapRef/name").asText()).path("data").path(name).asText())
                        .filter(value -> !value.isEmpty()).findFirst().orElse(""));
        return text.isEmpty() ? otherwise : Duration.parse("PT" + text.toUpperCase(java.util.Locale.ROOT));
    }

    /** Whatever selects pods selects some. */
    private void selectors() {
        for (JsonNode object : objects) {
            String kind = object.path("kind").asText();
            JsonNode selector = switch (kind) {
                case "Service" -> object.at("/spec/selector");
                case "PodDisruptionBudget" -> object.at("/spec/selector/matchLabels");
                case "NetworkPolicy" -> object.at("/spec/podSelector/matchLabels");
                default -> MissingNode.getInstance();
            };
            require(object, selector.isMissingNode() || selected(selector).findAny().isPresent(), "it selects no pod");
            if (kind.equals("PodMonitor")) {
                podMonitor(object);
            }
        }
    }

    private void podMonitor(JsonNode monitor) {
        List<JsonNode> pods = expressed(monitor.at("/spec/selector")).toList();
        require(monitor, !pods.isEmpty(), "it selects no pod");
        for (JsonNode endpoint : monitor.at("/spec/podMetricsEndpoints")) {
            String port = endpoint.path("port").asText();
            require(monitor, pods.stream().allMatch(pod -> ports(pod).contains(port)), "not every pod has a port " + port);
            require(monitor, endpoint.path("path").asText().equals("/q/metrics"), "metrics are not at "
                    + endpoint.path("path").asText());
        }
    }

    private void services() {
        for (JsonNode service : kind("Service").toList()) {
            for (JsonNode port : service.at("/spec/ports")) {
                String target = port.path("targetPort").asText();
                require(service, selected(service.at("/spec/selector")).allMatch(pod -> ports(pod).contains(target)),
                        "its pods have no port " + target);
            }
        }
        for (JsonNode set : kind("StatefulSet").toList()) {
            String name = set.at("/spec/serviceName").asText();
            require(set, !find("Service", name).isMissingNode(), "there is no Service " + name);
        }
    }

    private void autoscalers() {
        Stream.concat(kind("HorizontalPodAutoscaler"), kind("ScaledObject")).forEach(scaler -> {
            JsonNode target = find(scaler.at("/spec/scaleTargetRef/kind").asText("Deployment"),
                    scaler.at("/spec/scaleTargetRef/name").asText());
            require(scaler, !target.isMissingNode(), "there is nothing that it could scale");
            require(scaler, !target.path("spec").has("replicas"), "what it scales says its replicas, too");
            require(scaler, least(scaler) >= 1, "it may scale to none: nobody would run the chores");
        });
    }

    private void ingresses() {
        for (JsonNode ingress : kind("Ingress").toList()) {
            for (JsonNode rule : ingress.at("/spec/rules")) {
                for (JsonNode path : rule.at("/http/paths")) {
                    JsonNode backend = path.at("/backend/service");
                    boolean leadsSomewhere = names(find("Service", backend.path("name").asText()).at("/spec/ports"))
                            .contains(backend.at("/port/name").asText());
                    require(ingress, leadsSomewhere, "there is no Service " + backend.path("name").asText() + " with the port "
                            + backend.at("/port/name").asText());
                }
            }
            for (JsonNode tls : ingress.at("/spec/tls")) {
                String name = tls.path("secretName").asText();
                require(ingress, OPERATORS.containsKey(name) || !find("Secret", name).isMissingNode(),
                        "there is no Secret " + name);
            }
        }
    }

    private void networkPolicies() {
        List<JsonNode> policies = kind("NetworkPolicy").toList();
        require(MissingNode.getInstance(), policies.stream().anyMatch(policy -> policy.at("/spec/podSelector").isEmpty()
                && texts(policy.at("/spec/policyTypes")).containsAll(List.of("Ingress", "Egress"))
                && !policy.path("spec").has("ingress") && !policy.path("spec").has("egress")),
                "no NetworkPolicy denies the rest");
        for (JsonNode policy : policies) {
            List<JsonNode> pods = expressed(policy.at("/spec/podSelector")).toList();
            for (JsonNode rule : policy.at("/spec/ingress")) {
                for (JsonNode port : rule.path("ports")) {
                    require(policy, pods.stream().allMatch(pod -> hasPort(pod, port.path("port"))),
                            "its pods have no port " + port.path("port").asText());
                }
                require(policy, rule.has("from"), "it lets everybody in");
            }
        }
    }

    private void namespaces() {
        for (JsonNode namespace : kind("Namespace").toList()) {
            require(namespace, namespace.at("/metadata/labels").path("pod-security.kubernetes.io/enforce").asText()
                    .equals("restricted"), "Pod Security is not restricted");
        }
        require(MissingNode.getInstance(), kind("Namespace").findAny().isPresent(), "there is no Namespace");
    }

    /** docs/operations.md, "Connections": as many pods as there may be, those of an update included, and the Job. */
    private void connections() {
        int sum = OF_THE_JOB;
        for (JsonNode workload : kind("Deployment").toList()) {
            JsonNode container = workload.at("/spec/template/spec/containers/0");
            int most = mostPods(workload);
            sum += most * connections(container);
        }
        int max = kind("StatefulSet").flatMap(set -> stream(set.at("/spec/template/spec/containers/0/args")))
                .map(JsonNode::asText)
                .filter(argument -> argument.startsWith("max_connections="))
                .map(argument -> Integer.parseInt(argument.substring(argument.indexOf('=') + 1))).findFirst()
                .orElse(MAX_CONNECTIONS);
        require(MissingNode.getInstance(), sum <= max - RESERVED,
                "the pods may open " + sum + " connections, PostgreSQL takes " + (max - RESERVED));
    }

    private int connections(JsonNode container) {
        String mode = stream(container.path("env")).filter(variable -> variable.path("name").asText().equals("MILLRACE_MODE"))
                .map(variable -> variable.path("value").asText()).findFirst().orElse("all");
        return number(container, "MILLRACE_DATABASE_ENGINE_CONNECTIONS", 6)
                + number(container, "MILLRACE_DATABASE_QUERY_CONNECTIONS", 4)
                + (mode.equals("worker") ? 0 : number(container, "MILLRACE_DATABASE_ADMIN_CONNECTIONS", 2))
                + (mode.equals("api") ? 0 : 1);
    }

    private int number(JsonNode container, String name, int otherwise) {
        return Stream.concat(
                stream(container.path("env")).filter(variable -> variable.path("name").asText().equals(name))
                        .map(variable -> variable.path("value").asText()),
                stream(container.path("envFrom"))
                        .map(from -> find("ConfigMap", from.at("/configMapRef/name").asText()).path("data").path(name)
                                .asText()))
                .filter(text -> !text.isEmpty()).map(Integer::valueOf).findFirst().orElse(otherwise);
    }

    private int mostPods(JsonNode workload) {
        String name = workload.at("/metadata/name").asText();
        int replicas = Stream.concat(kind("HorizontalPodAutoscaler"), kind("ScaledObject"))
                .filter(scaler -> scaler.at("/spec/scaleTargetRef/name").asText().equals(name))
                .map(scaler -> scaler.path("spec").path("maxReplicas").asInt(scaler.at("/spec/maxReplicaCount").asInt()))
                .findFirst().orElse(workload.at("/spec/replicas").asInt(1));
        String surge = workload.at("/spec/strategy/rollingUpdate/maxSurge").asText("25%");
        return replicas + (surge.endsWith("%")
                ? (int) Math.ceil(replicas * Integer.parseInt(surge.substring(0, surge.length() - 1)) / 100.0)
                : Integer.parseInt(surge));
    }

    private Stream<JsonNode> workloads() {
        return objects.stream()
                .filter(object -> Set.of("Deployment", "StatefulSet", "Job").contains(object.path("kind").asText()));
    }

    /** The pods that have these labels. */
    private Stream<JsonNode> selected(JsonNode labels) {
        return pods(template -> contains(template.at("/metadata/labels"), labels));
    }

    private Stream<JsonNode> expressed(JsonNode selector) {
        return pods(template -> contains(template.at("/metadata/labels"), selector.path("matchLabels"))
                && stream(selector.path("matchExpressions")).allMatch(expression -> texts(expression.path("values"))
                        .contains(template.at("/metadata/labels").path(expression.path("key").asText()).asText())));
    }

    private Stream<JsonNode> pods(Predicate<JsonNode> isMeant) {
        return workloads().map(workload -> workload.at("/spec/template")).filter(isMeant)
                .map(template -> template.path("spec"));
    }

    private JsonNode find(String kind, String name) {
        return kind(kind).filter(object -> object.at("/metadata/name").asText().equals(name)).findFirst()
                .orElse(MissingNode.getInstance());
    }

    private Stream<JsonNode> kind(String kind) {
        return objects.stream().filter(object -> object.path("kind").asText().equals(kind));
    }

    private void require(JsonNode object, boolean holds, String otherwise) {
        if (!holds) {
            tell(object, otherwise);
        }
    }

    private void tell(JsonNode object, String problem) {
        problems.add(object.path("kind").asText("all") + "/" + object.at("/metadata/name").asText() + ": " + problem);
    }

    private static boolean isOurs(JsonNode pod) {
        return pod.at("/containers/0/name").asText().equals("millrace");
    }

    private static int least(JsonNode scaler) {
        return scaler.path("spec").path("minReplicas").asInt(scaler.at("/spec/minReplicaCount").asInt());
    }

    private static boolean hasPort(JsonNode pod, JsonNode port) {
        return port.isTextual()
                ? ports(pod).contains(port.asText())
                : stream(pod.path("containers")).flatMap(container -> stream(container.path("ports")))
                        .anyMatch(own -> own.path("containerPort").asInt() == port.asInt());
    }

    private static List<String> ports(JsonNode pod) {
        return stream(pod.path("containers")).flatMap(container -> names(container.path("ports")).stream()).toList();
    }

    private static List<JsonNode> containers(JsonNode pod) {
        return Stream.concat(stream(pod.path("initContainers")), stream(pod.path("containers"))).toList();
    }

    private static List<String> names(JsonNode list) {
        return stream(list).map(item -> item.path("name").asText()).toList();
    }

    private static List<String> texts(JsonNode list) {
        return stream(list).map(JsonNode::asText).toList();
    }

    private static Stream<JsonNode> stream(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false);
    }

    private static boolean isFalse(JsonNode value) {
        return value.isBoolean() && !value.asBoolean();
    }

    private static boolean contains(JsonNode labels, JsonNode wanted) {
        Map<String, JsonNode> all = new HashMap<>();
        wanted.properties().forEach(label -> all.put(label.getKey(), label.getValue()));
        return all.entrySet().stream().allMatch(label -> label.getValue().equals(labels.path(label.getKey())));
    }

    private static long bytes(String quantity) {
        if (quantity.endsWith("Gi")) {
            return Long.parseLong(quantity.substring(0, quantity.length() - 2)) << 30;
        }
        return quantity.endsWith("Mi") ? Long.parseLong(quantity.substring(0, quantity.length() - 2)) << 20 : 0;
    }
}
