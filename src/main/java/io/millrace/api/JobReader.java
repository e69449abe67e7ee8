package io.millrace.api;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

import jakarta.inject.Singleton;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;

import io.millrace.handler.JobHandlers;
import io.millrace.handler.SensitivePaths;
import io.millrace.job.JobIds;
import io.millrace.job.KeyedJob;

/**
 * Reads jobs from request bodies. The payload is kept as the client wrote it, to the byte: it is checked, cut out and stored, but
 * never turned into objects on the way.
 */
@Singleton
public class JobReader {
    private final JobHandlers handlers;
    private final ApiConfig config;
    private final JsonFactory json = new JsonFactory();
    private final JobIds ids = new JobIds();

    JobReader(JobHandlers handlers, ApiConfig config) {
        this.handlers = handlers;
        this.config = config;
    }

    /**
     * @param idempotencyKey of the request; null if it has none
     * @throws ProblemException if the body is no job that can be accepted; it names what is wrong, up to a bound
     */
    KeyedJob readJob(byte[] body, String tenant, String idempotencyKey) {
        String text = text(body, config.maxBody());
        try (JsonParser parser = json.createParser(text)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw ProblemException.invalidJson("the body must be one JSON object");
            }
            KeyedJob job = readJob(parser, text, tenant, idempotencyKey);
            if (parser.nextToken() != null) {
                throw ProblemException.invalidJson("there is something behind the JSON object" + at(parser));
            }
            return job;
        } catch (IOException e) {
            throw invalidJson(e);
        }
    }

    /**
     * Reads the body of a retry: nothing, or an object whose only field is {@code payload}.
     *
     * @return the payload; null if there is none
     */
    String readPatch(byte[] body) {
        if (body == null || body.length == 0) {
            return null;
        }
        String text = text(body, config.maxBody());
        try (JsonParser parser = json.createParser(text)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw ProblemException.invalidJson("the body must be empty, or one JSON object with payload");
            }
            JobDraft draft = new JobDraft(handlers, config, parser, text);
            String payload = draft.readPatch();
            if (parser.nextToken() != null) {
                throw ProblemException.invalidJson("there is something behind the JSON object" + at(parser));
            }
            draft.throwIfWrong();
            return payload;
        } catch (IOException e) {
            throw invalidJson(e);
        }
    }

    /** @return an error for each field of the payload that holds what is shown in place of a sensitive value */
    static List<Problem.FieldError> maskedFields(SensitivePaths sensitive, String payload) {
        return sensitive.findMasks(payload).stream().map(path -> new Problem.FieldError("/payload" + path, "masked",
                "holds " + SensitivePaths.MASK + ", which is shown in place of the value: send the value itself"
                        + ", or, to retry a job as it is, no payload"))
                .toList();
    }

    /** A job, or what is wrong with it. */
    record Item(KeyedJob job, ProblemException problem) {}

    /**
     * @return an item for each element, in order: one that cannot be accepted does not fail the rest
     * @throws ProblemException if the body is not a JSON array, or NDJSON, or holds too many
     */
    List<Item> readJobs(byte[] body, boolean isLines, String tenant) {
        String text = text(body, config.maxBulkBody());
        return isLines ? readLines(text, tenant) : readArray(text, tenant);
    }

    private List<Item> readArray(String text, String tenant) {
        try (JsonParser parser = json.createParser(text)) {
            if (parser.nextToken() != JsonToken.START_ARRAY) {
                throw ProblemException.invalidJson("the body must be a JSON array of jobs, or NDJSON with Content-Type "
                        + JobsResource.NDJSON);
            }
            List<Item> items = new ArrayList<>();
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                checkCount(items.size() + 1);
                items.add(readItem(parser, text, tenant));
            }
            if (parser.nextToken() != null) {
                throw ProblemException.invalidJson("there is something behind the JSON array" + at(parser));
            }
            return items;
        } catch (IOException e) {
            throw invalidJson(e);
        }
    }

    private List<Item> readLines(String text, String tenant) {
        List<Item> items = new ArrayList<>();
        text.lines().filter(line -> !line.isBlank()).forEach(line -> {
            checkCount(items.size() + 1);
            try (JsonParser parser = json.createParser(line)) {
                parser.nextToken();
                Item item = readItem(parser, line, tenant);
                items.add(parser.nextToken() == null
                        ? item
                        : new Item(null, ProblemException.invalidJson("there is more than one JSON value on the line")));
            } catch (IOException e) {
                items.add(new Item(null, invalidJson(e)));
            }
        });
        return items;
    }

    private Item readItem(JsonParser parser, String text, String tenant) throws IOException {
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            parser.skipChildren();
            return new Item(null, ProblemException.invalidJson("a job must be a JSON object"));
        }
        try {
            return new Item(readJob(parser, text, tenant, null), null);
        } catch (ProblemException problem) {
            return new Item(null, problem);
        }
    }

    private void checkCount(int count) {
        if (count > config.maxBulkJobs()) {
            throw ProblemException.invalid(List.of(new Problem.FieldError("", "too-many",
                    "holds more than " + config.maxBulkJobs() + " jobs; split it")));
        }
    }

    /** The parser stands on the start of the object, and afterwards on its end, whatever is wrong with the job. */
    private KeyedJob readJob(JsonParser parser, String text, String tenant, String idempotencyKey) throws IOException {
        JobDraft draft = new JobDraft(handlers, config, parser, text);
        draft.read();
        return draft.toJob(ids.next(), tenant, idempotencyKey);
    }

    private static String text(byte[] body, int limit) {
        if (body == null || body.length == 0) {
            throw ProblemException.invalidJson("the body is empty");
        }
        if (body.length > limit) {
            throw ProblemException.tooLarge(limit);
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString();
        } catch (CharacterCodingException e) {
            throw ProblemException.invalidJson("the body is not valid UTF-8");
        }
    }

    private static ProblemException invalidJson(IOException failure) {
        if (failure instanceof StreamConstraintsException) {
            return ProblemException.invalidJson("the JSON nests too deep, or a number or name in it is too long");
        }
        if (failure instanceof JsonProcessingException syntax) {
            return ProblemException.invalidJson(syntax.getOriginalMessage() + " at line " + syntax.getLocation().getLineNr()
                    + ", column " + syntax.getLocation().getColumnNr());
        }
        return ProblemException.invalidJson(failure.getMessage());
    }

    private static String at(JsonParser parser) {
        return " at line " + parser.currentLocation().getLineNr() + ", column " + parser.currentLocation().getColumnNr();
    }
}
