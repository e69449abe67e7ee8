package io.millrace.handler.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

import javax.imageio.ImageIO;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

import io.millrace.handler.image.ImageReading.Picture;
import io.millrace.handler.image.ImageReading.Thumbnail;

@DisplayNameGeneration(ReplaceUnderscores.class)
class ImageReadingTest {

    static final BooleanSupplier GO_ON = () -> false;

    final ImageReading reading = new ImageReading(40_000_000, 50);

    static Stream<Arguments> images() {
        return Stream.of(Arguments.of(Pictures.jpeg(300, 200), ImageFormat.JPEG, 300, 200),
                Arguments.of(Pictures.png(300, 200), ImageFormat.PNG, 300, 200),
                Arguments.of(Pictures.transparentPng(300, 200), ImageFormat.PNG, 300, 200),
                Arguments.of(Pictures.gif(300, 200), ImageFormat.GIF, 300, 200),
                Arguments.of(Pictures.animatedGif(3), ImageFormat.GIF, 20, 10),
                Arguments.of(Pictures.sample("lossy.webp"), ImageFormat.WEBP, 80, 45),
                Arguments.of(Pictures.sample("lossy-alpha.webp"), ImageFormat.WEBP, 48, 48),
                Arguments.of(Pictures.sample("lossless-alpha.webp"), ImageFormat.WEBP, 48, 48),
                Arguments.of(Pictures.sample("animated.webp"), ImageFormat.WEBP, 40, 30));
    }

    @ParameterizedTest
    @MethodSource("images")
    void every_format_is_measured_and_made_a_thumbnail_of(byte[] bytes, ImageFormat format, int width, int height)
            throws Exception {
        Picture picture = reading.read(bytes, List.of(16), GO_ON);

        assertThat(picture.format()).isEqualTo(format);
        assertThat(picture.width()).isEqualTo(width);
        assertThat(picture.height()).isEqualTo(height);
        Thumbnail thumbnail = picture.thumbnails().get(0);
        assertThat(Math.max(thumbnail.width(), thumbnail.height())).isEqualTo(16);
        BufferedImage decoded = decode(thumbnail);
        assertThat(decoded.getWidth()).isEqualTo(thumbnail.width());
        assertThat(decoded.getHeight()).isEqualTo(thumbnail.height());
    }

    @ParameterizedTest
    @MethodSource("images")
    void an_image_that_ends_too_early_is_unreadable(byte[] bytes) {
        byte[] half = Arrays.copyOf(bytes, bytes.length / 2);

        assertRefused(half, "unreadable");
    }

    @ParameterizedTest
    @MethodSource("images")
    void a_decoder_that_is_stopped_ends(byte[] bytes) throws Exception {
        AtomicInteger reads = new AtomicInteger();
        reading.read(bytes, List.of(16), () -> reads.incrementAndGet() < 0);
        int half = reads.get() / 2;
        AtomicInteger readsOfSecond = new AtomicInteger();

        assertThatExceptionOfType(ImageProblem.class)
                .isThrownBy(() -> reading.read(bytes, List.of(16), () -> readsOfSecond.incrementAndGet() > half))
                .satisfies(problem -> {
                    assertThat(problem.code()).isEqualTo("decode-timeout");
                    assertThat(problem.isPermanent()).isFalse();
                });
    }

    @ParameterizedTest
    @CsvSource({"4000, 3000, 512, 512, 384", "300, 4000, 128, 10, 128", "100, 50, 128, 100, 50", "3000, 10, 16, 16, 1",
            "16, 16, 16, 16, 16", "2000, 1, 64, 64, 1"})
    void a_thumbnail_keeps_the_shape_and_is_never_larger_than_the_image(int width, int height, int size, int thumbnailWidth,
            int thumbnailHeight) throws Exception {
        Thumbnail thumbnail = reading.read(Pictures.jpeg(width, height), List.of(size), GO_ON).thumbnails().get(0);

        assertThat(thumbnail.size()).isEqualTo(size);
        assertThat(thumbnail.width()).isEqualTo(thumbnailWidth);
        assertThat(thumbnail.height()).isEqualTo(thumbnailHeight);
    }

    @Test
    void thumbnails_come_in_the_order_asked_for() throws Exception {
        List<Thumbnail> thumbnails = reading.read(Pictures.jpeg(900, 600), List.of(64, 512, 128), GO_ON).thumbnails();

        assertThat(thumbnails).extracting(Thumbnail::width).containsExactly(64, 512, 128);
    }

