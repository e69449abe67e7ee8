package io.millrace.support;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(ReplaceUnderscores.class)
class TestServersTest {

    @Test
    void servers_are_started_once() {
        assertThat(TestServers.get()).isEqualTo(TestServers.get());
    }

    @Test
    void fresh_databases_are_empty_and_apart() throws SQLException {
        try (Connection one = TestServers.connect(TestServers.freshDatabase());
                Connection other = TestServers.connect(TestServers.freshDatabase())) {
            one.createStatement().execute("CREATE TABLE only_here ()");
            assertThat(tables(one)).isEqualTo(1);
            assertThat(tables(other)).isZero();
        }
    }

    @Test
    void a_fresh_redis_is_empty_even_when_its_number_comes_round_again() {
        String first = TestServers.freshRedis();
        PlainRedis.ask(first, "SET left behind");
        String again = TestServers.freshRedis();
        while (!again.equals(first)) {
            again = TestServers.freshRedis();
        }
        assertThat(PlainRedis.ask(again, "DBSIZE")).containsExactly(":0");
    }

    private static int tables(Connection connection) throws SQLException {
        try (ResultSet rows = connection.createStatement()
                .executeQuery("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")) {
            rows.next();
            return rows.getInt(1);
        }
    }
}
