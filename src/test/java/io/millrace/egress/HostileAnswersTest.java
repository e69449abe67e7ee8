package io.millrace.egress;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.zip.GZIPOutputStream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import io.millrace.egress.EgressFailedException.Kind;
import io.millrace.support.TestConfig;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.NetServer;
import io.vertx.core.net.NetSocket;

/** Servers that mean harm: whatever they send, a call ends in time, takes no more memory than allowed, and says so in plain words. */
@DisplayNameGeneration(ReplaceUnderscores.class)
class HostileAnswersTest {

    static final int MOST_BYTES = 100_000;
    static final Duration IDLE = Duration.ofMillis(400);
    static final Duration TOTAL = Duration.ofMillis(1200);
    /** Far more than {@link #TOTAL}, far less than for ever. */
    static final Duration PATIENCE = Duration.ofSeconds(10);
    static final String OK = "HTTP/1.1 200 OK\r\n";
    static final String CHUNKED = OK + "Transfer-Encoding: chunked\r\n\r\n";

    /** What is sent, first once and then again and again, and how the call may end; null for an answer that is taken. */
    enum Answer {
        ENDLESS_HEADER(OK + "X: ", "a".repeat(1000), 0, Kind.BROKEN),
        ENDLESS_HEADERS(OK, "X: a\r\n".repeat(100), 0, Kind.BROKEN),
        ENDLESS_STATUS_LINE("HTTP/1.1 200 ", "a".repeat(1000), 0, Kind.BROKEN),
        ENDLESS_CONTINUE("", "HTTP/1.1 100 Continue\r\n\r\n".repeat(20), 1, Kind.TIMEOUT, Kind.BROKEN),
        ENDLESS_HINTS("", "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n".repeat(20), 1, Kind.TIMEOUT, Kind.BROKEN),
        ENDLESS_BODY(OK + "\r\n", "a".repeat(10_000), 0, Kind.TOO_LARGE),
        ENDLESS_CHUNKS(CHUNKED, "2710\r\n" + "a".repeat(10_000) + "\r\n", 0, Kind.TOO_LARGE),
        ENDLESS_CHUNK_SIZE(CHUNKED, "0".repeat(1000), 0, Kind.BROKEN),
        ENDLESS_CHUNK_EXTENSION(CHUNKED + "1;", "a".repeat(1000), 0, Kind.BROKEN),
        ENDLESS_TRAILERS(CHUNKED + "0\r\n", "X: a\r\n".repeat(100), 0, Kind.BROKEN),
        LARGE_DECLARED_LENGTH(OK + "Content-Length: 1000000000000\r\n\r\nx", "", 0, Kind.TOO_LARGE),
        LENGTH_THAT_IS_NO_NUMBER(OK + "Content-Length: 1e3\r\n\r\nx", "", 0, Kind.BROKEN),
        NEGATIVE_LENGTH(OK + "Content-Length: -1\r\n\r\nx", "", 0, Kind.BROKEN),
        TWO_LENGTHS(OK + "Content-Length: 1\r\nContent-Length: 5\r\n\r\nabcde", "", 0, Kind.BROKEN),
        CHUNK_OF_2_TO_THE_63(CHUNKED + "8000000000000000\r\nx", "", 0, Kind.BROKEN),
        DRIPPING_STATUS_LINE("H", "T", 20, Kind.TIMEOUT, Kind.BROKEN),
        DRIPPING_HEADER(OK + "X: ", "a", 20, Kind.TIMEOUT),
        DRIPPING_BODY(OK + "\r\n", "a", 20, Kind.TIMEOUT),
        DRIPPING_CHUNKS(CHUNKED, "1\r\na\r\n", 20, Kind.TIMEOUT),
        DRIPPING_CHUNK_SIZE(CHUNKED + "1;", "a", 20, Kind.TIMEOUT),
        SILENCE("", "", 0, Kind.TIMEOUT),
        SILENCE_WITHIN_THE_BODY(OK + "Content-Length: 10\r\n\r\nabc", "", 0, Kind.TIMEOUT),
        RETRY_AFTER_10_TO_THE_12("HTTP/1.1 503 Busy\r\nRetry-After: 1000000000000\r\nContent-Length: 0\r\n\r\n", "", 0,
                Kind.STATUS),
        ESCAPES_IN_THE_REASON("HTTP/1.1 500 \u001b[31mred\u001b[0m\u0007\u009b2J\r\nContent-Length: 0\r\n\r\n", "", 0,
                Kind.STATUS,
                Kind.BROKEN),
        ESCAPES_IN_THE_VERSION("\u001b[2JHTTP/9.9 200 OK\r\n\r\n", "", 0, Kind.BROKEN),
        LINES_IN_A_HEADER(OK + "X: a\rINFO forged\u0085INFO forged\r\nContent-Length: 0\r\n\r\n", "", 0, null, Kind.BROKEN),
        NO_UTF_8(OK + "X: \u00c3\u0028\u00ff\r\nContent-Length: 2\r\n\r\n\u00c3\u0028", "", 0, (Kind) null),
        NUL_IN_A_HEADER(OK + "X: a\u0000b\r\nContent-Length: 0\r\n\r\n", "", 0, null, Kind.BROKEN),
        STATUS_0("HTTP/1.1 000 None\r\nContent-Length: 0\r\n\r\n", "", 0, Kind.STATUS, Kind.BROKEN),
        STATUS_999("HTTP/1.1 999 Enough\r\nContent-Length: 0\r\n\r\n", "", 0, Kind.STATUS),
        STATUS_THAT_IS_NO_NUMBER("HTTP/1.1 2x0 OK\r\n\r\n", "", 0, Kind.BROKEN),
        SWITCHING_PROTOCOLS("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", "a", 20,
                Kind.STATUS,
                Kind.TIMEOUT, Kind.BROKEN),
        HTTP_0_9("<html>\r\n", "", 0, Kind.BROKEN, Kind.TIMEOUT),
        A_MAIL_SERVER("220 mail.test ESMTP \u001b[31mready\r\n", "", 0, Kind.BROKEN),
        AN_SSH_SERVER("SSH-2.0-OpenSSH_9.2\r\n", "", 0, Kind.BROKEN, Kind.TIMEOUT),
        LOCATION_OF_100_KB("HTTP/1.1 302 Found\r\nLocation: /" + "a".repeat(100_000) + "\r\n\r\n", "", 0, Kind.BROKEN),
        GZIP_BOMB(OK + "Content-Encoding: gzip\r\nConnection: close\r\n\r\n" + gzip(50_000_000), "", 0, null, Kind.TIMEOUT),
        ONE_ANSWER_TOO_MANY(OK + "Content-Length: 5\r\n\r\nasked" + OK + "Content-Length: 6\r\n\r\nforged", "", 0, (Kind) null),
        REDIRECT_TO_NOWHERE("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", "", 0, Kind.STATUS);

