package io.millrace.component;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import com.fasterxml.jackson.databind.JsonNode;

import io.millrace.support.Api;
import io.millrace.support.TestServers;
import io.quarkus.test.junit.QuarkusTest;

/** What callers learn and change about themselves. */
@QuarkusTest
class MeTest extends GuardedApp {
    private static final String NEW_PASSWORD = "staple battery horse";

    private static String change(String current, String next) {
        return "{\"currentPassword\":" + Api.quoted(current) + ",\"newPassword\":" + Api.quoted(next) + "}";
    }

    private Api.Answer changePassword(String token, String current, String next) {
        return api.post("/v1/me/password", change(current, next), bearer(token));
    }

    private static void assertProblem(Api.Answer answer, int status, String name) {
        assertThat(answer.status()).as(answer.toString()).isEqualTo(status);
        assertThat(answer.json().path("type").asText()).isEqualTo("urn:millrace:problem:" + name);
    }

    @Test
    void a_caller_learns_who_they_are() {
        String name = name();
        JsonNode me = api.get("/v1/me", bearer(signUp(name).access())).json();
        assertThat(me.path("name").asText()).isEqualTo(name);
        assertThat(me.path("kind").asText()).isEqualTo("user");
        assertThat(me.path("tenant").asText()).isEqualTo(query("select tenant from account where username = '" + name + "'"));
        assertThat(me.path("groups")).hasSize(1).first()
                .isEqualTo(com.fasterxml.jackson.databind.node.TextNode.valueOf("producer"));

        JsonNode key = api.get("/v1/me", bearer(keyOf(List.of("viewer", "operator")))).json();
        assertThat(key.toString())
                .isEqualTo(
                        "{\"kind\":\"api-key\",\"name\":\"key:test\",\"tenant\":\"default\",\"groups\":[\"operator\",\"viewer\"]}");
    }

    @Test
    void another_password_ends_all_other_sessions_and_gives_a_new_one() {
        String name = name();
        Login first = signUp(name);
        Login other = Login.of(logIn(name, PASSWORD));

        Api.Answer changed = changePassword(first.access(), PASSWORD, NEW_PASSWORD);
        assertThat(changed.status()).as(changed.toString()).isEqualTo(200);
        assertThat(changed.header("Cache-Control")).contains("no-store");
        assertThat(refresh(first.refresh()).status()).isEqualTo(401);
        assertThat(refresh(other.refresh()).status()).isEqualTo(401);
        assertThat(refresh(changed.json().path("refreshToken").asText()).status()).isEqualTo(200);
        assertThat(api.get("/v1/me", bearer(changed.json().path("accessToken").asText())).status()).isEqualTo(200);
        assertThat(logIn(name, PASSWORD).status()).isEqualTo(401);
        assertThat(logIn(name, NEW_PASSWORD).status()).isEqualTo(200);
        assertThat(query(
                "select details ->> 'sessionsEnded' from audit where action = 'password-change' and actor = '" + name + "'"))
                .isEqualTo("2");
    }

    @Test
    void a_wrong_password_changes_nothing_and_counts_as_a_failed_login() {
        String name = name();
        Login login = signUp(name);
        for (int i = 0; i < 10; i++) {
            assertProblem(changePassword(login.access(), "guess " + i, NEW_PASSWORD), 403, "wrong-password");
        }
        assertProblem(changePassword(login.access(), PASSWORD, NEW_PASSWORD), 429, "too-many-tries");
        assertThat(logIn(name, PASSWORD).status()).as("the tries are those of the name").isEqualTo(429);
        assertThat(refresh(login.refresh()).status()).isEqualTo(200);
    }

