package io.millrace.component;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.millrace.support.AccountsOn;
import io.millrace.support.Api;
import io.quarkus.test.junit.QuarkusTest;

/** Sign-up, login, sessions, API keys. */
@QuarkusTest
class AccountsTest extends GuardedApp {

    private static void assertRefused(Api.Answer answer, int status, String error) {
        assertThat(answer.status()).as(answer.toString()).isEqualTo(status);
        assertThat(answer.json().path("error").asText()).contains(error);
        assertThat(answer.json().size()).isEqualTo(1);
    }

    @Test
    void who_signs_up_is_in_and_can_log_in_again() {
        String name = name();
        Login first = signUp(name);
        assertThat(api.get("/health", bearer(first.access())).body()).isEqualTo("Good health");

        Api.Answer again = logIn(name.toUpperCase(java.util.Locale.ROOT), PASSWORD);
        assertThat(again.status()).isEqualTo(200);
        assertThat(again.header("Cache-Control")).contains("no-store");
        assertThat(api.get("/health", bearer(Login.of(again).access())).status()).isEqualTo(200);
    }

    @Test
    void nobody_gets_in_without_a_token() {
        assertRefused(api.get("/health"), 401, "Who you are is not known");
        Api.Answer answer = api.get("/v1/jobs");
        assertThat(answer.status()).isEqualTo(401);
        assertThat(answer.mediaType()).isEqualTo("application/problem+json");
        assertThat(answer.header("WWW-Authenticate")).contains("Bearer");
        assertThat(answer.json().path("type").asText()).isEqualTo("urn:millrace:problem:unauthenticated");
    }

