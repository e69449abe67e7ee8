package io.millrace.component;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import com.fasterxml.jackson.databind.JsonNode;

import io.millrace.component.ApiDocument.Route;
import io.millrace.support.Api;
import io.quarkus.test.junit.QuarkusTest;

/**
 * An admin of one tenant tries, on every route that there is, to see or change what another tenant has: jobs, attempts, files, dead
 * letters, cursors, keys of both kinds, accounts, API keys, sessions and the audit log. A route that is new fails here until somebody has
 * said what it has to do with tenants.
 */
@QuarkusTest
class TenantSweepTest extends GuardedApp {

    @FunctionalInterface
    private interface Check {
        void run(TenantSweepTest test, Route route);
    }

    private static final Map<String, Check> SWEEP = Map.ofEntries(
            entry("GET /v1/jobs/{id}", TenantSweepTest::foreignJobs),
            entry("POST /v1/jobs/{id}/cancel", TenantSweepTest::foreignJobs),
            entry("POST /v1/jobs/{id}/retry", TenantSweepTest::foreignJobs),
            entry("GET /v1/jobs/{id}/artifacts/{name}", TenantSweepTest::foreignJobs),
            entry("GET /jobs/{id}", TenantSweepTest::foreignJobs),
            entry("GET /api/status/{jobId}", TenantSweepTest::foreignJobs),
            entry("DELETE /v1/accounts/{id}", TenantSweepTest::foreignAdminRows),
            entry("DELETE /v1/api-keys/{id}", TenantSweepTest::foreignAdminRows),
            entry("GET /v1/jobs", TenantSweepTest::lists), entry("GET /v1/dead-letters", TenantSweepTest::lists),
            entry("GET /v1/audit", TenantSweepTest::lists), entry("GET /v1/accounts", TenantSweepTest::lists),
            entry("GET /v1/api-keys", TenantSweepTest::lists), entry("GET /failedJobs", TenantSweepTest::lists),
            entry("POST /v1/jobs", TenantSweepTest::handsIn), entry("POST /v1/jobs/bulk", TenantSweepTest::handsIn),
            entry("POST /jobs", TenantSweepTest::handsIn), entry("POST /processJob", TenantSweepTest::handsIn),
            entry("POST /addJob", TenantSweepTest::handsIn),
            entry("POST /v1/accounts", TenantSweepTest::makes), entry("POST /v1/api-keys", TenantSweepTest::makes),
            entry("GET /v1/me", TenantSweepTest::knowsNobodyElse), entry("POST /v1/me/password", TenantSweepTest::ownPassword),
            entry("POST /v1/me/logout", TenantSweepTest::foreignSession),
            entry("GET /v1/job-types", TenantSweepTest::knowsNobodyElse),
            entry("GET /health", TenantSweepTest::knowsNobodyElse),
            entry("POST /signup", TenantSweepTest::doors), entry("POST /login", TenantSweepTest::doors),
            entry("POST /refreshToken", TenantSweepTest::doors));

    /** A tenant with one of everything. What it has can be told from what anybody else has. */
    private record Tenant(String id, String username, Login login, String marker, List<String> jobs, String account, String key,
            String jobCursor, String auditCursor) {
        String access() {
            return login.access();
        }
    }

    private Tenant victim;
    private Tenant intruder;
    private int calls;

    @BeforeEach
    void makeTenants() {
        victim = tenant("victim-" + UUID.randomUUID());
        intruder = tenant("intruder-" + UUID.randomUUID());
    }

    private Tenant tenant(String marker) {
        String username = marker + "@example.org";
        signUp(username);
        query("update account set group_names = 'admin' where username = '" + username + "' returning 1");
        Login login = Login.of(logIn(username, PASSWORD));
        String id = query("select tenant from account where username = '" + username + "'");
        List<String> jobs = List.of(enqueue(login, keyedJob(marker)), deadLetter(login, marker), failedMail(login, marker),
                done(login, marker));
        String account = id(
                api.post("/v1/accounts", credentials(marker + "-two", PASSWORD).replace("}", ",\"groups\":[\"viewer\"]}"),
                        bearer(login.access())));
        String key = id(
                api.post("/v1/api-keys", "{\"name\":\"" + marker + "\",\"groups\":[\"viewer\"]}", bearer(login.access())));
        return new Tenant(id, username, login, marker, jobs, account, key, cursor("/v1/jobs", login),
                cursor("/v1/audit", login));
    }

