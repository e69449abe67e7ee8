package io.millrace.component;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;

import org.junit.jupiter.api.Test;

import com.fasterxml.jackson.databind.JsonNode;

import io.millrace.support.Api;
import io.millrace.support.RawHttp;
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
            Map.entry("DELETE /v1/accounts/{id}", ADMIN), Map.entry("GET /v1/audit", ADMIN),
            Map.entry("GET /v1/me", LOOK), Map.entry("POST /v1/me/password", LOOK), Map.entry("POST /v1/me/logout", LOOK),
            Map.entry("POST /processJob", SUBMIT), Map.entry("GET /api/status/{jobId}", LOOK),
            Map.entry("POST /jobs", SUBMIT), Map.entry("GET /jobs/{id}", LOOK),
            Map.entry("GET /health", LOOK), Map.entry("POST /addJob", SUBMIT), Map.entry("GET /failedJobs", LOOK),
            Map.entry("POST /signup", EVERYBODY), Map.entry("POST /login", EVERYBODY),
            Map.entry("POST /refreshToken", EVERYBODY));

    private static Set<String> routes() {
        return ApiDocument.routes().keySet();
    }

    private Api.Answer call(String route, String id, String... headers) {
        String[] parts = route.split(" ");
        String path = parts[1].replace("{id}", id).replace("{jobId}", id).replace("{name}", "a.jpg");
        return parts[0].equals("POST") ? api.post(path, "{\"no\":1}", headers) : api.send(parts[0], path, headers);
    }

    @Test
    void every_route_has_a_rule() {
        assertThat(routes()).isEqualTo(new TreeSet<>(RULES.keySet()));
    }

    @Test
    void without_a_token_only_the_doors_are_open() {
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
    void each_group_may_do_what_its_rule_says_and_nothing_else() {
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

    /** Spelled otherwise, a path is the same route with the same rule, or none. */
    private static List<String> disguises(String path) {
        int second = path.indexOf('/', 1);
        String head = second < 0 ? path : path.substring(0, second);
        String tail = second < 0 ? "" : path.substring(second);
        String encoded = String.format("%%%02X", (int) path.charAt(1));
        return List.of(path + "/", path + "//", "/" + path, "//" + path, head + "/" + tail, path + ";x=1", head + ";x=1" + tail,
                ";" + path,
                path.toUpperCase(Locale.ROOT), path.substring(0, 2).toUpperCase(Locale.ROOT) + path.substring(2), "/." + path,
                "/x/.." + path, "/health/.." + path, "/%2e" + path, "/%2e%2e" + path, "/" + encoded + path.substring(2),
                path + "%2f",
                path + "%20", path + "%00", path + ".", path + ".json", path + "?", path + "?x", path + "#x", path + "%3f",
                path.replace("/", "%2f"), path.replace("/", "\\"), path + "/.", path + "/x/..", "/v1/jobs/.." + path,
                "http://localhost" + path);
    }

    private int raw(String method, String target, String token, String... headers) {
        List<String> lines = new ArrayList<>(List.of(headers));
        lines.add("Content-Type: application/json");
        if (token != null) {
            lines.add("Authorization: Bearer " + token);
        }
        return RawHttp.send(api.base(), method, target, lines, method.equals("POST") ? "{\"no\":1}".getBytes() : new byte[0])
                .status();
    }

    /** Of no token, and of one that may look but not do what the route does. */
    @Test
    void tricks_with_the_path_open_nothing() {
        String viewer = keyOf(List.of("viewer"));
        Map<String, Integer> opened = new TreeMap<>();
        int tried = 0;
        for (String route : routes()) {
            String[] parts = route.split(" ");
            String path = parts[1].replace("{id}", unknown()).replace("{jobId}", unknown()).replace("{name}", "a.jpg");
            if (RULES.get(route).equals(EVERYBODY)) {
                continue;
            }
            for (String disguise : disguises(path)) {
                for (String method : List.of(parts[0], "HEAD", "OPTIONS", "get", "PROPFIND", "TRACE")) {
                    for (String token : RULES.get(route).contains("viewer")
                            ? Arrays.asList((String) null)
                            : Arrays.asList(null, viewer)) {
                        if (token != null && method.equals("HEAD") && parts[0].equals("POST")) {
                            continue; // of the list at the same path, which a viewer may see
                        }
                        tried++;
                        int status = raw(method, disguise, token);
                        boolean isHarmless = status >= 400 && status < 500 || method.equals("OPTIONS") || status == 501;
                        if (!isHarmless) {
                            opened.put((token == null ? "nobody " : "viewer ") + method + " " + disguise, status);
                        }
                    }
                }
            }
        }
        assertThat(opened).isEmpty();
        assertThat(tried).isGreaterThan(5_000);
    }

    private static String unknown() {
        return UUID.randomUUID().toString();
    }

    @Test
    void a_header_does_not_make_another_method_of_a_request() {
        String producer = keyOf(List.of("producer"));
        Map<String, Integer> opened = new TreeMap<>();
        for (String route : routes()) {
            String[] parts = route.split(" ");
            if (!RULES.get(route).equals(ADMIN)) {
                continue;
            }
            String path = parts[1].replace("{id}", unknown());
            for (String header : List.of("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-URL",
                    "X-Rewrite-URL", "X-Original-Method")) {
                for (String sent : List.of("GET", "POST", "PUT", "PATCH", "HEAD")) {
                    for (String value : List.of(parts[0], path)) {
                        int status = raw(sent, path, producer, header + ": " + value);
                        int elsewhere = raw(sent, "/v1/me/logout", producer, header + ": " + value);
                        if (status != 403 && status != 405 && status != 404) {
                            opened.put(route + " by " + sent + " with " + header, status);
                        }
                        if (elsewhere != 405 && elsewhere != 400) {
                            opened.put(route + " from elsewhere by " + sent + " with " + header, elsewhere);
                        }
                    }
                }
            }
        }
        assertThat(opened).isEmpty();
    }

    @Test
    void what_a_method_that_no_route_has_is_told_is_no_more_than_the_methods() {
        for (String route : routes()) {
            String path = route.split(" ")[1].replace("{id}", unknown()).replace("{jobId}", unknown()).replace("{name}",
                    "a.jpg");
            RawHttp.Answer options = RawHttp.send(api.base(), "OPTIONS", path, List.of(), new byte[0]);
            assertThat(options.body().isEmpty() || options.status() >= 400 || options.body().matches("[A-Z, ]*"))
                    .as(route + " " + options).isTrue();
            assertThat(options.headers()).doesNotContainKeys("access-control-allow-origin");
            RawHttp.Answer head = RawHttp.send(api.base(), "HEAD", path, List.of(), new byte[0]);
            assertThat(head.body()).isEmpty();
            assertThat(head.status()).as(route).isBetween(400, 499);
        }
    }

    @Test
    void a_second_tenant_sees_nothing_of_the_first_on_any_route() {
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
    void lists_and_cursors_stay_within_the_tenant() {
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