        final String once;
        final String again;
        final int everyMillis;
        final List<Kind> ends;

        /** @param everyMillis 0 for as fast as it goes */
        Answer(String once, String again, int everyMillis, Kind... ends) {
            this.once = once;
            this.again = again;
            this.everyMillis = everyMillis;
            this.ends = Arrays.asList(ends); // which may be null
        }

        private static String gzip(int zeros) {
            ByteArrayOutputStream compressed = new ByteArrayOutputStream();
            try (GZIPOutputStream gzip = new GZIPOutputStream(compressed)) {
                gzip.write(new byte[zeros]);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return compressed.toString(ISO_8859_1);
        }
    }

    /** Those whose server never stops by itself. */
    static final Set<Answer> ENDLESS = EnumSet.range(Answer.ENDLESS_HEADER, Answer.ENDLESS_TRAILERS);

    final Vertx vertx = Vertx.vertx();
    final AtomicReference<Answer> answer = new AtomicReference<>();
    final AtomicInteger connections = new AtomicInteger();
    final AtomicInteger closed = new AtomicInteger();
    final AtomicLong sent = new AtomicLong();
    NetServer server;
    EgressClient client;

    @BeforeEach
    void start() throws Exception {
        server = vertx.createNetServer().connectHandler(connection -> {
            connections.incrementAndGet();
            connection.closeHandler(gone -> closed.incrementAndGet());
            connection.exceptionHandler(reset -> {});
            connection.handler(request -> play(answer.get(), connection));
        }).listen(0, "127.0.0.1").toCompletionStage().toCompletableFuture().get(5, TimeUnit.SECONDS);
        client = new EgressClient(vertx,
                TestConfig.of(EgressConfig.class, Map.of("millrace.egress.open-hosts", "127.0.0.1:" + server.actualPort(),
                        "millrace.egress.idle-timeout", IDLE.toString(), "millrace.egress.total-timeout", TOTAL.toString(),
                        "millrace.egress.connect-timeout", "PT1S")),
                HostResolver.system(), AddressGuard::isPublic);
    }