    /** The same for every tenant, but for its payload. */
    private static String keyedJob(String marker) {
        return "{\"type\":\"echo\",\"delay\":\"PT1H\",\"queue\":\"swept\",\"tags\":[\"swept\"],\"uniqueKey\":\"the-one\","
                + "\"idempotencyKey\":\"the-request\",\"payload\":\"" + marker + "\"}";
    }

    private String enqueue(Login login, String job) {
        return id(api.post("/v1/jobs", job, bearer(login.access())));
    }

    private static String id(Api.Answer answer) {
        assertThat(answer.status()).as(answer.toString()).isEqualTo(201);
        return answer.json().path("id").asText();
    }

    private String deadLetter(Login login, String marker) {
        String job = enqueue(login, "{\"type\":\"fail\",\"payload\":{\"permanent\":true,\"message\":\"" + marker + "\"}}");
        awaitState(login, job, "FAILED");
        return job;
    }

    /** No mail server is set here. */
    private String failedMail(Login login, String marker) {
        String job = enqueue(login,
                "{\"type\":\"email\",\"tags\":[\"addJob\"],\"retry\":{\"maxAttempts\":1},\"payload\":{\"to\":[\""
                        + "swept@example.org\"],\"template\":\"welcome\",\"data\":{\"name\":\"" + marker + "\"}}}");
        awaitState(login, job, "FAILED");
        return job;
    }

    private String done(Login login, String marker) {
        String job = enqueue(login, "{\"type\":\"echo\",\"payload\":\"" + marker + "\"}");
        awaitState(login, job, "COMPLETED");
        query("insert into job_artifact values ('" + job + "', 'a.jpg', 'image/jpeg', '" + marker + "') returning 1");
        assertThat(api.get("/v1/jobs/" + job + "/artifacts/a.jpg", bearer(login.access())).body()).isEqualTo(marker);
        return job;
    }

    private void awaitState(Login login, String job, String state) {
        await().until(() -> api.get("/v1/jobs/" + job, bearer(login.access())).json().path("state").asText(), state::equals);
    }

    private String cursor(String path, Login login) {
        String cursor = api.get(path + "?limit=1", bearer(login.access())).json().path("nextCursor").asText();
        assertThat(cursor).isNotBlank();
        return cursor;
    }

    @Test
    void every_route_is_swept_and_none_shows_or_changes_what_another_tenant_has() {
        Map<String, Route> routes = ApiDocument.routes();
        assertThat(new TreeSet<>(SWEEP.keySet())).as("a new route needs an entry here").isEqualTo(routes.keySet());
        String before = everythingOf(victim);
        List<String> touched = new ArrayList<>();
        routes.forEach((name, route) -> {
            SWEEP.get(name).run(this, route);
            if (!everythingOf(victim).equals(before)) {
                touched.add(name);
            }
        });
        assertThat(touched).as("routes by which something of the other tenant was changed").isEmpty();
        assertThat(calls).isGreaterThan(250);
    }

    private static String everythingOf(Tenant tenant) {
        String whose = " where tenant = '" + tenant.id() + "'";
        List<String> rows = new ArrayList<>();
        for (String table : List.of("job", "account", "api_key", "audit", "idempotency_key", "effect")) {
            rows.add("select '" + table + "' || t::text as row from " + table + " t" + whose);
        }
        for (String table : List.of("job_attempt", "job_artifact")) {
            rows.add("select t::text from " + table + " t where job_id in (select id from job" + whose + ")");
        }
        rows.add("select t::text from account_session t where account_id in (select id from account" + whose + ")");
        return query("select string_agg(row, chr(10) order by row) from (" + String.join(" union all ", rows) + ") everything");
    }

