package io.millrace.component;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import com.fasterxml.jackson.databind.JsonNode;

import io.millrace.support.AccountsOn;
import io.millrace.support.Api;
import io.quarkus.test.junit.QuarkusTest;

/** Who did what: what is written, and who reads it. */
@QuarkusTest
class AuditTest extends GuardedApp {
    private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";

    /** An admin of a tenant of their own, whose log nobody else writes to. */
    private String tenantAdmin(String name) {
        signUp(name);
        query("update account set group_names = 'admin' where username = '" + name + "' returning 1");
        return Login.of(logIn(name, PASSWORD)).access();
    }

    private List<JsonNode> log(String token, String filter) {
        Api.Answer answer = api.get("/v1/audit" + filter, bearer(token));
        assertThat(answer.status()).as(answer.toString()).isEqualTo(200);
        List<JsonNode> lines = new ArrayList<>();
        answer.json().path("data").forEach(lines::add);
        return lines;
    }

    private static List<String> told(List<JsonNode> lines) {
        return lines.stream()
                .map(line -> line.path("actor").path("kind").asText() + " " + line.path("actor").path("name").asText()
                        + " " + line.path("action").asText() + " " + line.path("outcome").asText())
                .toList();
    }

    @Test
    void what_people_and_programs_do_is_told_newest_first() {
        String name = name();
        String admin = tenantAdmin(name);
        String key = api.post("/v1/api-keys", "{\"name\":\"importer\",\"groups\":[\"producer\"]}", bearer(admin)).json()
                .path("key").asText();
        String job = enqueue(key);
        assertThat(api.post("/v1/jobs/" + job + "/cancel", "", "Authorization", "Bearer " + key, "traceparent",
                "00-" + TRACE + "-b7ad6b7169203331-01").status()).isEqualTo(200);
        assertThat(api.post("/v1/jobs/" + job + "/retry", "{\"payload\":1}", bearer(admin)).status()).isEqualTo(200);

        List<JsonNode> lines = log(admin, "");
        assertThat(told(lines)).containsExactly("user " + name + " job-retry done", "api-key key:importer job-cancel done",
                "user " + name + " api-key-make done", "user " + name + " login done", "user " + name + " sign-up done");
        JsonNode cancel = lines.get(1);
        assertThat(cancel.path("target").asText()).isEqualTo(job);
        assertThat(cancel.path("address").asText()).isEqualTo("127.0.0.1");
        assertThat(cancel.path("requestId").asText()).isEqualTo(TRACE);
        assertThat(cancel.path("actor").path("id").asText()).isEqualTo(lines.get(2).path("target").asText());
        assertThat(Instant.parse(cancel.path("at").asText())).isBetween(Instant.now().minusSeconds(60), Instant.now());
        assertThat(lines.get(0).path("details").path("newPayload").asBoolean()).isTrue();
        assertThat(lines.get(2).path("details").toString()).isEqualTo("{\"name\": \"importer\", \"groups\": \"producer\"}"
                .replace(": ", ":").replace(", ", ","));
    }

    @Test
    void accounts_and_keys_are_told_when_they_come_and_when_they_go() {
        String admin = tenantAdmin(name());
        String viewer = name();
        String account = api.post("/v1/accounts", credentials(viewer, PASSWORD).replace("}", ",\"groups\":[\"viewer\"]}"),
                bearer(admin)).json().path("id").asText();
        String key = api.post("/v1/api-keys", "{\"name\":\"k\",\"groups\":[\"viewer\"]}", bearer(admin)).json().path("id")
                .asText();
        for (String path : List.of("/v1/api-keys/" + key, "/v1/accounts/" + account)) {
            assertThat(api.send("DELETE", path, bearer(admin)).status()).isEqualTo(204);
            assertThat(api.send("DELETE", path, bearer(admin)).status()).isEqualTo(404);
        }
        assertThat(log(admin, "?limit=4")).extracting(line -> line.path("action").asText() + " " + line.path("target").asText())
                .containsExactly("account-delete " + account, "api-key-revoke " + key, "api-key-make " + key,
                        "account-make " + account);
        assertThat(log(admin, "?target=" + account)).allSatisfy(
                line -> assertThat(line.path("details").path("username").asText()).isEqualTo(viewer)).hasSize(2);
    }

    @Test
    void the_first_admin_was_made_by_the_system() {
        assertThat(query(
                "select count(*) from audit where actor_kind = 'system' and action = 'account-make' and tenant = 'default'"
                        + " and details ->> 'username' = '" + AccountsOn.ADMIN + "' and details ->> 'groups' = 'admin'"))
                .isEqualTo("1");
    }