    @AfterEach
    void stop() throws Exception {
        vertx.close().toCompletionStage().toCompletableFuture().get(5, TimeUnit.SECONDS);
    }

    private void play(Answer answer, NetSocket connection) {
        connection.write(Buffer.buffer(answer.once, ISO_8859_1.name()));
        if (answer.again.isEmpty()) {
            return;
        }
        Buffer again = Buffer.buffer(answer.again, ISO_8859_1.name());
        if (answer.everyMillis > 0) {
            long timer = vertx.setPeriodic(answer.everyMillis, tick -> connection.write(again));
            connection.closeHandler(gone -> {
                vertx.cancelTimer(timer);
                closed.incrementAndGet();
            });
        } else {
            connection.drainHandler(ready -> flood(connection, again));
            flood(connection, again);
        }
    }

    private void flood(NetSocket connection, Buffer again) {
        while (!connection.writeQueueFull()) {
            sent.addAndGet(again.length());
            connection.write(again);
        }
    }

    @ParameterizedTest
    @EnumSource(Answer.class)
    void a_hostile_answer_ends_the_call_in_time_and_is_told_in_plain_words(Answer hostile) {
        answer.set(hostile);
        long before = System.nanoTime();

        Throwable failure = catchThrowable(() -> assertThat(get(client).body()).hasSizeLessThan(MOST_BYTES));

        assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(TOTAL.plus(Duration.ofSeconds(3)));
        assertThat(hostile.ends).as(String.valueOf(failure)).contains(kind(failure));
        assertThat(isPlain(failure)).as(String.valueOf(failure)).isTrue();
        if (failure instanceof EgressFailedException failed) {
            assertThat(failed.retryAfter().orElse(Duration.ZERO)).isLessThanOrEqualTo(RetryAfter.MOST);
        }
        if (ENDLESS.contains(hostile)) {
            await().atMost(PATIENCE).until(() -> closed.get() == connections.get());
            assertThat(sent.get()).as("bytes that the server got rid of").isLessThan(50_000_000);
        }
    }

    @Test
    void what_a_server_sends_without_being_asked_is_nobodys_answer() {
        answer.set(Answer.ONE_ANSWER_TOO_MANY);

        for (int call = 0; call < 5; call++) {
            try {
                assertThat(get(client).body()).isEqualTo("asked".getBytes(UTF_8));
            } catch (EgressFailedException failed) {
                assertThat(failed.kind()).as("a connection that was kept, and then spoke unasked").isEqualTo(Kind.BROKEN);
            }
        }
    }

    @Test
    void plain_is_what_can_be_printed_on_one_line() {
        assertThat(PlainText.of("a\r\nINFO b\u001b[31m\u0085\u2028\u202e\ud800c \ud83d\ude00"))
                .isEqualTo("a??INFO b?[31m????c \ud83d\ude00");
        assertThat(PlainText.of("x".repeat(10_000))).hasSize(200);
    }

    /** @return false if a message has control characters or is long: it ends in a log, a job and somebody's terminal */
    static boolean isPlain(Throwable failure) {
        return failure == null || failure.getMessage() != null && failure.getMessage().length() < 600
                && failure.getMessage().equals(failure.getMessage().replaceAll("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]", ""));
    }

    private static Kind kind(Throwable failure) {
        if (failure == null) {
            return null;
        }
        assertThat(failure).isInstanceOf(EgressFailedException.class);
        return ((EgressFailedException) failure).kind();
    }

    private EgressResponse get(EgressClient client) {
        return client.get(URI.create("http://127.0.0.1:" + server.actualPort() + "/"), MOST_BYTES, PATIENCE).await()
                .atMost(PATIENCE);
    }
}
