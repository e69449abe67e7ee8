package io.millrace.handler.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.type;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.is;

import java.net.URI;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import io.millrace.egress.EgressClient;
import io.millrace.egress.EgressConfig;
import io.millrace.handler.BlockingWork;
import io.millrace.handler.Cancellation;
import io.millrace.handler.Deadline;
import io.millrace.handler.JobContext;
import io.millrace.handler.image.ImagePayload.Visit;
import io.millrace.handler.image.ImageReport.Failed;
import io.millrace.handler.image.ImageReport.KeptThumbnail;
import io.millrace.handler.image.ImageReport.Measured;
import io.millrace.handler.image.ImageReport.StoreError;
import io.millrace.handler.image.ImageSource.Fetched;
import io.millrace.job.Artifact;
import io.millrace.job.Outcome;
import io.millrace.job.Outcome.Reject;
import io.millrace.job.Outcome.Retry;
import io.millrace.job.Outcome.Success;
import io.millrace.support.TestConfig;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.Cancellable;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServer;

/** Against a real server over the real client; what the cache adds is tested with a real Redis. */
@DisplayNameGeneration(ReplaceUnderscores.class)
class ImageHandlerTest {

    static final Duration PATIENCE = Duration.ofSeconds(20);

    final Vertx vertx = Vertx.vertx();
    final Map<String, byte[]> pages = new ConcurrentHashMap<>();
    final Map<String, Integer> statuses = new ConcurrentHashMap<>();
    final Map<String, AtomicInteger> hits = new ConcurrentHashMap<>();
    HttpServer server;
    EgressClient egress;

    @BeforeEach
    void start() throws Exception {
        server = vertx.createHttpServer().requestHandler(request -> {
            hits.computeIfAbsent(request.path(), path -> new AtomicInteger()).incrementAndGet();
            byte[] page = pages.get(request.path());
            request.response().setStatusCode(statuses.getOrDefault(request.path(), page == null ? 404 : 200))
                    .putHeader("Retry-After", "30").putHeader("Content-Type", "text/plain")
                    .end(Buffer.buffer(page == null ? new byte[0] : page));
        }).listen(0, "127.0.0.1").toCompletionStage().toCompletableFuture().get();
        egress = new EgressClient(vertx, TestConfig.of(EgressConfig.class,
                Map.of("millrace.egress.open-hosts", "127.0.0.1:" + server.actualPort() + ", 127.0.0.1:1")));
        pages.put("/wide.jpg", Pictures.jpeg(300, 200));
        pages.put("/clear.png", Pictures.transparentPng(40, 80));
        pages.put("/really-webp.jpg", Pictures.sample("lossy.webp"));
        pages.put("/text.png", "not an image".getBytes());
    }

    @AfterEach
    void stop() throws Exception {
        vertx.close().toCompletionStage().toCompletableFuture().get();
    }

    @Test
    void every_image_is_measured_and_its_thumbnails_are_kept() {
        Outcome outcome = run(handler(Map.of()), payload(List.of(100, 50), visit("S1", "/wide.jpg", "/clear.png"),
                visit("S2", "/really-webp.jpg")));

        Success success = (Success) outcome;
        ImageReport report = (ImageReport) success.result();
        assertThat(report.images()).isEqualTo(3);
        assertThat(report.failed()).isZero();
        assertThat(report.fromCache()).isZero();
        assertThat(report.thumbnails()).isEqualTo(6);
        assertThat(report.errors()).isEmpty();
        assertThat(report.visits()).extracting(ImageReport.VisitReport::storeId).containsExactly("S1", "S2");
        assertThat(report.visits().get(0).images()).containsExactly(
                new Measured(url("/wide.jpg"), 300, 200, "jpeg", 1000, pages.get("/wide.jpg").length, false,
                        List.of(new KeptThumbnail("v0-i0-100.jpg", 100, 67), new KeptThumbnail("v0-i0-50.jpg", 50, 33))),
                new Measured(url("/clear.png"), 40, 80, "png", 240, pages.get("/clear.png").length, false,
                        List.of(new KeptThumbnail("v0-i1-100.png", 40, 80), new KeptThumbnail("v0-i1-50.png", 25, 50))));
        assertThat(report.visits().get(1).images()).first().asInstanceOf(type(Measured.class)).extracting(Measured::format)
                .isEqualTo("webp");
        assertThat(success.artifacts()).extracting(Artifact::name).containsExactlyInAnyOrder("v0-i0-100.jpg", "v0-i0-50.jpg",
                "v0-i1-100.png", "v0-i1-50.png", "v1-i0-100.jpg", "v1-i0-50.jpg");
        assertThat(success.artifacts()).allSatisfy(artifact -> assertThat(ImageFormat.of(artifact.bytes())).isPresent());
    }

