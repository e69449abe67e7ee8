package io.millrace.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import io.millrace.account.SigningKeys;
import io.millrace.support.Api;
import io.millrace.support.MillraceProcess;
import io.millrace.support.PlainRedis;
import io.millrace.support.RawConnection;
import io.millrace.support.TestServers;

/** The packaged application, as it is in production, against callers without manners. */
@Timeout(240)
@DisplayNameGeneration(ReplaceUnderscores.class)
class MannersIT {

    private static final String ORIGIN = "https://dash.example:8443";
    private static final String PASSWORD = "canary-password-" + UUID.randomUUID();
    private static final Duration BODY_TIMEOUT = Duration.ofSeconds(2);
    private static final Duration IDLE_TIMEOUT = Duration.ofSeconds(11);
    private static final int CONNECTIONS = 60;
    /** On a busy machine. */
    private static final Duration GRACE = Duration.ofSeconds(10);
    private static final Duration SILENCE = Duration.ofSeconds(1);
    private static final String FORGED = "2030-01-01 00:00:00,000 INFO  [io.millrace] (main) forged";

    private static String redis;
    private static Processes processes;
    private static MillraceProcess process;
    private static Api api;
    private static String token;

    @BeforeAll
    static void start() throws IOException {
        redis = TestServers.freshRedis();
        processes = new Processes(TestServers.freshDatabase(), redis);
        process = startGuarded("text").awaitReady();
        api = process.api();
        token = logIn(api, PASSWORD).json().path("access_token").asText();
        assertThat(token).isNotEmpty();
    }

    private static MillraceProcess startGuarded(String logFormat) throws IOException {
        Path folder = Files.createDirectories(Path.of("target/test-keys/manners")).toAbsolutePath();
        SigningKeys.makeFiles(folder.resolve("private.pem"), folder.resolve("public.pem"));
        Path password = Files.writeString(folder.resolve("password"), PASSWORD);
        return processes.start("all", "MILLRACE_AUTH", "required", "MILLRACE_AUTH_PRIVATE_KEY",
                folder.resolve("private.pem").toString(), "MILLRACE_AUTH_PUBLIC_KEY", folder.resolve("public.pem").toString(),
                "MILLRACE_AUTH_ADMIN", "root", "MILLRACE_AUTH_ADMIN_PASSWORD", password.toString(),
                "MILLRACE_HTTP_CORS_ORIGINS", ORIGIN, "MILLRACE_LOG_FORMAT", logFormat,
                "MILLRACE_API_BODY_TIMEOUT", BODY_TIMEOUT.toString(), "MILLRACE_API_MAX_WAIT", "1s",
                "MILLRACE_API_IDLE_TIMEOUT", IDLE_TIMEOUT.toString(),
                "MILLRACE_API_MAX_CONNECTIONS", String.valueOf(CONNECTIONS),
                "QUARKUS_LOG_CATEGORY__IO_MILLRACE__LEVEL", "DEBUG"); // the more is logged, the more could be forged
    }

    @AfterAll
    static void stop() {
        processes.close();
    }

    private static Api.Answer logIn(Api api, String password) {
        return api.post("/login", "{\"username\":\"root\",\"password\":" + Api.quoted(password) + "}");
    }

