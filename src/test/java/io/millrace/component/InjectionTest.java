package io.millrace.component;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;

import io.millrace.component.ApiDocument.Route;
import io.millrace.support.Api;
import io.millrace.support.PlainRedis;
import io.millrace.support.RawHttp;
import io.quarkus.test.junit.QuarkusTest;

/**
 * What is not meant as a value, in every string of every body, as the name of a field, in every query parameter, header and path of every
 * route. Either it is taken and shown again as it was, or refused with a problem that says where it is; and nothing else has changed.
 */
@QuarkusTest
class InjectionTest extends GuardedApp {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String PLACE = "@@place@@";
    private static final String UNIQUE = "@@unique@@";
    private static final String SOON = Instant.now().plusSeconds(3_600).toString();
    private static final String SENTINEL = "sentinel";
    private static final Set<String> SECRET = Set.of("password", "currentPassword", "newPassword", "refresh_token",
            "refreshToken");
    /** Names are compared in lower case; nothing else is changed. */
    private static final Set<String> LOWER_CASE = Set.of("username");
    private static final Set<String> HASHES = Set.of("/signup", "/login", "/v1/accounts", "/v1/me/password");
    /** They take no notice of fields they do not know, as their system did not, and hash a password. */
    private static final Set<String> IGNORANT = Set.of("POST /signup", "POST /login");
    private static final Set<String> FILTERS = Set.of("queue", "type", "tag", "actor", "target");
    private static final Pattern REDIS_KEY = Pattern
            .compile("\\{[a-z0-9][a-z0-9._-]*}:(high|normal|low|delayed|dlq|incarnation)"
                    + "|(idem|effect|image):[0-9a-f]{64}|census:(turn|counts)|" + SENTINEL);
    private static final String JOB = """
            {"type":"echo","payload":{"text":"x","deep":["y"]},"queue":"corpus","priority":"low","delay":"PT1H","timeout":"PT5S",
            "retry":{"backoff":"fixed","base":"PT1S","cap":"PT9S","jitter":"none"},"tags":["corpus"],
            "uniqueKey":"@@unique@@","onConflict":"reject","idempotencyKey":"@@unique@@"}"""
            .replace("\n", "");

    /** Bodies that are taken as they are. A route that is new is missing here until somebody has thought about it. */
    private static final Map<String, List<String>> BODIES = Map.ofEntries(
            entry("POST /v1/jobs", List.of(JOB, "{\"type\":\"echo\",\"payload\":\"x\",\"runAt\":\"" + SOON + "\"}")),
            entry("POST /v1/jobs/bulk", List.of("[" + JOB + "]")),
            entry("POST /v1/jobs/{id}/cancel", List.of()),
            entry("POST /v1/jobs/{id}/retry", List.of("{\"payload\":\"x\"}")),
            entry("POST /jobs", List.of("{\"type\":\"echo\",\"payload\":{\"text\":\"x\"}}")),
            entry("POST /addJob", List.of("{\"email\":\"a@example.org\",\"name\":\"x\"}")),
            entry("POST /processJob",
                    List.of("{\"count\":1,\"scheduled_time\":\"" + SOON + "\",\"visits\":[{\"store_id\":\"s\","
                            + "\"image_url\":[\"http://localhost:1/a\"],\"visit_time\":\"t\"}]}")),
            entry("POST /v1/accounts",
                    List.of("{\"username\":\"@@unique@@\",\"password\":\"12345678\",\"groups\":[\"viewer\"]}")),
            entry("POST /v1/api-keys", List.of("{\"name\":\"k\",\"groups\":[\"viewer\"],\"expiresAt\":\"" + SOON + "\"}")),
            entry("POST /v1/me/password", List.of("{\"currentPassword\":\"not the one\",\"newPassword\":\"12345678\"}")),
            entry("POST /v1/me/logout", List.of("{\"refreshToken\":\"x\"}")),
            entry("POST /signup", List.of("{\"username\":\"@@unique@@\",\"password\":\"12345678\"}")),
            entry("POST /login", List.of("{\"username\":\"@@unique@@\",\"password\":\"12345678\"}")),
            entry("POST /refreshToken", List.of("{\"refresh_token\":\"x\"}")));

