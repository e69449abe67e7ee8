package io.millrace.app;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.ObservesAsync;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import io.quarkus.arc.profile.IfBuildProfile;
import io.quarkus.vertx.http.HttpServerStart;

/**
 * What {@code quarkus:dev} shows at its first start: three jobs handed in over HTTP as anybody would, and how they ended.
 */
@ApplicationScoped
@IfBuildProfile("dev")
class Demo {
    private static final Logger LOG = Logger.getLogger(Demo.class);
    /** Survives live reloads, which load this class anew. */
    private static final String SHOWN = "millrace.demo.shown";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private record Job(String title, String body) {}

    private final HttpClient http = HttpClient.newHttpClient();
    private final ObjectMapper json;
    private final String base;
    private final String management;

    Demo(ObjectMapper json, @ConfigProperty(name = "quarkus.http.port") int port,
            @ConfigProperty(name = "quarkus.management.port") int managementPort) {
        this.json = json;
        this.base = "http://localhost:" + port;
        this.management = "http://localhost:" + managementPort;
    }

    void show(@ObservesAsync HttpServerStart started) {
        if (System.getProperty(SHOWN) == null && "all".equals(System.getProperty("millrace.mode"))) {
            System.setProperty(SHOWN, "true");
            Thread thread = new Thread(this::run, "demo");
            thread.setDaemon(true);
            thread.start();
        }
    }

    private List<Job> jobs() {
        return List.of(
                new Job("an image job on pictures that this process serves", """
                        {"type": "image", "payload": {"visits": [
                          {"storeId": "S00339218", "imageUrls": ["%1$s/demo/mill.jpg", "%1$s/demo/river.png"]},
                          {"storeId": "S01408764", "imageUrls": ["%1$s/demo/wheel.webp"]}]}}""".formatted(base)),
                new Job("an echo, scheduled in 3 s", """
                        {"type": "echo", "delay": "PT3S", "payload": {"hello": "millrace"}}"""),
                new Job("a flaky job that succeeds on its third try", """
                        {"type": "flaky", "payload": {"failures": 2}}"""));
    }

    private void run() {
        try {
            StringBuilder report = new StringBuilder("the demo:\n");
            List<Job> jobs = jobs();
            String[] ids = new String[jobs.size()];
            for (int i = 0; i < ids.length; i++) {
                ids[i] = post(jobs.get(i).body()).path("id").asText();
            }
            for (int i = 0; i < ids.length; i++) {
                JsonNode ended = get("/v1/jobs/" + ids[i] + "?wait=" + PATIENCE.toSeconds() + "s");
                report.append("  ").append(jobs.get(i).title()).append(": ").append(ended.path("state").asText())
                        .append(" on attempt ").append(ended.path("attempt").asText()).append('\n')
                        .append("    ").append(brief(ended.path("result"))).append('\n')
                        .append("    ").append(base).append("/v1/jobs/").append(ids[i]).append('\n');
            }
            (report + tryThis()).lines().forEach(LOG::info); // one by one: a line break in a message is escaped
        } catch (Exception e) {
            LOG.error("the demo did not run through", e);
        }
    }

    private String tryThis() {
        return """

                Try it:
                  curl -s %1$s/v1/jobs -H 'Content-Type: application/json' -d '{"type": "echo", "payload": {"n": 1}}'
                  curl -s %1$s/v1/jobs?limit=5
                  curl -s %1$s/v1/job-types
                  API         %1$s/q/swagger-ui
                  Health      %2$s/q/health
                  Metrics     %2$s/q/metrics
                """.formatted(base, management);
    }

    private static String brief(JsonNode result) {
        String text = result.toString();
        return text.length() <= 160 ? text : text.substring(0, 160) + "...";
    }

    private JsonNode post(String body) throws Exception {
        return send(
                request("/v1/jobs").header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString(body)));
    }

    private JsonNode get(String path) throws Exception {
        return send(request(path).GET());
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(base + path)).timeout(PATIENCE.plusSeconds(5));
    }

    private JsonNode send(HttpRequest.Builder request) throws Exception {
        HttpResponse<String> response = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() >= 300) {
            throw new IllegalStateException(response.statusCode() + " from " + response.uri() + ": " + response.body());
        }
        return json.readTree(response.body());
    }
}