    /** Sends it as it is, and again with the other tenant named wherever somebody might look for a name. */
    private List<Api.Answer> send(Route route, String path, String body, String... sent) {
        String named = path + (path.contains("?") ? "&" : "?") + "tenant=" + victim.id();
        List<Api.Answer> answers = new ArrayList<>();
        answers.add(send(route, path, body, Map.of(), sent));
        for (String header : List.of("X-Tenant", "X-Tenant-Id", "Tenant", "X-Millrace-Tenant", "X-Forwarded-User")) {
            answers.add(send(route, path, body, Map.of(header, victim.id()), sent));
        }
        Api.Answer inQuery = send(route, named, body, Map.of(), sent);
        answers.add(inQuery);
        if (body != null && body.startsWith("{")) {
            String inBody = "{\"tenant\":\"" + victim.id() + "\"" + (body.length() > 2 ? "," : "") + body.substring(1);
            Api.Answer answer = send(route, path, inBody, Map.of(), sent);
            assertThat(answer.status() == 400 || route.isOlder() || answer.status() == 404).as(route.name() + " " + answer)
                    .isTrue();
            answers.add(answer);
        }
        return answers;
    }

    /** @param sent what the other tenant has and was named in the request: the answer may repeat it */
    private Api.Answer send(Route route, String path, String body, Map<String, String> more, String... sent) {
        Map<String, String> headers = new TreeMap<>(more);
        headers.put("Authorization", "Bearer " + intruder.access());
        String[] all = headers.entrySet().stream().flatMap(header -> List.of(header.getKey(), header.getValue()).stream())
                .toArray(String[]::new);
        Api.Answer answer = route.hasBody() ? api.post(path, body, all) : api.send(route.method(), path, all);
        calls++;
        String shown = answer.body() + answer.response().headers().map();
        for (String known : sent) {
            shown = shown.replace(known, "");
        }
        List<String> secrets = new ArrayList<>(victim.jobs());
        secrets.addAll(List.of(victim.id(), victim.marker(), victim.account(), victim.key()));
        assertThat(shown).as(route.name() + " " + path).doesNotContain(secrets);
        assertThat(answer.status()).as(route.name() + " " + path + " " + answer).isLessThan(500);
        return answer;
    }

    private void foreignJobs(Route route) {
        for (String id : victim.jobs()) {
            foreign(route, id);
        }
    }

    private void foreignAdminRows(Route route) {
        foreign(route, victim.account());
        foreign(route, victim.key());
    }

    private void foreign(Route route, String id) {
        String path = route.path().replace("{id}", id).replace("{jobId}", id).replace("{name}", "a.jpg");
        String query = route.queryParameters().contains("expand") ? "?expand=attempts&wait=0s" : "";
        for (Api.Answer answer : send(route, path + query, "{}", id)) {
            assertThat(answer.status()).as(route.name() + " " + answer).isIn(404, 400);
        }
        assertThat(send(route, path, "{}", Map.of(), id).status()).as(route.name()).isEqualTo(404);
    }

    /** Its own rows are seen, the others' not, whatever is asked for and wherever the page starts. */
    private void lists(Route route) {
        List<String> queries = new ArrayList<>(List.of(""));
        for (String parameter : route.queryParameters()) {
            for (String value : List.of(victim.id(), victim.jobs().get(0), victim.key(), victim.username(), "swept", "echo")) {
                queries.add("?" + parameter + "=" + value);
            }
        }
        if (route.queryParameters().contains("cursor")) {
            queries.add("?cursor=" + victim.jobCursor());
            queries.add("?cursor=" + victim.auditCursor());
        }
        int own = 0;
        for (String query : queries) {
            for (Api.Answer answer : send(route, route.path() + query, null, victim.id(), victim.jobs().get(0), victim.key(),
                    victim.marker())) {
                JsonNode listed = answer.json().isArray() ? answer.json() : answer.json().path("data");
                own += answer.status() == 200 ? listed.size() : 0;
            }
        }
        assertThat(own).as(route.name() + " shows the caller's own").isPositive();
    }

