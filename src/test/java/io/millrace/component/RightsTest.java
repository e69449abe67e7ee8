package io.millrace.component;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;

import org.junit.jupiter.api.Test;

import com.fasterxml.jackson.databind.JsonNode;

import io.millrace.support.Api;
import io.quarkus.test.junit.QuarkusTest;

/** Who may do what, on every route that there is, and whose jobs are seen. */
@QuarkusTest
class RightsTest extends GuardedApp {

    private static final Set<String> EVERYBODY = Set.of();
    private static final Set<String> LOOK = Set.of("producer", "viewer", "operator", "admin");
    private static final Set<String> SUBMIT = Set.of("producer", "admin");
    private static final Set<String> MEND = Set.of("producer", "operator", "admin");
    private static final Set<String> ADMIN = Set.of("admin");

    /** The rule of each route. A new route is missing here until somebody has thought about it. */
    private static final Map<String, Set<String>> RULES = Map.ofEntries(
            Map.entry("POST /v1/jobs", SUBMIT), Map.entry("POST /v1/jobs/bulk", SUBMIT),
            Map.entry("GET /v1/jobs", LOOK), Map.entry("GET /v1/jobs/{id}", LOOK),
            Map.entry("POST /v1/jobs/{id}/cancel", MEND), Map.entry("POST /v1/jobs/{id}/retry", MEND),
            Map.entry("GET /v1/jobs/{id}/artifacts/{name}", LOOK), Map.entry("GET /v1/dead-letters", LOOK),
            Map.entry("GET /v1/job-types", LOOK),
            Map.entry("POST /v1/api-keys", ADMIN), Map.entry("GET /v1/api-keys", ADMIN),
            Map.entry("DELETE /v1/api-keys/{id}", ADMIN),
            Map.entry("POST /v1/accounts", ADMIN), Map.entry("GET /v1/accounts", ADMIN),
            Map.entry("DELETE /v1/accounts/{id}", ADMIN),
            Map.entry("POST /processJob", SUBMIT), Map.entry("GET /api/status/{jobId}", LOOK),
            Map.entry("POST /jobs", SUBMIT), Map.entry("GET /jobs/{id}", LOOK),
            Map.entry("GET /health", LOOK), Map.entry("POST /addJob", SUBMIT), Map.entry("GET /failedJobs", LOOK),
            Map.entry("POST /signup", EVERYBODY), Map.entry("POST /login", EVERYBODY),
            Map.entry("POST /refreshToken", EVERYBODY));

    private Set<String> routes() throws Exception {
        Api management = new Api("http://localhost:" + setting("quarkus.management.test-port"));
        JsonNode paths = management.get("/q/openapi?format=json").json().path("paths");
        Set<String> routes = new TreeSet<>();
        paths.fields().forEachRemaining(path -> path.getValue().fieldNames().forEachRemaining(method -> {
            if (Set.of("get", "post", "put", "delete", "patch", "head", "options").contains(method)) {
                routes.add(method.toUpperCase(java.util.Locale.ROOT) + " " + path.getKey());
            }
        }));
        return routes;
    }

    private Api.Answer call(String route, String id, String... headers) {
        String[] parts = route.split(" ");
        String path = parts[1].replace("{id}", id).replace("{jobId}", id).replace("{name}", "a.jpg");
        return parts[0].equals("POST") ? api.post(path, "{\"no\":1}", headers) : api.send(parts[0], path, headers);
    }

    @Test
    void every_route_has_a_rule() throws Exception {
        assertThat(routes()).isEqualTo(new TreeSet<>(RULES.keySet()));
    }

    @Test
    void without_a_token_only_the_doors_are_open() throws Exception {
        for (String route : routes()) {
            int status = call(route, UUID.randomUUID().toString()).status();
            if (RULES.get(route).equals(EVERYBODY)) {
                assertThat(status).as(route).isEqualTo(400);
            } else {
                assertThat(status).as(route).isEqualTo(401);
            }
        }
    }