    @Test
    void the_same_URL_is_fetched_once_in_a_job() {
        Outcome outcome = run(handler(Map.of()),
                payload(null, visit("S1", "/wide.jpg", "/wide.jpg"), visit("S2", "/wide.jpg")));

        Success success = (Success) outcome;
        assertThat(hits.get("/wide.jpg")).hasValue(1);
        assertThat(((ImageReport) success.result()).images()).isEqualTo(3);
        assertThat(success.artifacts()).extracting(Artifact::name).containsExactly("v0-i0-128.jpg");
    }

    @Test
    void failures_that_will_not_pass_reject_the_job_and_name_the_stores() throws Exception {
        Outcome outcome = run(handler(Map.of()), payload(null, visit("S1", "/wide.jpg", "/gone.jpg"), visit("S2", "/text.png"),
                visit("S3", "/wide.jpg")));

        Reject reject = (Reject) outcome;
        assertThat(reject.reason()).isEqualTo("2 of 4 images failed, of stores S1, S2");
        ImageReport report = (ImageReport) reject.detail();
        assertThat(report.failed()).isEqualTo(2);
        assertThat(report.thumbnails()).isZero();
        assertThat(report.errors()).extracting(StoreError::storeId).containsExactly("S1", "S2");
        assertThat(report.errors().get(0).error()).isEqualTo(url("/gone.jpg") + ": 127.0.0.1 answered 404");
        assertThat(report.visits().get(0).images()).first().asInstanceOf(type(Measured.class)).satisfies(measured -> {
            assertThat(measured.perimeter()).isEqualTo(1000);
            assertThat(measured.thumbnails()).as("a failed job keeps no files").isEmpty();
        });
        JsonNode json = new ObjectMapper().valueToTree(report);
        assertThat(json.at("/visits/1/images/0/error/code").asText()).isEqualTo("not-an-image");
        assertThat(json.at("/visits/1/images/0/error/permanent").asBoolean()).isTrue();
        assertThat(json.at("/errors/1/storeId").asText()).isEqualTo("S2");
    }

    @Test
    void one_failure_that_may_pass_is_enough_to_try_again() {
        statuses.put("/busy.jpg", 503);

        Outcome outcome = run(handler(Map.of()), payload(null, visit("S1", "/gone.jpg"), visit("S2", "/busy.jpg")));

        Retry retry = (Retry) outcome;
        assertThat(retry.cause()).hasMessage("2 of 2 images failed, of stores S1, S2");
        assertThat(retry.after()).as("what the server asked for").isEqualTo(Duration.ofSeconds(30));
        assertThat(((ImageReport) retry.detail()).visits()).hasSize(2);
    }

    @Test
    void a_host_that_cannot_be_reached_is_tried_again() {
        Outcome outcome = run(handler(Map.of()), payload(null, new Visit("S1", List.of("http://127.0.0.1:1/x.jpg"), null)));

        assertThat(outcome).isInstanceOf(Retry.class);
        assertThat(((Retry) outcome).after()).isNull();
        assertThat(onlyFailure(((Retry) outcome).detail()).error().code()).isEqualTo("unreachable");
    }

    @Test
    void addresses_that_are_not_called_and_damaged_images_are_permanent() {
        pages.put("/bomb.png", Pictures.pngHeader(16_000, 16_000));
        pages.put("/large.jpg", new byte[3000]);
        ImageHandler handler = handler(Map.of("millrace.image.max-bytes", "2000", "millrace.image.cache-max-bytes", "0"));

        Outcome outcome = run(handler,
                payload(null, visit("S1", "/bomb.png", "/large.jpg"),
                        new Visit("S2", List.of("http://127.0.0.1/x.jpg", "no url",
                                "ftp://example.com/x.jpg", "http://169.254.169.254/latest/"), null)));

        ImageReport report = (ImageReport) ((Reject) outcome).detail();
        assertThat(report.visits().stream().flatMap(visit -> visit.images().stream())
                .map(image -> ((Failed) image).error().code()))
                .containsExactly("too-many-pixels", "too-large", "refused", "refused", "refused", "refused");
        assertThat(report.errors().get(1).error()).endsWith("; 1 more");
    }

    @Test
    void a_payload_that_makes_no_sense_is_rejected_without_a_request() {
        Outcome outcome = run(handler(Map.of()), new ImagePayload(2, List.of(visit("S1", "/wide.jpg")), null));

        assertThat(outcome).isEqualTo(new Reject("count is 2 but there are 1 visits"));
        assertThat(hits).isEmpty();
    }