    /** The keys that the other tenant's job has make no difference, neither to the one nor to the other. */
    private void handsIn(Route route) {
        Map<String, String> bodies = Map.of("POST /v1/jobs", keyedJob(intruder.marker()), "POST /v1/jobs/bulk",
                "[" + keyedJob(intruder.marker()) + "]", "POST /jobs", "{\"type\":\"echo\",\"payload\":1}", "POST /processJob",
                "{\"count\":1,\"visits\":[{\"store_id\":\"s\",\"image_url\":[\"http://localhost:1/a.jpg\"],\"visit_time\":\"t\"}]}",
                "POST /addJob", "{\"email\":\"swept@example.org\",\"name\":\"" + intruder.marker() + "\"}");
        List<String> ids = new ArrayList<>();
        for (Api.Answer answer : send(route, route.path(), bodies.get(route.name()))) {
            List<String> found = new ArrayList<>();
            for (String field : List.of("id", "jobId", "job_id")) {
                found.addAll(answer.json().findValuesAsText(field));
            }
            assertThat(found.size()).as(answer.toString()).isEqualTo(answer.status() < 300 ? 1 : 0);
            ids.addAll(found);
        }
        assertThat(ids).isNotEmpty().doesNotContainAnyElementsOf(victim.jobs());
        for (String id : ids) {
            assertThat(query("select tenant from job where id = '" + id + "'")).isEqualTo(intruder.id());
        }
        assertThat(query("select count(*) from job where unique_key = 'the-one' and tenant in ('" + victim.id() + "', '"
                + intruder.id() + "')")).as("one job for each tenant").isEqualTo("2");
        assertThat(
                query("select count(*) from idempotency_key where key = 'the-request' and tenant in ('" + victim.id() + "', '"
                        + intruder.id() + "')"))
                .isEqualTo("2");
    }

    private void makes(Route route) {
        String name = "made-" + UUID.randomUUID();
        String body = route.path().endsWith("accounts")
                ? credentials(name, PASSWORD).replace("}", ",\"groups\":[\"admin\"]}")
                : "{\"name\":\"" + name + "\",\"groups\":[\"admin\"]}";
        assertThat(send(route, route.path(), body)).extracting(Api.Answer::status).contains(201).doesNotContain(200);
        String found = query(
                "select string_agg(distinct tenant, ' ') from (select tenant from account where username = '" + name
                        + "' union all select tenant from api_key where name = '" + name + "') made");
        assertThat(found).isEqualTo(intruder.id());
    }

    private void knowsNobodyElse(Route route) {
        Api.Answer answer = send(route, route.path(), null).get(0);
        assertThat(answer.status()).isEqualTo(200);
        if (route.path().endsWith("/me")) {
            assertThat(answer.json().path("tenant").asText()).isEqualTo(intruder.id());
        }
    }

    private void ownPassword(Route route) {
        JsonNode wrong = send(route, route.path(),
                "{\"currentPassword\":\"not it, sorry\",\"newPassword\":\"12345678\",\"username\":\""
                        + victim.username() + "\"}",
                Map.of(), victim.username()).json();
        assertThat(wrong.path("errors").path(0).path("path").asText()).isEqualTo("/username");
    }

    private void foreignSession(Route route) {
        send(route, route.path(), "{\"refreshToken\":\"" + victim.login().refresh() + "\"}");
    }

    /** Whoever comes in comes into a tenant of their own, or the one they have. */
    private void doors(Route route) {
        String name = name();
        String body = switch (route.path()) {
            case "/signup" -> credentials(name, PASSWORD);
            case "/login" -> credentials(intruder.username(), PASSWORD);
            default -> "{\"refresh_token\":\"" + intruder.login().refresh() + "\"}";
        };
        for (Api.Answer answer : send(route, route.path(), body)) {
            if (answer.status() < 300) {
                String tenant = api.get("/v1/me", bearer(Login.of(answer).access())).json().path("tenant").asText();
                assertThat(tenant).isNotEqualTo(victim.id()).isNotBlank();
            }
        }
    }
}