    @Test
    void a_thumbnail_shows_the_image() throws Exception {
        BufferedImage thumbnail = decode(reading.read(Pictures.jpeg(3000, 2000), List.of(100), GO_ON).thumbnails().get(0));

        assertThat(thumbnail.getRGB(2, 30) >> 16 & 0xff).as("red on the left").isGreaterThan(180);
        assertThat(thumbnail.getRGB(80, 30) & 0xffffff).as("black on the right").isLessThan(0x101010);
    }

    @Test
    void what_is_transparent_stays_so_as_PNG_and_everything_else_becomes_JPEG() throws Exception {
        Thumbnail transparent = reading.read(Pictures.transparentPng(300, 200), List.of(64), GO_ON).thumbnails().get(0);
        Thumbnail opaque = reading.read(Pictures.opaquePngWithAlpha(300, 200), List.of(64), GO_ON).thumbnails().get(0);

        assertThat(transparent.contentType()).isEqualTo("image/png");
        assertThat(decode(transparent).getRGB(60, 10) >>> 24).isZero();
        assertThat(opaque.contentType()).isEqualTo("image/jpeg");
        assertThat(ImageFormat.of(opaque.bytes())).contains(ImageFormat.JPEG);
    }

    @Test
    void without_thumbnails_an_image_is_measured_only() throws Exception {
        Picture picture = reading.read(Pictures.pngHeader(4000, 3000), List.of(), GO_ON);

        assertThat(picture.width()).isEqualTo(4000);
        assertThat(picture.thumbnails()).isEmpty();
    }

    @Test
    void a_bomb_is_refused_by_its_header() {
        assertThatExceptionOfType(ImageProblem.class)
                .isThrownBy(() -> reading.read(Pictures.pngHeader(16_000, 16_000), List.of(128), GO_ON))
                .withMessageContaining("16000 x 16000").withMessageContaining("millrace.image.max-pixels")
                .satisfies(problem -> assertThat(problem.code()).isEqualTo("too-many-pixels"));
    }

    @Test
    void a_WebP_that_is_larger_inside_than_its_header_says_is_refused() {
        byte[] liar = Pictures.sample("lossy-alpha.webp");
        ByteBuffer bytes = ByteBuffer.wrap(liar).order(ByteOrder.LITTLE_ENDIAN);
        int picture = new String(liar, StandardCharsets.ISO_8859_1).indexOf("VP8 ") + 8;
        bytes.putShort(picture + 6, (short) 16_383).putShort(picture + 8, (short) 16_383);

        assertRefused(liar, "too-many-pixels");
    }

    @Test
    void too_many_frames_are_refused() throws Exception {
        assertRefused(Pictures.animatedGif(51), "too-many-frames");
        assertThat(reading.read(Pictures.animatedGif(50), List.of(16), GO_ON).thumbnails()).hasSize(1);
        assertThatExceptionOfType(ImageProblem.class).isThrownBy(
                () -> new ImageReading(40_000_000, 2).read(Pictures.sample("animated.webp"), List.of(16), GO_ON));
    }

    @Test
    void what_is_no_image_is_told_as_that() {
        assertRefused("just text".getBytes(StandardCharsets.UTF_8), "not-an-image");
        assertRefused("<svg xmlns='http://www.w3.org/2000/svg'/>".getBytes(StandardCharsets.UTF_8), "not-an-image");
        assertRefused(new byte[0], "not-an-image");
    }

    @Test
    void noise_after_a_good_start_is_unreadable() {
        for (byte[] bytes : List.of(Pictures.jpeg(90, 60), Pictures.png(90, 60), Pictures.gif(90, 60),
                Pictures.sample("lossless-alpha.webp"))) {
            byte[] noise = bytes.clone();
            Arrays.fill(noise, 12, noise.length, (byte) 0xa5);
            assertRefused(noise, "unreadable");
        }
    }

    private void assertRefused(byte[] bytes, String code) {
        assertThatExceptionOfType(ImageProblem.class).isThrownBy(() -> reading.read(bytes, List.of(16), GO_ON))
                .satisfies(problem -> {
                    assertThat(problem.code()).as(problem.getMessage()).isEqualTo(code);
                    assertThat(problem.isPermanent()).isTrue();
                });
    }

    private static BufferedImage decode(Thumbnail thumbnail) throws IOException {
        return ImageIO.read(new ByteArrayInputStream(thumbnail.bytes()));
    }
}
