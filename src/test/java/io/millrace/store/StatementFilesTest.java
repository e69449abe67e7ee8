package io.millrace.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import java.util.List;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayNameGeneration(ReplaceUnderscores.class)
class StatementFilesTest {

    private static StoreDatabase database;

    @BeforeAll
    static void open() throws SQLException {
        database = new StoreDatabase();
    }

    @AfterAll
    static void close() throws SQLException {
        database.close();
    }

    static List<String> files() {
        return StoreDatabase.statementNames();
    }

    @ParameterizedTest
    @MethodSource("files")
    void a_statement_file_fits_the_schema(String name) throws SQLException {
        database.prepare(name);
        assertThat(database.query("select name from pg_prepared_statements")).contains(name);
    }

    @ParameterizedTest
    @MethodSource("files")
    void a_statement_file_says_what_each_parameter_is(String name) throws SQLException {
        String header = StoreDatabase.header(name);
        assertThat(header).isNotEmpty();
        for (int i = 1; i <= StoreDatabase.parameterCount(name); i++) {
            assertThat(header).contains("$" + i + " ");
        }
    }
}