    @Test
    void a_failed_login_is_told_to_the_tenant_of_the_account_and_one_with_no_name_to_nobody() {
        String name = name();
        String admin = tenantAdmin(name);
        String nobody = name();
        int before = Integer.parseInt(query("select count(*) from audit where tenant is null"));
        logIn(name, "not the password");
        logIn(nobody, "not the password");

        JsonNode line = log(admin, "").get(0);
        assertThat(told(List.of(line))).containsExactly("anybody anybody login refused");
        assertThat(line.path("details").path("username").asText()).isEqualTo(name);
        assertThat(line.toString()).doesNotContain("not the password");
        assertThat(query("select string_agg(a::text, ' ') from audit a")).as("it may be a password in the wrong field")
                .doesNotContain(nobody);
        int after = Integer.parseInt(query("select count(*) from audit where tenant is null"));
        assertThat(after).isBetween(before, before + 1); // as many a minute as the budget has left
    }

    @Test
    void a_flood_of_failed_logins_writes_only_so_many_rows() {
        int perMinute = Integer.parseInt(setting("millrace.audit.failures-per-minute"));
        String failures = "select count(*) from audit where action = 'login' and outcome = 'refused' and tenant is not null"
                + " and at > now() - interval '1 minute'";
        int flood = 0;
        for (int account = 0; account < perMinute / 5; account++) {
            String name = name();
            signUp(name);
            List<CompletableFuture<Api.Answer>> asked = new ArrayList<>();
            for (int i = 0; i < 8; i++, flood++) {
                asked.add(api.postAsync("/login", credentials(name, "guess " + i)));
            }
            asked.forEach(answer -> assertThat(answer.join().status()).isEqualTo(401));
        }
        assertThat(flood).isGreaterThan(perMinute);
        // The window of the budget is not that of the query: at worst the end of one and the start of the next.
        assertThat(Integer.parseInt(query(failures))).isBetween(1, 2 * perMinute);
        Api management = new Api("http://localhost:" + setting("quarkus.management.test-port"));
        assertThat(management.get("/q/metrics").body().lines().filter(line -> line.startsWith("millrace_audit_left_out_total"))
                .map(line -> Double.parseDouble(line.split(" ")[1])).findFirst().orElseThrow())
                .isGreaterThanOrEqualTo(flood - 2.0 * perMinute);
    }

    @Test
    void a_token_that_comes_twice_is_told_once() {
        String name = name();
        String admin = tenantAdmin(name);
        Login stolen = Login.of(logIn(name, PASSWORD));
        refresh(stolen.refresh());
        refresh(stolen.refresh());
        refresh(stolen.refresh());
        List<JsonNode> lines = log(admin, "?action=token-reuse");
        assertThat(told(lines)).containsExactly("anybody anybody token-reuse refused");
        assertThat(lines.get(0).path("details").path("username").asText()).isEqualTo(name);
    }

    @Test
    void what_changed_nothing_is_not_told_and_of_many_at_once_the_one_that_did() throws Exception {
        String admin = tenantAdmin(name());
        String job = api.post("/v1/jobs", "{\"type\":\"echo\",\"queue\":\"no-worker-reads-this\"}", bearer(admin)).json()
                .path("id").asText();
        assertThat(api.post("/v1/jobs/" + job + "/retry", "", bearer(admin)).status()).isEqualTo(409);
        assertThat(api.post("/v1/jobs/" + UUID.randomUUID() + "/cancel", "", bearer(admin)).status()).isEqualTo(404);
        assertThat(log(admin, "?target=" + job)).isEmpty();

        api.post("/v1/jobs/" + job + "/cancel", "", bearer(admin));
        assertThat(api.post("/v1/jobs/" + job + "/cancel", "", bearer(admin)).status()).as("it is cancelled").isEqualTo(200);
        ExecutorService callers = Executors.newFixedThreadPool(10);
        try {
            callers.invokeAll(java.util.Collections.nCopies(10,
                    () -> api.post("/v1/jobs/" + job + "/retry", "", bearer(admin)).status()));
        } finally {
            callers.shutdownNow();
        }
        assertThat(log(admin, "?target=" + job)).extracting(line -> line.path("action").asText())
                .containsExactly("job-retry", "job-cancel");
    }

    @Test
    void a_cancel_that_the_worker_has_yet_to_hear_of_is_told_as_a_request() {
        String admin = tenantAdmin(name());
        String job = api
                .post("/v1/jobs", "{\"type\":\"sleep\",\"payload\":{\"ms\":600000},\"timeout\":\"PT20M\"}", bearer(admin))
                .json().path("id").asText();
        await().until(() -> api.get("/v1/jobs/" + job, bearer(admin)).json().path("state").asText(), "PROCESSING"::equals);
        assertThat(api.post("/v1/jobs/" + job + "/cancel", "", bearer(admin)).status()).isEqualTo(202);
        assertThat(log(admin, "?target=" + job + "&action=job-cancel").get(0).path("outcome").asText()).isEqualTo("requested");
    }