    private static String[] bearer(String... more) {
        return Stream.concat(Stream.of("Authorization", "Bearer " + token), Stream.of(more)).toArray(String[]::new);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/job-types", "/v1/jobs?limit=1", "/v1/jobs?limit=x", "/v1/jobs/none", "/v1/none", "/none",
            "/health",
            "/jobs/none", "/processJob", "/v1/jobs/x/artifacts/y", "/demo/none", "/%00"})
    void every_answer_tells_browsers_what_they_may_do_with_it(String path) {
        String answer = exchange("GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer " + token
                + "\r\n\r\n").toLowerCase();
        assertThat(answer).contains("x-content-type-options: nosniff", "referrer-policy: no-referrer",
                "cross-origin-resource-policy: same-origin", "cache-control: no-store",
                "content-security-policy: default-src 'none'; frame-ancestors 'none'");
        assertThat(answer).doesNotContain("\r\nserver:", "x-powered-by", "strict-transport-security", "access-control-");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/q/health/ready", "/q/metrics", "/q/openapi", "/q/none", "/none"})
    void so_do_those_of_the_management_port(String path) {
        Api.Answer answer = process.management().get(path);
        assertThat(answer.header("X-Content-Type-Options")).contains("nosniff");
        assertThat(answer.header("Content-Security-Policy")).isPresent();
        assertThat(answer.header("Server")).isEmpty();
        if (answer.status() >= 400) {
            assertThat(answer.body()).doesNotContain("Exception", "<html");
        }
    }

    @Test
    void TLS_is_demanded_where_it_is_said_that_there_is_TLS() {
        try (MillraceProcess other = processes.start("api", "MILLRACE_HTTP_HSTS", "true").awaitReady()) {
            assertThat(other.api().get("/v1/job-types").header("Strict-Transport-Security")).contains("max-age=31536000");
            String foreign = exchange(other.api().base(), preflight("https://dash.example:8443"));
            assertThat(foreign.toLowerCase()).as("no origin is named").doesNotContain("access-control-allow");
        }
    }

    private static String preflight(String origin) {
        return "OPTIONS /v1/jobs HTTP/1.1\r\nHost: a\r\nConnection: close\r\nOrigin: " + origin
                + "\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization,content-type\r\n\r\n";
    }

    @Test
    void pages_of_the_named_origin_may_call_and_no_others() {
        String named = exchange(preflight(ORIGIN)).toLowerCase();
        assertThat(named).startsWith("http/1.1 200").contains("access-control-allow-origin: " + ORIGIN,
                "access-control-allow-methods:", "x-content-type-options: nosniff").doesNotContain("allow-credentials: true");

        for (String other : List.of("https://evil.example", "https://dash.example", "http://dash.example:8443", "null",
                ORIGIN + ".evil.example")) {
            assertThat(exchange(preflight(other)).toLowerCase()).as(other).doesNotContain("access-control-allow-origin");
        }
    }

    static Stream<String> malformed() {
        String host = "Host: a\r\nConnection: close\r\n";
        return Stream.of(
                "GET /v1/jobs/%zz HTTP/1.1\r\n" + host + "\r\n", "GET /%c0%af..%2f HTTP/1.1\r\n" + host + "\r\n",
                "GET /v1/jobs?limit=%zz HTTP/1.1\r\n" + host + "\r\n", "GET /v1/../../etc/passwd HTTP/1.1\r\n" + host + "\r\n",
                "GET //evil.example/v1/jobs HTTP/1.1\r\n" + host + "\r\n", "GET /;a=b/v1/jobs;c HTTP/1.1\r\n" + host + "\r\n",
                "GET v1/jobs HTTP/1.1\r\n" + host + "\r\n", "GET http://[::1/ HTTP/1.1\r\n" + host + "\r\n",
                "FOO /v1/jobs HTTP/1.1\r\n" + host + "\r\n", "TRACE /v1/jobs HTTP/1.1\r\n" + host + "\r\n",
                "CONNECT a:80 HTTP/1.1\r\n" + host + "\r\n", "OPTIONS * HTTP/1.1\r\n" + host + "\r\n",
                "PATCH /v1/jobs HTTP/1.1\r\n" + host + "\r\n", "get /v1/jobs HTTP/1.1\r\n" + host + "\r\n",
                "GET /v1/none HTTP/9.9\r\n" + host + "\r\n", "GET /v1/jobs\r\n\r\n",
                "\u0016\u0003\u0001\u0002\u0000\u0001\r\n\r\n",
                "GET /v1/jobs HTTP/1.1\r\nno colon\r\n" + host + "\r\n", "GET /v1/jobs HTTP/1.1\r\n: empty\r\n" + host + "\r\n",
                "GET /v1/jobs HTTP/1.1\r\nX-A: a\u0000b\r\n" + host + "\r\n",
                "GET /v1/jobs HTTP/1.1\r\n b: folded\r\n" + host + "\r\n",
                "GET /v1/jobs HTTP/1.1\r\nX-Long: " + "x".repeat(40_000) + "\r\n" + host + "\r\n",
                "GET /" + "x".repeat(40_000) + " HTTP/1.1\r\n" + host + "\r\n",
                "GET /v1/jobs HTTP/1.1\r\nAccept: text/html;;q=x, */\r\n" + host + "\r\n",
                "GET /v1/jobs HTTP/1.1\r\nAccept: image/png\r\n" + host + "\r\n",
                "POST /v1/jobs HTTP/1.1\r\nContent-Length: -1\r\n" + host + "\r\n",
                "POST /v1/jobs HTTP/1.1\r\nContent-Length: abc\r\n" + host + "\r\n",
                "POST /v1/jobs HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n" + host + "\r\n",
                "POST /v1/jobs HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n" + host + "\r\n{}",
                "POST /v1/jobs HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n" + host + "\r\n0\r\n\r\n",
                "POST /v1/jobs HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + host + "\r\nzz\r\n",
                "POST /v1/jobs HTTP/1.1\r\nTransfer-Encoding: gzip\r\n" + host + "\r\n",
                "POST /v1/jobs HTTP/1.1\r\nContent-Type: a/b/c;;=\r\nContent-Length: 2\r\n" + host + "\r\n{}",
                "POST /v1/jobs HTTP/1.1\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n" + host + "\r\n{}",
                "POST /v1/jobs/bulk HTTP/1.1\r\nContent-Type: \r\nContent-Length: 2\r\n" + host + "\r\n{}",
                "POST /login HTTP/1.1\r\nContent-Type: multipart/form-data\r\nContent-Length: 2\r\n" + host + "\r\n{}",
                "POST /v1/jobs HTTP/1.1\r\nContent-Length: 20000000\r\n" + host + "\r\n",
                "POST /v1/jobs HTTP/1.1\r\nExpect: 200-ok\r\nContent-Length: 2\r\n" + host + "\r\n{}",
                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\ngarbage-garbage-garbage-garbage");
    }

    @ParameterizedTest
    @MethodSource("malformed")
    void whatever_is_sent_is_refused_without_a_word_of_the_inside(String request) {
        for (String withToken : List.of(request, request.replace("Host: a\r\n", "Host: a\r\nAuthorization: Bearer " + token
                + "\r\n"))) {
            String answer = exchange(withToken);
            if (!answer.startsWith("HTTP/1.1 2")) { // a list of jobs may well show a stack trace of theirs
                assertRefusedInSilence(answer);
            }
        }
        assertThat(api.get("/v1/job-types", bearer()).status()).isEqualTo(200);
    }

    /** Some are only hung up on. */
    private static void assertRefusedInSilence(String answer) {
        assertThat(answer).doesNotContain("Exception", "\tat ", "io.millrace", "io.vertx", "io.quarkus", "java.", "jakarta.",
                "org.",
                "<html", "Error id", " 500 ");
        if (answer.startsWith("HTTP/1.") && !answer.endsWith("\r\n\r\n")) {
            assertThat(answer.toLowerCase()).containsAnyOf("content-type: application/problem+json",
                    "content-type: application/json");
        }
    }

    private static String exchange(String request) {
        return exchange(api.base(), request);
    }

    private static String exchange(URI server, String request) {
        try (RawConnection http = new RawConnection(server)) {
            http.send(request);
            return http.read(SILENCE);
        }
    }

    @Test
    void a_body_that_drips_is_cut_off() {
        try (RawConnection http = new RawConnection(api.base())) {
            http.send("POST /login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n");
            long start = System.nanoTime();
            Awaitility.await().atMost(BODY_TIMEOUT.plus(GRACE)).pollInterval(Duration.ofMillis(200))
                    .until(() -> !http.send(" "));
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(BODY_TIMEOUT.minusMillis(500));
        }
    }

    @Test
    void a_connection_on_which_nothing_comes_is_closed() {
        try (RawConnection silent = new RawConnection(api.base()); RawConnection half = new RawConnection(api.base())) {
            half.send("GET /v1/jobs HTTP/1.1\r\nHost: a\r\nX-A: ");
            assertThat(silent.isClosedWithin(IDLE_TIMEOUT.plus(GRACE))).isTrue();
            assertThat(half.isClosedWithin(GRACE)).isTrue();
        }
    }

    @Test
    void connections_are_bounded_and_half_requests_keep_nobody_out_below_the_bound() {
        List<RawConnection> halves = new ArrayList<>();
        try {
            IntStream.range(0, CONNECTIONS / 2).forEach(i -> {
                RawConnection half = new RawConnection(api.base());
                half.send("GET /v1/jobs HTTP/1.1\r\nHost: a\r\nX-A: ");
                halves.add(half);
            });
            assertThat(api.get("/v1/job-types", bearer()).status()).isEqualTo(200);
            IntStream.range(0, CONNECTIONS).forEach(i -> halves.add(new RawConnection(api.base())));
            assertThat(halves.get(halves.size() - 1).isClosedWithin(GRACE)).isTrue();
            assertThat(halves.get(0).send("x")).isTrue();
        } finally {
            halves.forEach(RawConnection::close);
        }
        Awaitility.await().atMost(GRACE)
                .until(() -> exchange("GET /v1/job-types HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                        .startsWith("HTTP/1.1 401"));
    }

    private static String canary(String what) {
        return "canary-" + what + "-" + UUID.randomUUID();
    }

    /** Everything that a caller should be able to send in trust, through all ways in. @return what must be found nowhere */
    private static List<String> sendCanaries(Api to) {
        List<String> canaries = new ArrayList<>(List.of(PASSWORD));
        String payload = canary("payload");
        String message = canary("message");
        String webhookSecret = canary("whsec");
        String smtpPassword = canary("smtp");
        String idempotency = canary("idempotency");
        String unique = canary("unique");
        String wrongPassword = canary("wrong-password");
        String wrongToken = canary("token");
        String apiKey = to.post("/v1/api-keys", "{\"name\":\"canary\",\"groups\":[\"producer\"]}", bearer()).json().path("key")
                .asText();
        assertThat(apiKey).startsWith("mrk_");
        canaries.addAll(
                List.of(payload, message, webhookSecret, smtpPassword, idempotency, unique, wrongPassword, wrongToken, apiKey,
                        token));

        String done = to.post("/v1/jobs", "{\"type\":\"echo\",\"uniqueKey\":\"" + unique + "\",\"payload\":{\"a\":\"" + payload
                + "\",\"webhook\":{\"secret\":\"" + webhookSecret + "\"},\"smtp\":{\"password\":\"" + smtpPassword + "\"}}}",
                "Authorization", "Bearer " + apiKey, "Idempotency-Key", idempotency).json().path("id").asText();
        String failed = to
                .post("/v1/jobs", "{\"type\":\"fail\",\"payload\":{\"permanent\":true,\"message\":\"" + message + "\"}}",
                        bearer())
                .json().path("id").asText();
        String unreadable = to.post("/v1/jobs", "{\"type\":\"sleep\",\"payload\":{\"ms\":\"" + payload + "\"}}", bearer())
                .json()
                .path("id").asText();
        for (String id : List.of(done, failed, unreadable)) {
            Awaitility.await().atMost(Duration.ofSeconds(30))
                    .until(() -> to.get("/v1/jobs/" + id, bearer()).json().hasNonNull("finishedAt"));
        }
        assertThat(logIn(to, wrongPassword).status()).isEqualTo(401);
        assertThat(to.get("/v1/jobs", "Authorization", "Bearer " + wrongToken).status()).isEqualTo(401);
        assertThat(to.get("/v1/jobs", "Authorization", "Bearer " + wrongToken + "." + wrongToken + ".x").status())
                .isEqualTo(401);
        to.post("/v1/jobs", "{\"type\":\"echo\",\"payload\":\"" + payload + "\"", bearer());
        to.post("/v1/jobs", "{\"type\":\"echo\",\"idempotencyKey\":\"" + idempotency + " \"}", bearer());
        to.post("/refreshToken", "{\"refresh_token\":\"" + wrongToken + "\"}");
        return canaries;
    }

    @Test
    void secrets_are_in_no_log_no_metric_and_not_in_Redis() throws IOException {
        List<String> canaries = sendCanaries(api);
        String logs = process.output() + process.errors();
        assertThat(logs).contains("made the account root");
        assertThat(process.management().get("/q/metrics").body()).contains("millrace_requests_in_flight")
                .doesNotContain(canaries);
        assertThat(process.output() + process.errors()).doesNotContain(canaries);
        assertThat(everythingSentTo(redis)).containsIgnoringCase("xadd").doesNotContain(canaries);
    }

    /** Its append-only file: every command since it started, in the clear. */
    private static String everythingSentTo(String url) throws IOException {
        Path folder = Path.of(setting(url, "dir"), setting(url, "appenddirname"));
        StringBuilder all = new StringBuilder();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(name -> name.toString().contains(".incr.")).toList()) {
                all.append(Files.readString(file, StandardCharsets.ISO_8859_1));
            }
        }
        return all.toString();
    }

    private static String setting(String url, String name) {
        List<String> lines = PlainRedis.ask(url, "CONFIG GET " + name);
        return lines.get(lines.size() - 1);
    }

    /** In all the ways a line can be begun, or a terminal be spoken to. */
    private static void sendForgeries(Api to) {
        for (String separator : List.of("\n", "\r\n", "\r", "\u0085", "\u2028", "\u001b[2K\r", "\u001b]0;x\u0007", "\u202e")) {
            String forged = Api.quoted("ann" + separator + FORGED);
            to.post("/login", "{\"username\":" + forged + ",\"password\":" + forged + "}");
            to.post("/signup", "{\"username\":" + forged + ",\"password\":" + forged + "}");
            to.post("/refreshToken", "{\"refresh_token\":" + forged + "}");
            to.post("/v1/jobs", "{\"type\":" + forged + ",\"queue\":" + forged + ",\"uniqueKey\":" + forged + "}", bearer());
            to.post("/jobs", "{\"type\":" + forged + ",\"payload\":" + forged + "}", bearer());
            to.post("/v1/api-keys", "{\"name\":" + forged + ",\"groups\":[" + forged + "]}", bearer());
            String failed = to
                    .post("/v1/jobs", "{\"type\":\"fail\",\"retry\":{\"maxAttempts\":1},\"payload\":{\"message\":" + forged
                            + "}}", bearer())
                    .json().path("id").asText();
            to.post("/v1/jobs",
                    "{\"type\":\"image\",\"retry\":{\"maxAttempts\":1},\"payload\":{\"visits\":[{\"storeId\":" + forged
                            + ",\"imageUrls\":[" + forged + "]}]}}",
                    bearer());
            Awaitility.await().atMost(Duration.ofSeconds(30))
                    .until(() -> to.get("/v1/jobs/" + failed, bearer()).json().hasNonNull("finishedAt"));
        }
        String encoded = URLEncoder.encode("a\r\n" + FORGED, StandardCharsets.UTF_8).replace("+", "%20");
        for (String path : List.of("/v1/jobs/" + encoded, "/v1/jobs?queue=" + encoded, "/v1/jobs?cursor=" + encoded,
                "/" + encoded)) {
            to.get(path, bearer("User-Agent", "a\tb", "Prefer", "wait=x\t" + FORGED));
        }
    }

    @Test
    void nobody_writes_a_line_of_the_log_but_us() {
        sendForgeries(api);
        String logs = process.output() + process.errors();
        assertThat(logs.lines()).noneMatch(line -> line.startsWith("2030-")).noneMatch(line -> line.startsWith(FORGED));
        assertThat(logs.chars().filter(c -> c != '\n' && c != '\t')).noneMatch(Character::isISOControl);
        assertThat(logs).doesNotContain("\u2028", "\u202e");
    }

    @Test
    void for_programs_every_line_is_a_JSON_object() throws IOException {
        try (MillraceProcess other = startGuarded("json").awaitReady()) {
            token = logIn(other.api(), PASSWORD).json().path("access_token").asText(); // good for all: they have the same keys
            List<String> canaries = sendCanaries(other.api());
            sendForgeries(other.api());
            other.terminate();
            other.awaitExit();
            assertThat(other.output() + other.errors()).doesNotContain(canaries);
            ObjectMapper json = new ObjectMapper();
            List<JsonNode> lines = new ArrayList<>();
            for (String line : other.output().lines().toList()) {
                lines.add(json.readTree(line));
            }
            assertThat(lines).hasSizeGreaterThan(5).allSatisfy(line -> {
                assertThat(line.path("message").asText()).doesNotContain("\n", "\u001b");
                assertThat(line.path("level").asText()).isIn("DEBUG", "INFO", "WARN", "ERROR");
                assertThat(line.path("timestamp").asText()).isNotEmpty();
            });
            assertThat(lines).anyMatch(line -> line.path("message").asText().contains("drained: "));
        }
    }

    @ParameterizedTest
    @MethodSource("unusable")
    void a_setting_that_cannot_be_used_stops_the_start(String name, String value, String said) {
        try (MillraceProcess other = MillraceProcess.start(Map.of(name, value))) {
            assertThat(other.awaitExit()).isEqualTo(2);
            assertThat(other.errors()).contains(name, said);
        }
    }

    static Stream<Arguments> unusable() {
        return Stream.of(Arguments.of("MILLRACE_LOG_FORMAT", "xml", "text or json"),
                Arguments.of("MILLRACE_HTTP_CORS_ORIGINS", "*", "no wildcard"),
                Arguments.of("MILLRACE_HTTP_CORS_ORIGINS", "https://a.example,https://*.example",
                        "no wildcard"),
                Arguments.of("MILLRACE_HTTP_CORS_ORIGINS", "/.*/", "no wildcard"));
    }
}
