package io.millrace.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayNameGeneration(ReplaceUnderscores.class)
class DatabaseUrlTest {

    @Test
    void a_url_is_taken_apart() {
        assertThat(DatabaseUrl.parse("postgresql://ann:pass@db.example:6000/jobs?sslmode=require"))
                .isEqualTo(new DatabaseUrl("db.example", 6000, "jobs", "ann", "pass", "sslmode=require"));
    }

    @Test
    void port_and_password_may_be_left_out() {
        assertThat(DatabaseUrl.parse("postgres://ann@db/jobs"))
                .isEqualTo(new DatabaseUrl("db", 5432, "jobs", "ann", null, null));
    }

    @Test
    void user_and_password_are_decoded_once_and_a_plus_is_a_plus() {
        assertThat(DatabaseUrl.parse("postgresql://a%40b:p%3A%2F+%25:x@db/jobs"))
                .extracting(DatabaseUrl::user, DatabaseUrl::password).containsExactly("a@b", "p:/+%:x");
    }

    @Test
    void migrations_connect_to_the_same_place_with_the_same_options() {
        assertThat(DatabaseUrl.parse("postgresql://ann:pass@[::1]/jobs?sslmode=require").jdbcUrl())
                .startsWith("jdbc:postgresql://[::1]:5432/jobs?").endsWith("&sslmode=require").doesNotContain("pass");
    }

    @ParameterizedTest
    @CsvSource({"jdbc:postgresql://db/jobs, must start with postgresql://", "'', must start with postgresql://",
            "postgresql://ann:pass@/jobs, names no host", "postgresql://ann:pass@db, names no database",
            "postgresql://ann:pass@db/, names no database", "postgresql://db/jobs, names no user",
            "postgresql://ann:p ass@db/jobs, is not a URL", "postgresql://ann:pass%zz@db/jobs, is not a URL"})
    void what_is_missing_is_said_and_the_password_is_not(String url, String message) {
        assertThatIllegalArgumentException().isThrownBy(() -> DatabaseUrl.parse(url)).withMessageStartingWith("it " + message)
                .withMessageNotContaining("pass%").withNoCause();
    }
}
