package io.millrace.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.millrace.account.AuthMode;

@DisplayNameGeneration(ReplaceUnderscores.class)
class AuthSettingsTest {

    final Map<String, String> before = new HashMap<>();

    /** An empty property hides the environment variable of the same name. */
    @BeforeEach
    void hideWhatIsSet() {
        SettingsTest.NAMES.forEach(name -> before.put(name, System.setProperty(name, "")));
    }

    @AfterEach
    void restoreWhatWasSet() {
        before.forEach((name, value) -> {
            if (value == null) {
                System.clearProperty(name);
            } else {
                System.setProperty(name, value);
            }
        });
    }

    static AuthSettings read() {
        return AuthSettings.read(Settings.read());
    }

    static StartFailure refusal() {
        StartFailure refusal = catchThrowableOfType(StartFailure.class, AuthSettingsTest::read);
        assertThat(refusal).isNotNull();
        assertThat(refusal.getMessage()).doesNotContain("\n");
        assertThat(refusal.exitCode()).isEqualTo(2);
        return refusal;
    }

    @Test
    void with_embedded_servers_it_is_open_on_loopback() {
        assertThat(read().mode()).isEqualTo(AuthMode.OPEN);
        assertThat(read().host()).isEqualTo("127.0.0.1");
    }

    @Test
    void with_embedded_servers_keys_are_made_in_their_folder() {
        SettingsTest.set("auth", "Required");
        SettingsTest.set("local.dir", "/data");
        assertThat(read()).isEqualTo(new AuthSettings(AuthMode.REQUIRED, Path.of("/data/keys/private.pem"),
                List.of(Path.of("/data/keys/public.pem")), true, null));
    }

    @Test
    void with_other_servers_an_API_needs_keys_and_is_told_how_to_make_them() {
        SettingsTest.setStores();
        assertThat(refusal()).hasMessageStartingWith("MILLRACE_AUTH is required").hasMessageContaining("openssl genpkey");

        SettingsTest.set("auth.private-key", "a.pem");
        assertThat(refusal()).hasMessageContaining("only one is set");
        SettingsTest.set("auth.public-key", "b.pem, c.pem");
        assertThat(read()).isEqualTo(new AuthSettings(AuthMode.REQUIRED, Path.of("a.pem"),
                List.of(Path.of("b.pem"), Path.of("c.pem")), false, null));
    }

    @Test
    void a_worker_needs_no_keys() {
        SettingsTest.setStores();
        SettingsTest.set("mode", "worker");
        assertThat(read().mode()).isEqualTo(AuthMode.REQUIRED);
        assertThat(read().privateKey()).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"0.0.0.0", "10.1.2.3", "::"})
    void an_open_API_listens_on_loopback_only_unless_that_is_said_to_be_safe(String host) {
        SettingsTest.set("http.host", host);
        assertThat(refusal()).hasMessageContaining("MILLRACE_HTTP_HOST is " + host);
        SettingsTest.set("auth.open-anywhere", "true");
        assertThat(read().host()).isEqualTo(host);
    }

    @ParameterizedTest
    @ValueSource(strings = {"localhost", "127.0.0.1", "127.9.9.9", "::1"})
    void loopback_has_many_names(String host) {
        SettingsTest.set("http.host", host);
        assertThat(read().host()).isEqualTo(host);
    }

    @Test
    void another_mode_is_refused() {
        SettingsTest.set("auth", "off");
        assertThat(refusal()).hasMessage("MILLRACE_AUTH is 'off': set it to required or open");
    }
}
