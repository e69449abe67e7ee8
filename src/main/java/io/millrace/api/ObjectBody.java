package io.millrace.api;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** A small request body: an object with a few known fields. */
final class ObjectBody {
    private static final ObjectMapper JSON = JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(com.fasterxml.jackson.core.StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();
    private static final int MOST_BYTES = 16_384;

    private final ObjectNode fields;

    private ObjectBody(ObjectNode fields) {
        this.fields = fields;
    }

    /** @throws ProblemException if it is no object, or has a field that is not known */
    static ObjectBody read(byte[] body, List<String> known) {
        if (body != null && body.length > MOST_BYTES) {
            throw ProblemException.tooLarge(MOST_BYTES);
        }
        if (!(parse(body) instanceof ObjectNode object)) {
            throw ProblemException.invalidJson("the body is no JSON object");
        }
        List<Problem.FieldError> errors = new ArrayList<>();
        object.fieldNames().forEachRemaining(name -> {
            if (!known.contains(name)) {
                errors.add(new Problem.FieldError(pointer(name), "unknown-field",
                        "is no known field; did you mean " + NearestName.of(name, known) + "?"));
            }
        });
        if (!errors.isEmpty()) {
            throw ProblemException.invalid(errors);
        }
        return new ObjectBody(object);
    }

    private static JsonNode parse(byte[] body) {
        try {
            return body == null
                    ? null
                    : JSON.readTree(StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString());
        } catch (CharacterCodingException e) {
            throw ProblemException.invalidJson("the body is not valid UTF-8");
        } catch (IOException e) {
            throw ProblemException.invalidJson("the body is not valid JSON");
        }
    }

    String text(String field) {
        if (!fields.path(field).isTextual()) {
            throw wrong(field, "must be a string");
        }
        return readable(pointer(field), fields.path(field).asText());
    }

    List<String> texts(String field) {
        List<String> texts = new ArrayList<>();
        for (JsonNode item : fields.path(field)) {
            if (!item.isTextual()) {
                throw wrong(field, "must be a list of strings");
            }
            texts.add(readable(pointer(field) + "/" + texts.size(), item.asText()));
        }
        if (!fields.path(field).isArray()) {
            throw wrong(field, "must be a list of strings");
        }
        return texts;
    }

    /** @return null if there is none */
    String optionalText(String field) {
        return fields.hasNonNull(field) ? text(field) : null;
    }

    /** @return null if there is none */
    Instant time(String field) {
        if (!fields.hasNonNull(field)) {
            return null;
        }
        try {
            return OffsetDateTime.parse(text(field)).toInstant();
        } catch (DateTimeException e) {
            throw wrong(field, "must be an RFC 3339 time with a zone, for example 2030-01-31T08:00:00Z");
        }
    }

    private static String readable(String path, String text) {
        String fault = PayloadText.findFaultInText(text);
        if (fault != null) {
            throw ProblemException.unreadableText(path, fault);
        }
        return text;
    }

    private static String pointer(String field) {
        return "/" + field.replace("~", "~0").replace("/", "~1");
    }

    private static ProblemException wrong(String field, String message) {
        return ProblemException.invalid(List.of(new Problem.FieldError("/" + field, "invalid-value", message)));
    }
}
