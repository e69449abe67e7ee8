package io.millrace.stream;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

import io.vertx.core.Future;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

/** One script from {@code src/main/resources/lua}, each with its contract in its first lines. */
enum LuaScript {
    APPEND_JOBS, DELAY_JOBS, READ_ENTRIES, SETTLE_RETRY, SETTLE_FAILED, PROMOTE_DUE, RENEW_ENTRIES,
    HAND_BACK_ENTRIES, WATERMARK,
    TRIM_CONSUMERS, DROP_ORPHANS, DROP_UNKNOWN, TAKE_TOKENS;

    private final String source;
    private final String sha;

    LuaScript() {
        source = read("/lua/" + name().toLowerCase(Locale.ROOT) + ".lua");
        sha = sha1(source);
    }

    /** Runs the script by its hash; only a Redis that does not know it (a restart, SCRIPT FLUSH) is sent the source. */
    Future<Response> run(Function<Request, Future<Response>> connection, List<String> keys, List<String> arguments) {
        return connection.apply(request(Command.EVALSHA, sha, keys, arguments))
                .recover(failure -> isUnknownScript(failure)
                        ? connection.apply(request(Command.EVAL, source, keys, arguments))
                        : Future.failedFuture(failure));
    }

    private static Request request(Command command, String script, List<String> keys, List<String> arguments) {
        Request request = Request.cmd(command).arg(script).arg(keys.size());
        keys.forEach(request::arg);
        arguments.forEach(request::arg);
        return request;
    }

    private static boolean isUnknownScript(Throwable failure) {
        return failure.getMessage() != null && failure.getMessage().startsWith("NOSCRIPT");
    }

    private static String read(String path) {
        try (InputStream in = LuaScript.class.getResourceAsStream(path)) {
            if (in == null) {
                throw new IllegalStateException("missing script " + path);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String sha1(String text) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-1").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
