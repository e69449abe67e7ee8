package io.millrace.handler.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import com.fasterxml.jackson.databind.ObjectMapper;

import io.millrace.handler.image.ImagePayload.Visit;

@DisplayNameGeneration(ReplaceUnderscores.class)
class ImagePayloadTest {

    final ObjectMapper json = new ObjectMapper();

    @Test
    void both_spellings_are_read_into_the_same_payload() throws Exception {
        ImagePayload ours = json.readValue("""
                {"visits": [{"storeId": "S1", "imageUrls": ["http://a/1"], "visitTime": "10:00:00"}]}""", ImagePayload.class);
        ImagePayload reference = json.readValue("""
                {"count": 1, "visits": [{"store_id": "S1", "image_url": ["http://a/1"], "visit_time": "10:00:00"}]}""",
                ImagePayload.class);

        assertThat(reference.visits()).isEqualTo(ours.visits())
                .containsExactly(new Visit("S1", List.of("http://a/1"), "10:00:00"));
        assertThat(reference.count()).isEqualTo(1);
        assertThat(reference.problem()).isNull();
        assertThat(reference.thumbnailSizes()).containsExactly(128);
    }

    @Test
    void the_example_of_the_type_is_a_good_payload() throws Exception {
        ImagePayload example = json.readValue(ImageHandler.TYPE.example(), ImagePayload.class);

        assertThat(example.problem()).isNull();
    }

    static Stream<Arguments> bad() {
        Visit good = visit("S1", "http://a/1");
        return Stream.of(Arguments.of(new ImagePayload(null, null, null), "visits is missing"),
                Arguments.of(new ImagePayload(null, List.of(), null), "visits is missing"),
                Arguments.of(new ImagePayload(2, List.of(good), null), "count is 2 but there are 1"),
                Arguments.of(new ImagePayload(null, Collections.singletonList(null), null), "visits[0] is null"),
                Arguments.of(new ImagePayload(null, List.of(good, visit(" ", "http://a/1")), null), "visits[1].storeId"),
                Arguments.of(new ImagePayload(null, List.of(visit("S1")), null), "visits[0].imageUrls is missing or empty"),
                Arguments.of(new ImagePayload(null, List.of(visit("S1", "")), null), "visits[0].imageUrls has an entry"),
                Arguments.of(new ImagePayload(null, List.of(visit("S1", "h".repeat(2049))), null), "visits[0].imageUrls has"),
                Arguments.of(
                        new ImagePayload(null, List.of(new Visit("S1", Collections.nCopies(1001, "http://a"), null)), null),
                        "1001 images"),
                Arguments.of(new ImagePayload(null, List.of(good), List.of(16, 17, 18, 19, 20)), "5 sizes"),
                Arguments.of(new ImagePayload(null, List.of(good), List.of(15)), "not from 16 to 1024"),
                Arguments.of(new ImagePayload(null, List.of(good), List.of(1025)), "not from 16 to 1024"),
                Arguments.of(new ImagePayload(null, List.of(good), Collections.singletonList(null)), "not from 16 to 1024"));
    }

    @ParameterizedTest
    @MethodSource("bad")
    void what_is_wrong_is_said_with_its_place(ImagePayload payload, String problem) {
        assertThat(payload.problem()).contains(problem);
    }

    private static Visit visit(String storeId, String... urls) {
        return new Visit(storeId, List.of(urls), null);
    }
}