    @Test
    void a_username_is_given_once_whatever_its_case_and_however_many_want_it_at_once() {
        String name = name();
        List<CompletableFuture<Api.Answer>> answers = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            answers.add(api.postAsync("/signup", credentials(name, PASSWORD)));
        }
        assertThat(answers.stream().map(answer -> answer.join().status())).containsOnlyOnce(201).containsOnly(201, 409);
        assertRefused(api.post("/signup", credentials(name.toUpperCase(java.util.Locale.ROOT), PASSWORD)), 409, "taken");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "{\"username\":\"a\"}", "{\"username\":1,\"password\":\"12345678\"}", "[]", "",
            "{\"username\":\"a b\",\"password\":\"12345678\"}", "{\"username\":\"a\",\"password\":\"short\"}"})
    void what_makes_no_account_is_refused(String body) {
        assertThat(api.post("/signup", body).status()).isEqualTo(400);
    }

    @Test
    void a_wrong_name_and_a_wrong_password_get_the_same_answer_after_the_same_work() {
        String name = name();
        signUp(name);
        Api.Answer wrongPassword = logIn(name, "not the password");
        Api.Answer wrongName = logIn(name(), "not the password");
        assertRefused(wrongPassword, 401, "Wrong username or password");
        assertThat(wrongName.status()).isEqualTo(401);
        assertThat(wrongName.body()).isEqualTo(wrongPassword.body());
        assertThat(wrongName.response().headers().map()).isEqualTo(wrongPassword.response().headers().map());

        long forName = 0;
        long forPassword = 0;
        for (int i = 0; i < 6; i++) { // in turn, so that a busy machine slows both
            forName += nanos(name());
            forPassword += nanos(name);
        }
        assertThat((double) forName / forPassword).isBetween(0.4, 2.5); // without a hash it is 50 times as quick
    }

    private long nanos(String username) {
        long start = System.nanoTime();
        logIn(username, "not the password");
        return System.nanoTime() - start;
    }

    @Test
    void after_ten_wrong_passwords_not_even_the_right_one_is_taken_for_a_while() {
        String name = name();
        signUp(name);
        for (int i = 0; i < 10; i++) {
            assertThat(logIn(name, "guess " + i).status()).isEqualTo(401);
        }
        Api.Answer refused = logIn(name, PASSWORD);
        assertRefused(refused, 429, "Too many tries");
        assertThat(Integer.parseInt(refused.header("Retry-After").orElseThrow())).isBetween(1, 300);

        String unknown = name();
        for (int i = 0; i < 10; i++) {
            assertThat(logIn(unknown, "guess " + i).status()).as("a name that nobody has").isEqualTo(401);
        }
        assertThat(logIn(unknown, "guess").status()).isEqualTo(429);
    }

    @Test
    void an_address_has_a_number_of_tries_too_and_others_are_not_affected() throws IOException {
        List<Integer> statuses = new ArrayList<>();
        for (int i = 0; i <= AccountsOn.TRIES_PER_ADDRESS; i++) {
            statuses.add(refreshFrom("127.0.0.77"));
        }
        assertThat(statuses.subList(0, AccountsOn.TRIES_PER_ADDRESS)).containsOnly(401);
        assertThat(statuses.get(AccountsOn.TRIES_PER_ADDRESS)).isEqualTo(429);
        assertThat(refreshFrom("127.0.0.78")).isEqualTo(401);
    }

    private int refreshFrom(String address) throws IOException {
        String body = "{\"refresh_token\":\"made-up\"}";
        try (Socket socket = new Socket(InetAddress.getByName("127.0.0.1"), api.base().getPort(),
                InetAddress.getByName(address),
                0)) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(("POST /refreshToken HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                    + "Content-Type: application/json\r\nContent-Length: " + body.length() + "\r\n\r\n" + body)
                    .getBytes(StandardCharsets.US_ASCII));
            InputStream in = socket.getInputStream();
            return Integer.parseInt(new String(in.readAllBytes(), StandardCharsets.US_ASCII).substring(9, 12));
        }
    }

    @Test
    void a_refresh_token_is_good_for_one_use() {
        Login first = signUp(name());
        Api.Answer answer = refresh(first.refresh());
        assertThat(answer.status()).isEqualTo(200);
        Login second = Login.of(answer);
        assertThat(second.refresh()).isNotEqualTo(first.refresh());
        assertThat(api.get("/health", bearer(second.access())).status()).isEqualTo(200);
        assertThat(refresh(second.refresh()).status()).isEqualTo(200);
    }

    @Test
    void a_refresh_token_that_comes_twice_ends_its_session_for_the_thief_and_for_the_owner() {
        String name = name();
        Login stolen = signUp(name);
        Login other = Login.of(logIn(name, PASSWORD));
        Login next = Login.of(refresh(stolen.refresh()));

        assertRefused(refresh(stolen.refresh()), 401, "not valid");
        assertRefused(refresh(next.refresh()), 401, "not valid");
        assertThat(refresh(other.refresh()).status()).as("another session").isEqualTo(200);
    }

    @Test
    void of_many_who_use_a_refresh_token_at_once_at_most_one_gets_a_pair() {
        String body = "{\"refresh_token\":\"" + signUp(name()).refresh() + "\"}";
        List<CompletableFuture<Api.Answer>> answers = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            answers.add(api.postAsync("/refreshToken", body));
        }
        List<Integer> statuses = answers.stream().map(answer -> answer.join().status()).toList();
        assertThat(statuses).containsOnly(200, 401);
        assertThat(statuses).containsOnlyOnce(200);
    }

    @Test
    void a_refresh_token_ends_with_its_time() {
        Login login = signUp(name());
        query("update account_session set expires_at = now() where token_hash = sha256('" + login.refresh()
                + "'::bytea) returning 1");
        assertThat(refresh(login.refresh()).status()).isEqualTo(401);
    }

    @ParameterizedTest
    @ValueSource(strings = {"x", "' or 1=1 --", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})
    void a_refresh_token_that_was_made_up_is_refused(String token) {
        assertThat(refresh(token).status()).isEqualTo(401);
    }

    @Test
    void the_sixth_session_ends_the_oldest() {
        String name = name();
        Login oldest = signUp(name);
        List<Login> others = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            others.add(Login.of(logIn(name, PASSWORD)));
        }
        assertThat(refresh(oldest.refresh()).status()).isEqualTo(401);
        others.forEach(login -> assertThat(refresh(login.refresh()).status()).isEqualTo(200));
    }

    @Test
    void only_hashes_of_passwords_tokens_and_keys_are_kept() {
        String name = name();
        Login login = signUp(name);
        String key = keyOf(List.of("viewer"));
        assertThat(query("select password_hash from account where username = '" + name + "'"))
                .startsWith("$argon2id$v=19$m=19456,t=2,p=1$");
        for (String table : List.of("account", "account_session", "api_key")) {
            String rows = query("select string_agg(t::text, ' ') from " + table + " t");
            assertThat(rows).doesNotContain(PASSWORD, login.refresh(), login.access(), key);
        }
    }

    @Test
    void the_first_admin_makes_accounts_in_the_default_tenant_and_ends_them() {
        String admin = adminToken();
        String name = name();
        String body = credentials(name, PASSWORD).replace("}", ",\"groups\":[\"viewer\"]}");
        Api.Answer made = api.post("/v1/accounts", body, bearer(admin));
        assertThat(made.status()).as(made.toString()).isEqualTo(201);
        assertThat(made.json().path("tenant").asText()).isEqualTo("default");
        assertThat(api.post("/v1/accounts", body, bearer(admin)).status()).isEqualTo(409);
        assertThat(api.get("/v1/accounts", bearer(admin)).body()).contains(name).doesNotContain("argon2");

        Login viewer = Login.of(logIn(name, PASSWORD));
        String path = "/v1/accounts/" + made.json().path("id").asText();
        assertThat(api.send("DELETE", path, bearer(viewer.access())).status()).isEqualTo(403);
        assertThat(api.send("DELETE", path, bearer(admin)).status()).isEqualTo(204);
        assertThat(api.send("DELETE", path, bearer(admin)).status()).isEqualTo(404);
        assertThat(logIn(name, PASSWORD).status()).isEqualTo(401);
        assertThat(refresh(viewer.refresh()).status()).isEqualTo(401);
    }

    @Test
    void a_key_lets_a_program_in_until_it_is_revoked() {
        String admin = adminToken();
        Api.Answer made = api.post("/v1/api-keys", "{\"name\":\"importer\",\"groups\":[\"producer\"]}", bearer(admin));
        String key = made.json().path("key").asText();
        String id = made.json().path("id").asText();
        assertThat(key).startsWith("mrk_");
        enqueue(key);
        assertThat(api.get("/v1/api-keys", bearer(admin)).body()).contains(id).doesNotContain(key);
        assertThat(api.get("/v1/api-keys", bearer(key)).status()).isEqualTo(403);

        assertThat(api.send("DELETE", "/v1/api-keys/" + id, bearer(admin)).status()).isEqualTo(204);
        await().untilAsserted(() -> assertThat(api.get("/health", bearer(key)).status()).isEqualTo(401));
        assertThat(api.get("/health", bearer("mrk_made-up")).status()).isEqualTo(401);
    }

    @Test
    void a_key_ends_with_its_time() {
        Api.Answer made = api.post("/v1/api-keys",
                "{\"name\":\"old\",\"groups\":[\"viewer\"],\"expiresAt\":\"2020-01-01T00:00:00Z\"}", bearer(adminToken()));
        assertThat(api.get("/health", bearer(made.json().path("key").asText())).status()).isEqualTo(401);
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"name\":\"a\",\"groups\":[]}", "{\"name\":\"a\",\"groups\":[\"root\"]}",
            "{\"name\":\"a\",\"groups\":[\"viewer\"],\"tenant\":\"other\"}", "{\"groups\":[\"viewer\"]}",
            "{\"name\":\"a\",\"name\":\"b\",\"groups\":[\"viewer\"]}"})
    void what_makes_no_key_is_refused(String body) {
        assertThat(api.post("/v1/api-keys", body, bearer(adminToken())).status()).isEqualTo(400);
    }
}