    @Test
    void of_two_changes_at_once_one_is_made() throws Exception {
        String name = name();
        String token = signUp(name).access();
        List<Callable<Integer>> changes = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            String next = NEW_PASSWORD + i;
            changes.add(() -> changePassword(token, PASSWORD, next).status());
        }
        ExecutorService callers = Executors.newFixedThreadPool(4);
        try {
            List<Integer> statuses = new ArrayList<>();
            for (Future<Integer> answer : callers.invokeAll(changes)) {
                statuses.add(answer.get());
            }
            assertThat(statuses).containsOnlyOnce(200).containsOnly(200, 403);
        } finally {
            callers.shutdownNow();
        }
    }

    @Test
    void a_login_that_was_under_way_with_the_old_password_comes_too_late() throws Exception {
        String name = name();
        signUp(name);
        CompletableFuture<Api.Answer> login;
        try (Connection change = TestServers.connect(setting("millrace.database.url"));
                Statement statement = change.createStatement()) {
            change.setAutoCommit(false);
            statement.execute("update account set password_hash = 'another one' where username = '" + name + "'");
            login = api.postAsync("/login", credentials(name, PASSWORD));
            await().until(() -> query("select count(*) from pg_stat_activity where wait_event_type = 'Lock'"), "1"::equals);
            change.commit();
        }
        assertThat(login.join().status()).isEqualTo(401);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"{\"currentPassword\":\"12345678\",\"newPassword\":\"short\"}|/newPassword",
            "{\"currentPassword\":\"12345678\"}|/newPassword",
            "{\"currentPassword\":1,\"newPassword\":\"12345678\"}|/currentPassword",
            "{\"currentPassword\":\"a\",\"newPassword\":\"12345678\",\"username\":\"root\"}|/username"})
    void what_is_no_change_is_refused(String body, String path) {
        Api.Answer answer = api.post("/v1/me/password", body, bearer(signUp(name()).access()));
        assertProblem(answer, 400, "invalid-request");
        assertThat(answer.json().path("errors").path(0).path("path").asText()).isEqualTo(path);
    }

    @Test
    void a_key_has_no_password_and_no_session() {
        String key = keyOf(List.of("admin"));
        assertProblem(changePassword(key, PASSWORD, NEW_PASSWORD), 403, "no-account");
        assertProblem(api.post("/v1/me/logout", "{}", bearer(key)), 403, "no-account");
    }

    @Test
    void an_account_that_was_deleted_has_no_password_to_change_though_its_token_lives_on() {
        String name = name();
        String token = signUp(name).access();
        query("delete from account where username = '" + name + "' returning 1");
        assertProblem(changePassword(token, PASSWORD, NEW_PASSWORD), 403, "wrong-password");
        assertThat(api.post("/v1/me/logout", "{}", bearer(token)).status()).isEqualTo(204);
    }

    @Test
    void a_logout_ends_one_session_or_all_and_nobody_elses() {
        String name = name();
        Login first = signUp(name);
        Login second = Login.of(logIn(name, PASSWORD));
        Login third = Login.of(logIn(name, PASSWORD));
        Login stranger = signUp(name());

        String one = "{\"refreshToken\":" + Api.quoted(first.refresh()) + "}";
        assertThat(api.post("/v1/me/logout", one, bearer(stranger.access())).status()).isEqualTo(204);
        first = Login.of(refresh(first.refresh()));
        one = "{\"refreshToken\":" + Api.quoted(first.refresh()) + "}";
        assertThat(api.post("/v1/me/logout", one, bearer(second.access())).status()).isEqualTo(204);
        assertThat(refresh(first.refresh()).status()).isEqualTo(401);
        second = Login.of(refresh(second.refresh()));

        assertThat(api.post("/v1/me/logout", "{}", bearer(third.access())).status()).isEqualTo(204);
        assertThat(refresh(second.refresh()).status()).isEqualTo(401);
        assertThat(refresh(third.refresh()).status()).isEqualTo(401);
        assertThat(refresh(stranger.refresh()).status()).isEqualTo(200);
        assertThat(
                query("select string_agg(details ->> 'sessionsEnded', ' ' order by id) from audit where action = 'logout' and"
                        + " actor = '" + name + "'"))
                .isEqualTo("1 2");
    }
}
