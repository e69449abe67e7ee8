package io.millrace.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** The overlays of deploy/k8s, as kubectl renders them, and proof that the lint sees what it looks for. */
@DisplayNameGeneration(ReplaceUnderscores.class)
class ManifestLintTest {
    private static final Map<String, List<JsonNode>> RENDERED = new ConcurrentHashMap<>();
    private static final ObjectMapper JSON = new ObjectMapper();
    /** Bytes of all annotations of an object of Kubernetes. */
    private static final int MOST_ANNOTATED = 262_144;

    /** Everywhere else the manifests may go unchecked; where changes are judged, they may not. */
    @BeforeEach
    void needsKubectl() {
        boolean isThere = Manifests.kubectl().isPresent();
        if ("true".equals(System.getenv("CI"))) {
            assertThat(isThere).as("kubectl, which .ci/kubectl gets").isTrue();
        }
        assumeTrue(isThere, "the manifests are not checked: there is no kubectl, which renders them; see .ci/kubectl");
    }

    private static List<JsonNode> rendered(String overlay) {
        return RENDERED.computeIfAbsent(overlay, name -> {
            try {
                return Manifests.render(Manifests.kubectl().orElseThrow(), "deploy/k8s/" + name);
            } catch (java.io.IOException e) {
                throw new java.io.UncheckedIOException(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            }
        }).stream().<JsonNode>map(JsonNode::deepCopy).toList();
    }

    @ParameterizedTest
    @ValueSource(strings = {"overlays/dev", "overlays/production"})
    void an_overlay_is_sound(String overlay) {
        List<JsonNode> objects = rendered(overlay);
        assertThat(objects).hasSizeGreaterThan(15);
        assertThat(ManifestLint.check(objects, KnownSettings.variables())).isEmpty();
    }

    /** Each of them is annotated whole by kubectl apply, and annotations have a bound. */
    @Test
    void production_brings_every_dashboard_where_the_sidecar_of_grafana_finds_it() throws IOException {
        List<JsonNode> maps = rendered("overlays/production").stream()
                .filter(one -> one.at("/metadata/labels/grafana_dashboard").asText().equals("1")).toList();
        try (Stream<Path> files = Files.list(Path.of("grafana/dashboards"))) {
            assertThat(maps.stream().flatMap(map -> map.path("data").properties().stream()).map(Map.Entry::getKey))
                    .containsExactlyInAnyOrderElementsOf(files.map(file -> file.getFileName().toString())
                            .filter(name -> name.endsWith(".json")).toList());
        }
        assertThat(maps).allMatch(map -> map.toString().length() < MOST_ANNOTATED, "is small enough for kubectl apply");
    }

    /**
     * Breaks one thing, and expects to be told of it.
     *
     * @param value what is put there, as JSON; nothing removes it
     */
    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '`', value = {
            "Deployment/millrace-api; /spec/template/metadata/labels/app.kubernetes.io~1name; \"api\"; its selector does not match",
            "Deployment/millrace-api; /spec/template/spec/securityContext/runAsNonRoot; false; runAsNonRoot is not true",
            "Deployment/millrace-api; /spec/template/spec/securityContext/runAsUser; 0; runAsUser is not",
            "Deployment/millrace-api; /spec/template/spec/securityContext/seccompProfile; ; seccomp is not RuntimeDefault",
            "Job/millrace-migrate; /spec/template/spec/automountServiceAccountToken; true; token of its service account",
            "StatefulSet/redis; /spec/template/spec/enableServiceLinks; ; enableServiceLinks",
            "Deployment/millrace-api; /spec/template/spec/hostNetwork; true; hostNetwork is true",
            "StatefulSet/postgres; /spec/template/spec/containers/0/securityContext/allowPrivilegeEscalation; ; allowPrivilegeEscalation",
            "Job/millrace-migrate; /spec/template/spec/containers/0/securityContext/readOnlyRootFilesystem; false; readOnlyRootFilesystem",
            "Deployment/millrace-api; /spec/template/spec/initContainers/0/securityContext/capabilities/drop; []; capabilities are not dropped",
            "StatefulSet/redis; /spec/template/spec/containers/0/securityContext/capabilities/add; [\"SYS_ADMIN\"]; capabilities are added",
            "Deployment/millrace-api; /spec/template/spec/containers/0/resources/limits/memory; \"2Gi\"; memory limit is not its request",
            "Deployment/millrace-api; /spec/template/spec/containers/0/resources/requests/cpu; ; it requests no CPU",
            "Deployment/millrace-worker; /spec/template/spec/containers/0/resources/limits/cpu; \"1\"; its CPU is limited",
            "Deployment/millrace-worker; /spec/template/spec/containers/0/image; \"millrace:latest\"; is another one tomorrow",
            "Deployment/millrace-worker; /spec/template/spec/containers/0/image; \"host:5000/millrace\"; is another one tomorrow",
            "Deployment/millrace-worker; /spec/template/spec/containers/0/env/0/name; \"MILLRACE_MODUS\"; there is no setting MILLRACE_MODUS",
            "Deployment/millrace-worker; /spec/template/spec/containers/0/env/1/valueFrom/secretKeyRef/key; \"url\"; there is no Secret",
            "Deployment/millrace-worker; /spec/template/spec/containers/0/envFrom/0/configMapRef/name; \"settings\"; there is no ConfigMap",
            "Deployment/millrace-worker; /spec/template/spec/volumes/0/emptyDir/sizeLimit; ; has no bound",
            "Deployment/millrace-worker; /spec/template/spec/volumes/0/hostPath; {\"path\": \"/\"}; a folder of the node",
            "Deployment/millrace-worker; /spec/template/spec/volumes/0/name; \"temp\"; there is no volume tmp",
            "Deployment/millrace-worker; /spec/template/spec/volumes/0/secret; {\"secretName\": \"none\"}; there is no Secret none",
            "Deployment/millrace-worker; /spec/template/spec/containers/0/volumeMounts/0/mountPath; \"/temp\"; mounted at /tmp",
            "Deployment/millrace-api; /spec/template/spec/containers/0/readinessProbe/httpGet/port; \"admin\"; asks a port that is none",
            "Deployment/millrace-api; /spec/template/spec/containers/0/readinessProbe/httpGet/path; \"/health\"; asks for /health",
            "Deployment/millrace-api; /spec/template/spec/containers/0/livenessProbe/httpGet/path; \"/q/health/ready\"; asks for /q/health/ready",
            "StatefulSet/redis; /spec/template/spec/containers/0/readinessProbe; ; it lacks a probe",
            "Deployment/millrace-api; /spec/template/spec/containers/0/livenessProbe; ; it lacks a livenessProbe",
            "Deployment/millrace-api; /spec/template/spec/containers/0/lifecycle; ; there is no preStop",
            "Deployment/millrace-api; /spec/template/spec/terminationGracePeriodSeconds; 60; not longer than the 60 s",
            "Deployment/millrace-worker; /spec/template/spec/terminationGracePeriodSeconds; 55; not longer than the 55 s",
            "Deployment/millrace-worker; /spec/template/spec/containers/0/startupProbe/failureThreshold; 99; startupProbe ends after 297 s",
            "Service/millrace-api; /spec/selector/app.kubernetes.io~1name; \"api\"; it selects no pod",
            "Service/millrace-api; /spec/ports/0/targetPort; \"https\"; its pods have no port https",
            "PodDisruptionBudget/millrace-worker; /spec/selector/matchLabels/app.kubernetes.io~1name; \"x\"; it selects no pod",
            "StatefulSet/redis; /spec/serviceName; \"cache\"; there is no Service cache",
            "HorizontalPodAutoscaler/millrace-api; /spec/scaleTargetRef/name; \"api\"; nothing that it could scale",
            "Deployment/millrace-api; /spec/replicas; 2; says its replicas, too",
            "HorizontalPodAutoscaler/millrace-api; /spec/minReplicas; 0; it may scale to none",
            "HorizontalPodAutoscaler/millrace-api; /spec/maxReplicas; 20; connections, PostgreSQL takes 197",
            "NetworkPolicy/default-deny; /spec/egress; [{}]; no NetworkPolicy denies the rest",
            "NetworkPolicy/redis-in; /spec/ingress/0/ports/0/port; 6380; its pods have no port 6380",
            "NetworkPolicy/redis-in; /spec/ingress/0/from; ; it lets everybody in",
            "NetworkPolicy/api-callers; /spec/ingress/0/ports/0/port; \"https\"; its pods have no port https",
            "Namespace/millrace; /metadata/labels/pod-security.kubernetes.io~1enforce; \"baseline\"; Pod Security is not restricted"})
    void the_lint_sees(String object, String pointer, String value, String problem) throws JsonProcessingException {
        assertSees("overlays/dev", object, pointer, value, problem);
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '`', value = {
            "Ingress/millrace-api; /spec/rules/0/http/paths/0/backend/service/port/name; \"https\"; with the port https",
            "Ingress/millrace-api; /spec/tls/0/secretName; \"certificate\"; there is no Secret certificate",
            "PodMonitor/millrace; /spec/podMetricsEndpoints/0/port; \"http\"; not every pod has a port http",
            "PodMonitor/millrace; /spec/podMetricsEndpoints/0/path; \"/metrics\"; metrics are not at /metrics",
            "PodMonitor/millrace; /spec/selector/matchExpressions/0/values; [\"x\"]; it selects no pod",
            "ScaledObject/millrace-worker; /spec/minReplicaCount; 0; it may scale to none",
            "ScaledObject/millrace-worker; /spec/maxReplicaCount; 12; connections, PostgreSQL takes 197",
            "Deployment/millrace-worker; /spec/replicas; 2; says its replicas, too",
            "Deployment/millrace-api; /spec/template/spec/containers/0/env/1/valueFrom/secretKeyRef/key; \"url\"; there is no Secret"})
    void the_lint_sees_in_production(String object, String pointer, String value, String problem)
            throws JsonProcessingException {
        assertSees("overlays/production", object, pointer, value, problem);
    }

    private static void assertSees(String overlay, String object, String pointer, String value, String problem)
            throws JsonProcessingException {
        List<JsonNode> objects = rendered(overlay);
        JsonNode broken = objects.stream()
                .filter(one -> (one.path("kind").asText() + "/" + one.at("/metadata/name").asText()).equals(object))
                .findFirst().orElseThrow();
        change(broken, JsonPointer.compile(pointer), value);
        assertThat(ManifestLint.check(objects, KnownSettings.variables())).anyMatch(line -> line.contains(problem));
    }

    private static void change(JsonNode object, JsonPointer place, String value) throws JsonProcessingException {
        JsonNode parent = object.at(place.head());
        JsonNode changed = value == null ? null : JSON.readTree(value);
        if (parent instanceof ArrayNode list) {
            list.set(place.last().getMatchingIndex(), changed);
        } else if (changed == null) {
            assertThat(((ObjectNode) parent).remove(place.last().getMatchingProperty())).isNotNull();
        } else {
            ((ObjectNode) parent).set(place.last().getMatchingProperty(), changed);
        }
    }
}