    @Test
    void each_group_may_do_what_its_rule_says_and_nothing_else() throws Exception {
        List<String> wrong = new ArrayList<>();
        int checked = 0;
        for (String group : LOOK) {
            String key = keyOf(List.of(group));
            for (String route : routes()) {
                boolean isAllowed = RULES.get(route).equals(EVERYBODY) || RULES.get(route).contains(group);
                int status = call(route, UUID.randomUUID().toString(), bearer(key)).status();
                if (status == 401 || (status == 403) == isAllowed) {
                    wrong.add(group + " " + route + " " + status);
                }
                checked++;
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(checked).isEqualTo(4 * RULES.size());
    }

    @Test
    void tricks_with_the_path_or_the_method_open_nothing() {
        String viewer = keyOf(List.of("viewer"));
        Map<String, Integer> opened = new LinkedHashMap<>();
        for (String path : List.of("/v1/api-keys/", "/v1//api-keys", "//v1/api-keys", "/v1/api-keys;x=1", "/V1/API-KEYS",
                "/v1/./api-keys", "/v1/jobs/../api-keys", "/v1/api%2Dkeys", "/v1/%61pi-keys", "/v1/api-keys%2f",
                "/v1/api-keys?x")) {
            for (String method : List.of("GET", "HEAD", "POST", "OPTIONS")) {
                int status = api.send(method, path, bearer(viewer)).status();
                boolean isHarmless = status >= 400 || method.equals("OPTIONS");
                if (!isHarmless) {
                    opened.put(method + " " + path, status);
                }
            }
        }
        for (String header : List.of("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")) {
            int status = api.get("/v1/api-keys/" + UUID.randomUUID(), "Authorization", "Bearer " + viewer, header, "DELETE")
                    .status();
            if (status != 405 && status != 404 && status != 403) {
                opened.put(header, status);
            }
        }
        assertThat(opened).isEmpty();
    }

    @Test
    void a_second_tenant_sees_nothing_of_the_first_on_any_route() throws Exception {
        String mine = signUp(name()).access();
        String admin = adminToken();
        String foreign = enqueue(admin);
        List<String> withIds = routes().stream().filter(route -> route.contains("{")).toList();
        assertThat(withIds).hasSizeGreaterThanOrEqualTo(8);

        for (String route : withIds) {
            if (RULES.get(route).contains("producer")) {
                Api.Answer unknown = call(route, UUID.randomUUID().toString(), bearer(mine));
                Api.Answer theirs = callValid(route, foreign, mine);
                assertThat(theirs.status()).as(route + " " + theirs).isEqualTo(404);
                if (!route.contains("retry")) {
                    assertThat(unknown.status()).as(route).isEqualTo(404);
                }
            }
        }
        assertThat(api.get("/v1/jobs/" + foreign, bearer(admin)).json().path("state").asText()).isEqualTo("SCHEDULED");
    }

    private Api.Answer callValid(String route, String id, String token) {
        String[] parts = route.split(" ");
        String path = parts[1].replace("{id}", id).replace("{jobId}", id).replace("{name}", "a.jpg");
        return parts[0].equals("POST") ? api.post(path, "{}", bearer(token)) : api.send(parts[0], path, bearer(token));
    }

    @Test
    void lists_and_cursors_stay_within_the_tenant() throws Exception {
        String mine = signUp(name()).access();
        String admin = adminToken();
        for (int i = 0; i < 3; i++) {
            enqueue(admin);
        }
        String cursor = api.get("/v1/jobs?limit=1", bearer(admin)).json().path("nextCursor").asText();
        assertThat(cursor).isNotBlank();
        assertThat(api.get("/v1/jobs", bearer(mine)).json().path("data")).isEmpty();
        assertThat(api.get("/v1/jobs?cursor=" + cursor, bearer(mine)).json().path("data")).isEmpty();
        assertThat(api.get("/v1/dead-letters", bearer(mine)).json().path("data")).isEmpty();

        String own = enqueue(mine);
        JsonNode listed = api.get("/v1/jobs", bearer(mine)).json().path("data");
        assertThat(listed).hasSize(1);
        assertThat(listed.path(0).path("id").asText()).isEqualTo(own);
        assertThat(api.get("/v1/jobs/" + own, bearer(admin)).status()).as("not even for another tenant's admin").isEqualTo(404);
    }

    @Test
    void an_admin_sees_and_ends_nothing_of_another_tenant() {
        String admin = adminToken();
        Api.Answer made = api.post("/v1/api-keys", "{\"name\":\"theirs\",\"groups\":[\"admin\"]}", bearer(admin));
        String id = made.json().path("id").asText();
        query("update api_key set tenant = 'elsewhere' where id = '" + id + "' returning 1");
        String elsewhere = made.json().path("key").asText();

        assertThat(api.get("/v1/api-keys", bearer(admin)).body()).doesNotContain(id);
        assertThat(api.send("DELETE", "/v1/api-keys/" + id, bearer(admin)).status()).isEqualTo(404);
        assertThat(api.get("/v1/accounts", bearer(elsewhere)).json().path("data")).isEmpty();
    }

    @Test
    void the_tenant_is_not_taken_from_the_body() {
        String mine = signUp(name()).access();
        Api.Answer refused = api.post("/v1/jobs", "{\"type\":\"echo\",\"tenant\":\"default\"}", bearer(mine));
        assertThat(refused.status()).isEqualTo(400);
        String id = api.post("/v1/jobs", "{\"type\":\"echo\"}", "Authorization", "Bearer " + mine, "X-Tenant", "default").json()
                .path("id").asText();
        assertThat(query("select tenant from job where id = '" + id + "'")).isNotEqualTo("default");
    }
}
