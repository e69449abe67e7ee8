package io.millrace.stream;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import io.vertx.core.Future;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import io.vertx.redis.client.impl.types.ErrorType;
import io.vertx.redis.client.impl.types.NumberType;

@DisplayNameGeneration(ReplaceUnderscores.class)
class LuaScriptTest {

    static final Path LUA = Path.of("src/main/resources/lua");
    /** One or a range: {@code KEYS[2]}, {@code KEYS[1..3]}, {@code ARGV[2..]}; {@code ARGV} alone is all of them. */
    static final Pattern NAMED = Pattern.compile("(KEYS|ARGV)(?:\\[(\\d+)(\\.\\.(\\d*))?])?");
    static final Pattern USED = Pattern.compile("(KEYS|ARGV)\\[(\\d+)]");
    static final int MANY = 10;

    static Path file(LuaScript script) {
        return LUA.resolve(script.name().toLowerCase(Locale.ROOT) + ".lua");
    }

    @Test
    void every_script_is_one_constant() throws IOException {
        try (Stream<Path> files = Files.list(LUA)) {
            assertThat(files).containsExactlyInAnyOrderElementsOf(
                    Arrays.stream(LuaScript.values()).map(LuaScriptTest::file).collect(Collectors.toList()));
        }
    }

    @ParameterizedTest
    @EnumSource
    void a_script_begins_with_its_contract(LuaScript script) throws IOException {
        String[] parts = Files.readString(file(script)).split("]]\n", 2);
        String header = parts[0];

        assertThat(header).startsWith("--[[ ").contains("Returns ");
        Set<String> named = new TreeSet<>();
        NAMED.matcher(header).results().forEach(match -> {
            int first = match.group(2) == null ? 1 : Integer.parseInt(match.group(2));
            boolean isRange = match.group(2) == null || match.group(3) != null;
            boolean isOpen = isRange && (match.group(4) == null || match.group(4).isEmpty());
            int last = isOpen ? MANY : isRange ? Integer.parseInt(match.group(4)) : first;
            for (int i = first; i <= last; i++) {
                named.add(match.group(1) + i);
            }
        });
        Set<String> used = new TreeSet<>();
        USED.matcher(parts[1]).results().forEach(match -> used.add(match.group(1) + match.group(2)));
        assertThat(named).containsAll(used);
    }

    /** A Redis that has the scripts it was sent, like the real one. */
    static final class FakeRedis {
        final List<String> commands = new ArrayList<>();
        boolean knowsTheScript;
        String error = "NOSCRIPT No matching script.";

        Future<Response> send(Request request) {
            commands.add(request.command() == Command.EVAL ? "EVAL" : "EVALSHA");
            if (request.command() == Command.EVAL) {
                knowsTheScript = true;
            }
            return knowsTheScript ? Future.succeededFuture(NumberType.create(1)) : Future.failedFuture(ErrorType.create(error));
        }
    }

    final FakeRedis redis = new FakeRedis();

    Future<Response> run() {
        return LuaScript.DROP_UNKNOWN.run(redis::send, List.of("{q}:normal"), List.of("workers", "1-1"));
    }

    @Test
    void the_source_is_sent_only_to_a_redis_that_does_not_know_it() {
        assertThat(run().succeeded()).isTrue();
        assertThat(run().succeeded()).isTrue();
        assertThat(redis.commands).containsExactly("EVALSHA", "EVAL", "EVALSHA");
    }

    @Test
    void another_failure_is_not_answered_by_sending_it_again() {
        redis.error = "OOM command not allowed when used memory > 'maxmemory'.";
        assertThat(run().failed()).isTrue();
        assertThat(redis.commands).containsExactly("EVALSHA");
    }
}