    /** The audit row cannot be written: then nothing is done. */
    @Test
    void what_cannot_be_told_is_not_done() {
        String admin = tenantAdmin(name());
        String job = enqueue(admin);
        String name = name();
        execute("create function no_audit() returns trigger language plpgsql as $$ begin if new.target is not null or"
                + " new.details is not null then raise exception 'no room'; end if; return new; end $$");
        execute("create trigger no_audit before insert on audit for each row execute function no_audit()");
        try {
            assertThat(api.post("/v1/jobs/" + job + "/cancel", "", bearer(admin)).status()).isEqualTo(500);
            assertThat(api.post("/v1/accounts", credentials(name, PASSWORD).replace("}", ",\"groups\":[\"viewer\"]}"),
                    bearer(admin)).status()).isEqualTo(500);
        } finally {
            execute("drop trigger no_audit on audit");
            execute("drop function no_audit");
        }
        assertThat(api.get("/v1/jobs/" + job, bearer(admin)).json().path("state").asText()).isEqualTo("SCHEDULED");
        assertThat(query("select count(*) from account where username = '" + name + "'")).isEqualTo("0");
    }

    @Test
    void a_page_is_followed_by_the_next_one_and_a_time_bounds_them() {
        String admin = tenantAdmin(name());
        for (int i = 0; i < 5; i++) {
            api.post("/v1/jobs/" + enqueue(admin) + "/cancel", "", bearer(admin));
        }
        List<String> all = log(admin, "").stream().map(line -> line.path("id").asText()).toList();
        assertThat(all).hasSize(7);
        List<String> paged = new ArrayList<>();
        String cursor = "";
        do {
            JsonNode page = api.get("/v1/audit?limit=2" + cursor, bearer(admin)).json();
            page.path("data").forEach(line -> paged.add(line.path("id").asText()));
            cursor = page.path("nextCursor").isNull() ? "" : "&cursor=" + page.path("nextCursor").asText();
        } while (!cursor.isEmpty());
        assertThat(paged).isEqualTo(all);

        List<JsonNode> lines = log(admin, "");
        String third = lines.get(2).path("at").asText();
        assertThat(log(admin, "?until=" + third)).hasSizeLessThan(7).allSatisfy(
                line -> assertThat(Instant.parse(line.path("at").asText())).isBefore(Instant.parse(third)));
        assertThat(log(admin, "?since=" + third)).hasSizeGreaterThanOrEqualTo(3).allSatisfy(
                line -> assertThat(Instant.parse(line.path("at").asText())).isAfterOrEqualTo(Instant.parse(third)));
        assertThat(log(admin, "?since=" + third + "&until=" + third)).isEmpty();
        assertThat(log(admin, "?actor=somebody-else")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"limit=0,?limit", "limit=201,?limit", "limit=x,?limit", "since=yesterday,?since", "until=1e9,?until",
            "action=login2,?action", "cursor=x,?cursor", "actor=%00,?actor", "target=%00,?target", "tenant=default,?tenant"})
    void what_cannot_be_asked_is_refused_with_its_name(String parameter, String path) {
        Api.Answer answer = api.get("/v1/audit?" + parameter, bearer(adminToken()));
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.json().path("errors").path(0).path("path").asText()).isEqualTo(path);
    }

    /** What looks like another line, or like markup, comes back as the text that it is. */
    @ParameterizedTest
    @ValueSource(strings = {"a\\\", \\\"actor\\\": {\\\"kind\\\": \\\"system\\\"}", "<script>alert(1)</script>",
            "'); drop table audit; --",
            "${jndi:ldap://x}"})
    void a_name_forges_nothing(String jsonName) {
        String admin = tenantAdmin(name());
        Api.Answer made = api.post("/v1/api-keys", "{\"name\":\"" + jsonName + "\",\"groups\":[\"producer\"]}", bearer(admin));
        assertThat(made.status()).as(made.toString()).isEqualTo(201);
        String key = made.json().path("key").asText();
        api.post("/v1/jobs/" + enqueue(key) + "/cancel", "", bearer(key));
        JsonNode line = log(admin, "").get(0);
        assertThat(line.path("actor").path("name").asText()).isEqualTo("key:" + made.json().path("name").asText());
        assertThat(line.path("actor").path("kind").asText()).isEqualTo("api-key");
    }

    @Test
    void nothing_secret_is_written() {
        String admin = tenantAdmin(name());
        String name = name();
        String key = api.post("/v1/api-keys", "{\"name\":\"s\",\"groups\":[\"producer\"]}", bearer(admin)).json().path("key")
                .asText();
        Login login = signUp(name);
        api.post("/v1/me/password", "{\"currentPassword\":\"" + PASSWORD + "\",\"newPassword\":\"another one here\"}",
                bearer(login.access()));
        logIn(name, "a wrong password!");
        String rows = query("select string_agg(a::text, ' ') from audit a");
        assertThat(rows).doesNotContain(PASSWORD, "another one here", "a wrong password!", key, key.substring(4),
                login.access(),
                login.refresh(), "argon2");
    }
}
