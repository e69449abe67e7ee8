package io.millrace.component;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.UUID;

import com.fasterxml.jackson.databind.JsonNode;

import io.millrace.support.AccountsOn;
import io.millrace.support.Api;
import io.quarkus.test.common.QuarkusTestResource;

/** The application as it is with external servers: nobody gets in without a token. */
@QuarkusTestResource(value = AccountsOn.class, restrictToAnnotatedClass = true)
abstract class GuardedApp extends RunningApp {

    static final String PASSWORD = "correct horse battery";

    record Login(String access, String refresh) {
        static Login of(Api.Answer answer) {
            JsonNode tokens = answer.json();
            assertThat(tokens.fieldNames()).toIterable().containsExactlyInAnyOrder("access_token", "refresh_token");
            return new Login(tokens.path("access_token").asText(), tokens.path("refresh_token").asText());
        }
    }

    static String name() {
        return "user-" + UUID.randomUUID();
    }

    static String[] bearer(String token) {
        return new String[]{"Authorization", "Bearer " + token};
    }

    static String credentials(String username, String password) {
        return "{\"username\":" + Api.quoted(username) + ",\"password\":" + Api.quoted(password) + "}";
    }

    Login signUp(String username) {
        Api.Answer answer = api.post("/signup", credentials(username, PASSWORD));
        assertThat(answer.status()).as(answer.toString()).isEqualTo(201);
        return Login.of(answer);
    }

    Api.Answer logIn(String username, String password) {
        return api.post("/login", credentials(username, password));
    }

    Api.Answer refresh(String token) {
        return api.post("/refreshToken", "{\"refresh_token\":" + Api.quoted(token) + "}");
    }

    String adminToken() {
        return Login.of(logIn(AccountsOn.ADMIN, AccountsOn.ADMIN_PASSWORD)).access();
    }

    /** A key of the admin's tenant. */
    String keyOf(List<String> groups) {
        String names = String.join("\",\"", groups);
        Api.Answer made = api.post("/v1/api-keys", "{\"name\":\"test\",\"groups\":[\"" + names + "\"]}", bearer(adminToken()));
        assertThat(made.status()).as(made.toString()).isEqualTo(201);
        return made.json().path("key").asText();
    }

    String enqueue(String token) {
        Api.Answer answer = api.post("/v1/jobs", "{\"type\":\"echo\",\"delay\":\"PT1H\"}", bearer(token));
        assertThat(answer.status()).as(answer.toString()).isEqualTo(201);
        return answer.json().path("id").asText();
    }
}
