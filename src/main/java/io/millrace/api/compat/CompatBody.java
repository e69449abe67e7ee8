package io.millrace.api.compat;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;

import jakarta.inject.Singleton;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.millrace.api.ApiConfig;
import io.millrace.api.PayloadText;
import io.millrace.handler.JobHandlers;
import io.millrace.handler.JobType;
import io.millrace.job.JobIds;
import io.millrace.job.JobOptions;
import io.millrace.job.NewJob;
import io.millrace.job.Priority;

/** Reads the bodies of the older systems' requests. */
@Singleton
class CompatBody {
    private final ObjectMapper json;
    private final JobIds ids = new JobIds();
    private final JobHandlers handlers;
    private final int limit;

    CompatBody(ApiConfig config, JobHandlers handlers) {
        this.handlers = handlers;
        limit = config.maxBody();
        JsonFactory bounded = JsonFactory.builder()
                .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(config.maxDepth() + 1).build()).build();
        json = JsonMapper.builder(bounded).enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();
    }

    /** @param missing what to say if the body is no JSON object */
    ObjectNode readObject(byte[] body, String missing) {
        if (body == null || body.length == 0) {
            throw CompatError.badRequest(missing);
        }
        if (body.length > limit) {
            throw CompatError.tooLarge(limit);
        }
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString();
            if (!(json.readTree(text) instanceof ObjectNode object)) {
                throw CompatError.badRequest(missing);
            }
            checkText(text);
            return object;
        } catch (CharacterCodingException e) {
            throw CompatError.badRequest("the body is not valid UTF-8");
        } catch (JsonProcessingException e) {
            throw CompatError.badRequest("the body is not valid JSON: " + e.getOriginalMessage());
        }
    }

    /** In the text as it came: once it is parsed, half of a surrogate pair is a character like any other. */
    private static void checkText(String json) {
        String fault = PayloadText.findFault(json);
        if (fault != null) {
            throw CompatError.badRequest("the body holds " + fault + "; remove it");
        }
    }

    /** A job of a type with that type's defaults. */
    NewJob job(JobType<?> type, String tenant, JsonNode payload, Instant runAt) {
        return job(type, tenant, payload, runAt, List.of());
    }

    NewJob job(JobType<?> type, String tenant, JsonNode payload, Instant runAt, List<String> tags) {
        String text = payload.toString();
        List<String> masked = handlers.sensitive(type.name()).findMasks(text);
        if (!masked.isEmpty()) {
            throw CompatError.badRequest(masked.get(0) + " of the payload is masked: send the real value");
        }
        return new NewJob(ids.next(), tenant, type.queue(), type.name(), Priority.NORMAL, text, JobOptions.NONE, tags,
                type.retry().maxAttempts(), runAt, null);
    }
}