    @Test
    void thumbnails_that_do_not_fit_are_left_out_and_counted() {
        Outcome outcome = run(handler(Map.of("millrace.image.max-artifact-bytes", "2500", "millrace.image.downloads", "1")),
                payload(List.of(200), visit("S1", "/wide.jpg", "/clear.png", "/really-webp.jpg")));

        Success success = (Success) outcome;
        ImageReport report = (ImageReport) success.result();
        assertThat(report.thumbnailsLeftOut()).isPositive();
        assertThat(report.thumbnails()).isEqualTo(success.artifacts().size()).isEqualTo(3 - report.thumbnailsLeftOut());
        assertThat(success.artifacts().stream().mapToInt(artifact -> artifact.bytes().length).sum()).isLessThanOrEqualTo(2500);
    }

    @Test
    void no_more_images_than_allowed_are_fetched_at_a_time() {
        AtomicInteger now = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        ImageHandler handler = handler((url, context) -> Uni.createFrom().item(pages.get("/wide.jpg"))
                .invoke(bytes -> most.accumulateAndGet(now.incrementAndGet(), Math::max)).onItem().delayIt()
                .by(Duration.ofMillis(2)).invoke(bytes -> now.decrementAndGet()).map(bytes -> new Fetched(bytes, true)),
                Map.of("millrace.image.downloads", "3"));
        String[] many = IntStream.range(0, 60).mapToObj(i -> "/" + i).toArray(String[]::new);

        Success success = (Success) run(handler, payload(List.of(), visit("S1", many)));

        assertThat(most).hasValue(3);
        assertThat(((ImageReport) success.result()).fromCache()).isEqualTo(60);
    }

    @Test
    void cancelling_the_attempt_cancels_what_is_under_way() {
        AtomicInteger begun = new AtomicInteger();
        AtomicInteger cancelled = new AtomicInteger();
        AtomicBoolean ended = new AtomicBoolean();
        ImageHandler handler = handler((url, context) -> Uni.createFrom().<Fetched>nothing().onSubscription()
                .invoke(begun::incrementAndGet).onCancellation().invoke(cancelled::incrementAndGet), Map.of());

        Cancellable attempt = handler.run(payload(null, visit("S1", "/1", "/2", "/3", "/4", "/5")), context()).subscribe()
                .with(outcome -> ended.set(true));
        await().atMost(PATIENCE).untilAtomic(begun, is(4));
        attempt.cancel();

        await().atMost(PATIENCE).untilAtomic(cancelled, is(4));
        assertThat(begun).hasValue(4);
        assertThat(ended).isFalse();
    }

    @Test
    void a_decoder_that_takes_too_long_is_tried_again() {
        pages.put("/slow.webp", Pictures.sample("lossy.webp"));
        ImageHandler handler = handler(Map.of("millrace.image.decode-timeout", "0s"));

        Outcome outcome = run(handler, payload(null, visit("S1", "/slow.webp")));

        assertThat(onlyFailure(((Retry) outcome).detail()).error().code()).isEqualTo("decode-timeout");
    }

    private ImageHandler handler(Map<String, String> settings) {
        ImageConfig config = TestConfig.of(ImageConfig.class, settings);
        return handler((url, context) -> egress.get(url, config.maxBytes().asLongValue(), context.deadline().left())
                .map(response -> new Fetched(response.body(), false)), settings);
    }

    private static ImageHandler handler(BiFunction<URI, JobContext, Uni<Fetched>> source, Map<String, String> settings) {
        return new ImageHandler(source, new BlockingWork(), TestConfig.of(ImageConfig.class, settings));
    }

    private static Outcome run(ImageHandler handler, ImagePayload payload) {
        return handler.run(payload, context()).await().atMost(PATIENCE);
    }

    private static JobContext context() {
        return new JobContext(UUID.randomUUID(), 1, 1, 4, "default", "images", Deadline.after(PATIENCE), new Cancellation(),
                null);
    }

    private static Failed onlyFailure(Object report) {
        return (Failed) ((ImageReport) report).visits().get(0).images().get(0);
    }

    private static ImagePayload payload(List<Integer> thumbnails, Visit... visits) {
        return new ImagePayload(null, List.of(visits), thumbnails);
    }

    private Visit visit(String storeId, String... paths) {
        return new Visit(storeId, Arrays.stream(paths).map(this::url).toList(), "10:00:00");
    }

    private String url(String path) {
        return "http://127.0.0.1:" + server.actualPort() + path;
    }
}