    private final List<String> wrong = new ArrayList<>();
    private final JsonNode corpus = corpus();
    private Map<String, Route> routes;
    private String token;
    private String sentinels;
    private String cancelled;
    private int sent;
    private int taken;

    private static JsonNode corpus() {
        try (InputStream in = InjectionTest.class.getResourceAsStream("/corpus/injection.json")) {
            return JSON.readTree(in);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private List<String> texts() {
        List<String> texts = new ArrayList<>();
        corpus.path("texts").forEach(text -> texts.add(text.asText()));
        texts.add("x".repeat(5_000));
        return texts;
    }

    /** What stands where a string should, as it is spelled in JSON or is not. */
    private List<String> tokens() {
        List<String> tokens = new ArrayList<>();
        for (JsonNode token : corpus.path("tokens")) {
            String[] made = token.asText().split(":");
            tokens.add(switch (made[0]) {
                case "@nest" -> "[".repeat(Integer.parseInt(made[1])) + "]".repeat(Integer.parseInt(made[1]));
                case "@long" -> "\"" + "x".repeat(Integer.parseInt(made[1])) + "\"";
                default -> token.asText();
            });
        }
        return tokens;
    }

    @BeforeEach
    void setUp() {
        routes = ApiDocument.routes();
        String name = name();
        signUp(name);
        query("update account set group_names = 'admin' where username = '" + name + "' returning 1");
        token = Login.of(logIn(name, PASSWORD)).access();
        cancelled = cancelledJob();
        PlainRedis.ask(setting("millrace.redis.url"), "SET " + SENTINEL + " 1");
        execute("insert into job (id, tenant, queue, type, priority, payload, state, phase, max_attempts, run_at, created_at)"
                + " select gen_random_uuid(), '" + SENTINEL
                + "', 'q', 'echo', 1, '{}', 'SCHEDULED', 0, 1, now() + interval '1 day',"
                + " now() from generate_series(1, 10)");
        sentinels = state();
    }

    /** The tables that there are, and the rows of somebody who has nothing to do with all this. */
    private static String state() {
        return query("select string_agg(relname, ' ' order by relname) from pg_class where relkind in ('r', 'i', 'S', 'v') and"
                + " relnamespace = 'public'::regnamespace") + query(
                        "select string_agg(j::text, ' ' order by id) from job j where tenant = '" + SENTINEL + "'");
    }

    @AfterEach
    void nothing_else_has_changed() {
        assertThat(wrong).isEmpty();
        assertThat(state()).isEqualTo(sentinels);
        List<String> keys = PlainRedis.ask(setting("millrace.redis.url"), "KEYS *").stream()
                .filter(line -> !line.startsWith("*") && !line.startsWith("$")).toList();
        assertThat(keys).contains(SENTINEL).allMatch(key -> REDIS_KEY.matcher(key).matches());
        assertThat(query("select count(*) from job where tenant <> '" + SENTINEL + "' and tenant <> 'default' and tenant not in"
                + " (select tenant from account)")).as("jobs of a tenant that was made up").isEqualTo("0");
        execute("delete from job where tenant = '" + SENTINEL + "'");
    }

    private String cancelledJob() {
        String id = api.post("/v1/jobs", "{\"type\":\"echo\",\"queue\":\"corpus\"}", bearer(token)).json().path("id").asText();
        assertThat(api.post("/v1/jobs/" + id + "/cancel", "", bearer(token)).status()).isEqualTo(200);
        return id;
    }

    @Test
    void every_route_with_a_body_has_one_here() {
        assertThat(new TreeSet<>(BODIES.keySet())).isEqualTo(routes.values().stream().filter(Route::hasBody).map(Route::name)
                .collect(Collectors.toCollection(TreeSet::new)));
        assertThat(texts().size()).isGreaterThanOrEqualTo(80);
        assertThat(tokens().size()).isGreaterThan(35);
    }

    @Test
    void as_a_string_it_is_kept_as_it_is_or_refused_by_name() {
        eachLeaf((route, body) -> textsFor(route, body).forEach(text -> {
            String json = body.replace('"' + PLACE + '"', Api.quoted(text)).replace(UNIQUE, UUID.randomUUID().toString());
            JsonPointer leaf = JsonPointer.compile(pointerOf(body));
            check(route, leaf, post(route, json), answer -> assertShown(route, leaf, text, answer), text);
        }));
        assertThat(sent).isGreaterThan(3_500);
        assertThat(taken).isGreaterThan(500);
    }

    /** Where each try costs a password hash, every fifth. */
    private List<String> textsFor(Route route, String body) {
        boolean isDear = HASHES.contains(route.path()) && !pointerOf(body).equals("/newPassword");
        List<String> texts = texts();
        return isDear ? IntStream.range(0, texts.size()).filter(i -> i % 5 == 0).mapToObj(texts::get).toList() : texts;
    }

    @Test
    void as_another_token_it_is_taken_as_it_is_or_refused() {
        eachLeaf((route, body) -> tokens().forEach(spelled -> {
            String json = body.replace('"' + PLACE + '"', spelled).replace(UNIQUE, UUID.randomUUID().toString());
            JsonPointer leaf = JsonPointer.compile(pointerOf(body));
            check(route, leaf, post(route, json), answer -> {
                if (route.name().equals("POST /v1/jobs") && leaf.toString().equals("/payload/text")) {
                    assertThat(readBack(route, answer).body()).contains("\"text\":" + spelled);
                }
            }, spelled);
        }));
        assertThat(sent).isGreaterThan(1_500);
    }

    @Test
    void as_the_name_of_a_field_it_is_refused_by_name() {
        List<String> names = new ArrayList<>(texts().stream().map(Api::quoted).toList());
        names.addAll(List.of("\"\\ud800\"", "\"a\\u0000\"", "\"\\udc00\\ud800\"", "\"tenant\"", "\"~/~1\""));
        BODIES.forEach(
                (route, bodies) -> bodies.forEach(body -> names.stream().limit(IGNORANT.contains(route) ? 5 : names.size())
                        .forEach(name -> {
                            String json = body.replaceFirst("\\{", java.util.regex.Matcher.quoteReplacement("{" + name + ":1,"))
                                    .replace(UNIQUE,
                                            UUID.randomUUID().toString());
                            check(routes.get(route), null, post(routes.get(route), json), answer -> {}, name);
                        })));
        assertThat(sent).isGreaterThan(900);
    }

    @Test
    void as_a_field_that_comes_twice_it_is_refused() {
        for (Map.Entry<String, List<String>> route : BODIES.entrySet()) {
            for (String body : route.getValue()) {
                if (!routes.get(route.getKey()).isOlder()) {
                    String first = body.substring(body.indexOf('"'), body.indexOf(':'));
                    Api.Answer answer = post(routes.get(route.getKey()),
                            body.replaceFirst("\\{", "{" + first + ":\"y\",").replace(UNIQUE, "twice"));
                    int status = answer.json().path("items").path(0).path("status").asInt(answer.status());
                    assertThat(status).as(route.getKey() + " " + answer).isEqualTo(400);
                }
            }
        }
    }

    @Test
    void bytes_that_are_no_text_are_refused() {
        byte[][] bad = {{(byte) 0xC0, (byte) 0x80}, {(byte) 0xED, (byte) 0xA0, (byte) 0x80}, {(byte) 0xFF, (byte) 0xFE},
                {(byte) 0xF4, (byte) 0x90, (byte) 0x80, (byte) 0x80}, {0}};
        eachLeaf((route, body) -> {
            for (byte[] bytes : bad) {
                String[] around = body.replace(UNIQUE, UUID.randomUUID().toString()).split(PLACE);
                Api.Answer answer = post(route, join(around[0].getBytes(StandardCharsets.UTF_8), bytes,
                        around[1].getBytes(StandardCharsets.UTF_8)));
                if (answer.status() != 400) {
                    wrong.add(route.name() + " " + pointerOf(body) + " " + bytes[0] + ": " + answer);
                }
            }
        });
        assertThat(sent).isGreaterThan(200);
    }

    private static byte[] join(byte[]... parts) {
        java.io.ByteArrayOutputStream all = new java.io.ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    @Test
    void as_a_query_parameter_it_finds_nothing_or_is_refused_by_name() {
        List<String> values = encoded();
        for (Route route : routes.values()) {
            List<String> parameters = new ArrayList<>(route.queryParameters());
            parameters.add("unknown");
            for (String parameter : parameters) {
                for (String value : values) {
                    checkRaw(route, path(route, UUID.randomUUID().toString()) + "?" + parameter + "=" + value, List.of(),
                            answer -> {
                                if (answer.status() < 300 && FILTERS.contains(parameter)) {
                                    assertThat(json(answer).path("data")).isEmpty();
                                }
                                if (answer.status() == 400 && answer.body().contains("invalid-request")) {
                                    assertThat(json(answer).path("errors").path(0).path("path").asText()).isIn("?" + parameter,
                                            "/no");
                                }
                            });
                }
            }
            for (String value : values) {
                checkRaw(route, path(route, UUID.randomUUID().toString()) + "?" + value + "=1", List.of(), answer -> {});
            }
        }
        assertThat(sent).isGreaterThan(5_000);
    }

    @Test
    void in_a_path_it_names_nothing() {
        for (Route route : routes.values()) {
            if (route.path().contains("{")) {
                for (String value : encoded()) {
                    if (value.isEmpty()) {
                        continue; // the list above it
                    }
                    checkRaw(route, path(route, value), List.of(), answer -> assertThat(answer.status()).isBetween(400, 499));
                    checkRaw(route, path(route, cancelled).replace("a.jpg", value), List.of(), answer -> {});
                }
            }
        }
        assertThat(sent).isGreaterThan(1_000);
    }

    @Test
    void as_a_header_it_forges_nothing() {
        for (Route route : routes.values()) {
            Set<String> headers = new TreeSet<>(route.headers());
            headers.addAll(List.of("Accept", "Content-Type", "Authorization"));
            if (route.path().equals("/v1/jobs") || route.path().endsWith("/cancel") || route.path().endsWith("/login")) {
                headers.addAll(List.of("Prefer", "Idempotency-Key", "X-Request-Id", "traceparent", "Cookie", "X-Forwarded-For",
                        "X-HTTP-Method-Override", "Origin", "User-Agent", "Accept-Language", "Accept-Encoding", "Host",
                        "Expect"));
            }
            for (String header : headers) {
                for (String text : texts()) {
                    if (text.chars().noneMatch(c -> c == '\r' || c == '\n')) {
                        checkRaw(route, path(route, UUID.randomUUID().toString()), List.of(header + ": " + text), answer -> {});
                    }
                }
            }
        }
        assertThat(sent).isGreaterThan(6_000);
    }

    private List<String> encoded() {
        List<String> values = texts().stream().map(text -> URLEncoder.encode(text, StandardCharsets.UTF_8))
                .collect(Collectors.toCollection(ArrayList::new));
        values.addAll(List.of("%", "%0", "%zz", "%00", "a%00b", "%ED%A0%80", "%C0%80", "%FF", "%u0000", "+", "..%2f", "%2e%2e",
                "%0d%0aX-Injected:1", "%E5%98%8D%E5%98%8AX-Injected:1"));
        return values;
    }

    private static String path(Route route, String id) {
        return route.path().replace("{id}", id).replace("{jobId}", id).replace("{name}", "a.jpg");
    }

    /** Calls with each body of each route, once for each string in it, which is marked as the place. */
    private void eachLeaf(BiConsumer<Route, String> call) {
        BODIES.forEach((name, bodies) -> bodies.forEach(body -> {
            List<JsonPointer> leaves = new ArrayList<>();
            JsonNode tree = tree(body);
            collect(tree, JsonPointer.empty(), leaves);
            leaves.forEach(leaf -> call.accept(routes.get(name), marked(tree.deepCopy(), leaf).toString()));
        }));
    }

    private static JsonNode tree(String json) {
        try {
            return JSON.readTree(json);
        } catch (IOException e) {
            throw new IllegalStateException(json, e);
        }
    }

    private static JsonNode json(RawHttp.Answer answer) {
        return tree(answer.body());
    }

    private static void collect(JsonNode node, JsonPointer at, List<JsonPointer> leaves) {
        if (node.isTextual()) {
            leaves.add(at);
        } else if (node instanceof ObjectNode object) {
            object.fields().forEachRemaining(field -> collect(field.getValue(), at.appendProperty(field.getKey()), leaves));
        } else if (node instanceof ArrayNode array) {
            for (int i = 0; i < array.size(); i++) {
                collect(array.get(i), at.appendIndex(i), leaves);
            }
        }
    }

    private static JsonNode marked(JsonNode tree, JsonPointer leaf) {
        JsonNode parent = tree.at(leaf.head());
        if (parent instanceof ArrayNode array) {
            array.set(leaf.last().getMatchingIndex(), TextNode.valueOf(PLACE));
        } else {
            ((ObjectNode) parent).put(leaf.last().getMatchingProperty(), PLACE);
        }
        return tree;
    }

    private static String pointerOf(String marked) {
        List<JsonPointer> leaves = new ArrayList<>();
        JsonNode tree = tree(marked);
        collect(tree, JsonPointer.empty(), leaves);
        return leaves.stream().filter(leaf -> tree.at(leaf).asText().equals(PLACE)).findFirst().orElseThrow().toString();
    }

    private Api.Answer post(Route route, String json) {
        return post(route, json.getBytes(StandardCharsets.UTF_8));
    }

    private Api.Answer post(Route route, byte[] body) {
        sent++;
        return api.post(path(route, cancelled), body, bearer(token));
    }

    @FunctionalInterface
    private interface Look<A> {
        void at(A answer);
    }

    private void check(Route route, JsonPointer leaf, Api.Answer answer, Look<Api.Answer> ifTaken, String what) {
        try {
            JsonNode json = answer.body().isEmpty() ? JSON.createObjectNode() : answer.json();
            boolean isBulk = route.path().endsWith("/bulk") && answer.status() == 200;
            int status = isBulk ? json.path("items").path(0).path("status").asInt() : answer.status();
            if (status < 300) {
                taken++;
                ifTaken.at(answer);
                if (route.path().endsWith("/retry")) {
                    cancelled = cancelledJob();
                }
            } else {
                assertRefused(route, leaf, status, isBulk ? json.path("items").path(0).path("problem") : json,
                        answer.mediaType());
            }
        } catch (AssertionError | RuntimeException e) {
            tell(route.name() + " " + leaf, what, answer.toString(), e);
        }
    }

    private void tell(String where, String what, String answer, Throwable e) {
        wrong.add(where + " <- " + cut(what) + "\n  " + cut(answer) + "\n  " + cut(String.valueOf(e.getMessage())));
    }

    private static String cut(String text) {
        return text.length() > 300 ? text.substring(0, 300) + "..." : text;
    }

    private static void assertRefused(Route route, JsonPointer leaf, int status, JsonNode problem, String mediaType) {
        assertThat(status).isBetween(400, 499);
        if (route.isOlder()) {
            assertThat(problem.path("error").asText()).isNotBlank();
            assertThat(problem.size()).isOne();
            return;
        }
        assertThat(problem.path("type").asText()).startsWith("urn:millrace:problem:");
        assertThat(problem.path("status").asInt()).isEqualTo(status);
        assertThat(problem.path("title").asText()).isNotBlank();
        assertThat(problem.path("detail").asText()).isNotBlank().doesNotContain("io.millrace", "Exception");
        if (!route.path().endsWith("/bulk")) {
            assertThat(mediaType).isEqualTo("application/problem+json");
        }
        String type = problem.path("type").asText();
        if (type.endsWith("invalid-request") || type.endsWith("unreadable-text")) {
            List<String> paths = problem.path("errors").findValuesAsText("path");
            assertThat(paths).isNotEmpty().allMatch(path -> !path.isEmpty());
            if (leaf != null) {
                String pointer = route.path().endsWith("/bulk") ? leaf.tail().toString() : leaf.toString();
                assertThat(paths).as("says where").anyMatch(pointer::startsWith);
            }
        }
    }

    private void assertShown(Route route, JsonPointer leaf, String text, Api.Answer answer) {
        String name = leaf.last().getMatchingProperty();
        if (SECRET.contains(name)) {
            if (text.length() >= 8) {
                assertThat(answer.body()).doesNotContain(text);
            }
        } else if (name.equals("idempotencyKey")) {
            assertThat(query("select count(*) from idempotency_key where key = '" + text.replace("'", "''") + "'"))
                    .isNotEqualTo("0");
        } else {
            List<String> shown = new ArrayList<>();
            JsonNode back = readBack(route, answer).json();
            List<JsonPointer> leaves = new ArrayList<>();
            collect(back, JsonPointer.empty(), leaves);
            leaves.forEach(found -> shown.add(back.at(found).asText()));
            String kept = route.path().equals("/addJob") ? text.strip() : text;
            assertThat(shown).contains(LOWER_CASE.contains(name) ? text.strip().toLowerCase(java.util.Locale.ROOT) : kept);
        }
    }

    private Api.Answer readBack(Route route, Api.Answer answer) {
        JsonNode json = answer.json();
        String path = switch (route.name()) {
            case "POST /v1/jobs", "POST /v1/jobs/{id}/retry" -> "/v1/jobs/" + json.path("id").asText();
            case "POST /v1/jobs/bulk" -> "/v1/jobs/" + json.path("items").path(0).path("job").path("id").asText();
            case "POST /jobs" -> "/jobs/" + json.path("jobId").asText();
            case "POST /addJob", "POST /processJob" -> "/v1/jobs/" + json.path("job_id").asText();
            case "POST /v1/accounts" -> "/v1/accounts";
            case "POST /v1/api-keys" -> "/v1/api-keys";
            case "POST /signup", "POST /login", "POST /refreshToken" -> "/v1/me";
            default -> throw new IllegalStateException("nothing to look at after " + route.name());
        };
        String whose = path.equals("/v1/me") ? json.path("access_token").asText() : token;
        return api.get(path, bearer(whose));
    }

    /** What is wrong with a Host is told by the HTTP server, which in tests, and only there, names its exception. */
    private static boolean isOfTheServer(List<String> headers) {
        return headers.stream().anyMatch(line -> line.startsWith("Host:"));
    }

    private void checkRaw(Route route, String target, List<String> headers, Look<RawHttp.Answer> look) {
        List<String> lines = new ArrayList<>(headers);
        Map<String, String> defaults = new TreeMap<>(
                Map.of("Authorization", "Bearer " + token, "Content-Type", "application/json"));
        defaults.forEach((name, value) -> {
            if (headers.stream().noneMatch(line -> line.startsWith(name + ":"))) {
                lines.add(name + ": " + value);
            }
        });
        sent++;
        RawHttp.Answer answer = null;
        try {
            byte[] body = route.hasBody() ? "{\"no\":1}".getBytes(StandardCharsets.UTF_8) : new byte[0];
            answer = RawHttp.send(api.base(), route.method(), target, lines, body);
            assertThat(answer.status()).isLessThan(500);
            assertThat(answer.headers()).doesNotContainKey("x-injected");
            assertThat(answer.body()).doesNotContain("io.millrace.", "\tat ");
            assertThat(answer.body().contains("Exception") && !isOfTheServer(headers)).isFalse();
            look.at(answer);
        } catch (AssertionError | RuntimeException e) {
            tell(route.name() + " " + cut(target), String.join(" | ", headers), String.valueOf(answer), e);
        }
    }
}
