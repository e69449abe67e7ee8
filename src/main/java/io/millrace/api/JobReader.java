package io.millrace.api;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;

import jakarta.inject.Singleton;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;

import io.millrace.handler.JobHandler;
import io.millrace.handler.JobHandlers;
import io.millrace.handler.JobType;
import io.millrace.intake.JobIds;
import io.millrace.job.Backoff;
import io.millrace.job.JobOptions;
import io.millrace.job.NewJob;
import io.millrace.job.Priority;
import io.millrace.job.RetryPolicy;

/**
 * Reads jobs from request bodies. The payload is kept as the client wrote it, to the byte: it is checked, cut out and stored, but
 * never turned into objects on the way.
 */
@Singleton
public class JobReader {
    private static final List<String> FIELDS = List.of("type", "payload", "queue", "priority", "runAt", "delay", "timeout",
            "retry",
            "tags");
    private static final List<String> RETRY_FIELDS = List.of("maxAttempts", "backoff", "base", "cap", "jitter");
    private static final Pattern TAG = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9._:-]{0,63}");
    private static final int MOST_TAGS = 20;
    /** Enough to mend a request; a body full of errors must not make an answer many times its size. */
    private static final int MOST_ERRORS = 20;

    private final JobHandlers handlers;
    private final ApiConfig config;
    private final JsonFactory json = new JsonFactory();
    private final JobIds ids = new JobIds();

    JobReader(JobHandlers handlers, ApiConfig config) {
        this.handlers = handlers;
        this.config = config;
    }

    /** @throws ProblemException if the body is no job that can be accepted; it names what is wrong, up to a bound */
    NewJob readJob(byte[] body, String tenant) {
        String text = text(body, config.maxBody());
        try (JsonParser parser = json.createParser(text)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw ProblemException.invalidJson("the body must be one JSON object");
            }
            NewJob job = readJob(parser, text, tenant);
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
            Draft draft = new Draft();
            String payload = null;
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String field = parser.currentName();
                String path = draft.see("", field);
                parser.nextToken();
                if (field.equals("payload")) {
                    payload = raw(draft, parser, text);
                } else {
                    parser.skipChildren();
                    draft.unknown(path, field, List.of("payload"));
                }
            }
            if (parser.nextToken() != null) {
                throw ProblemException.invalidJson("there is something behind the JSON object" + at(parser));
            }
            draft.throwIfWrong();
            return payload;
        } catch (IOException e) {
            throw invalidJson(e);
        }
    }

    /** A job, or what is wrong with it. */
    record Item(NewJob job, ProblemException problem) {}

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
            return new Item(readJob(parser, text, tenant), null);
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
    private NewJob readJob(JsonParser parser, String text, String tenant) throws IOException {
        Draft draft = new Draft();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String field = parser.currentName();
            String path = draft.see("", field);
            parser.nextToken();
            readField(draft, field, path, parser, text);
        }
        return draft.toJob(tenant);
    }

    private void readField(Draft draft, String field, String path, JsonParser parser, String text) throws IOException {
        switch (field) {
            case "type" -> draft.type = string(draft, path, parser);
            case "payload" -> draft.payload = raw(draft, parser, text);
            case "queue" -> draft.queue = string(draft, path, parser);
            case "priority" -> draft.priority = label(draft, path, parser, Priority::labelled, "high, normal or low");
            case "runAt" -> draft.runAt = time(draft, path, parser);
            case "delay" -> draft.delay = duration(draft, path, parser, Duration.ZERO, config.maxDelay());
            case "timeout" -> draft.timeout = duration(draft, path, parser, Duration.ofMillis(1), config.maxTimeout());
            case "retry" -> readRetry(draft, parser);
            case "tags" -> readTags(draft, parser);
            default -> {
                parser.skipChildren();
                draft.unknown(path, field, FIELDS);
            }
        }
    }

    private static void readRetry(Draft draft, JsonParser parser) throws IOException {
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            parser.skipChildren();
            draft.wrong("/retry", "not-an-object", "must be an object with " + String.join(", ", RETRY_FIELDS));
            return;
        }
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String field = parser.currentName();
            String path = draft.see("/retry", field);
            parser.nextToken();
            switch (field) {
                case "maxAttempts" -> draft.maxAttempts = attempts(draft, path, parser);
                case "backoff" -> draft.curve = label(draft, path, parser, Backoff.Curve::labelled, "exponential or fixed");
                case "base" -> draft.base = duration(draft, path, parser, Duration.ZERO, Backoff.LONGEST);
                case "cap" -> draft.cap = duration(draft, path, parser, Duration.ZERO, Backoff.LONGEST);
                case "jitter" -> draft.jitter = label(draft, path, parser, Backoff.Jitter::labelled, "none, equal or full");
                default -> {
                    parser.skipChildren();
                    draft.unknown(path, field, RETRY_FIELDS);
                }
            }
        }
    }

    private static void readTags(Draft draft, JsonParser parser) throws IOException {
        if (parser.currentToken() != JsonToken.START_ARRAY) {
            parser.skipChildren();
            draft.wrong("/tags", "not-an-array", "must be an array of strings");
            return;
        }
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            String path = "/tags/" + draft.tags.size();
            String tag = string(draft, path, parser);
            if (tag != null && !TAG.matcher(tag).matches()) {
                draft.wrong(path, "invalid-tag", "must be 1 to 64 of a-z A-Z 0-9 . _ : - and start with a letter or digit");
            }
            draft.tags.add(tag);
        }
        if (draft.tags.size() > MOST_TAGS) {
            draft.wrong("/tags", "too-many", "holds more than " + MOST_TAGS + " tags");
        }
    }

    private String raw(Draft draft, JsonParser parser, String text) throws IOException {
        int start = (int) parser.currentTokenLocation().getCharOffset();
        if (parser.currentToken().isScalarValue()) {
            parser.finishToken();
        } else if (skipNested(parser) > config.maxDepth()) {
            draft.wrong("/payload", "too-deep", "nests deeper than " + config.maxDepth() + " levels");
        }
        String payload = text.substring(start, (int) parser.currentLocation().getCharOffset());
        String fault = PayloadText.findFault(payload);
        if (fault != null) {
            draft.unreadable = ProblemException.unreadableText("/payload", fault);
        }
        return payload;
    }

    /** Moves from the start of an array or object to its end. @return how many levels it nests */
    private static int skipNested(JsonParser parser) throws IOException {
        int depth = 1;
        int deepest = 1;
        while (depth > 0) {
            JsonToken token = parser.nextToken();
            depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
            deepest = Math.max(deepest, depth);
        }
        return deepest;
    }

    private static String string(Draft draft, String path, JsonParser parser) throws IOException {
        if (parser.currentToken() == JsonToken.VALUE_STRING) {
            return parser.getText();
        }
        parser.skipChildren();
        draft.wrong(path, "not-a-string", "must be a string");
        return null;
    }

    private static <T> T label(Draft draft, String path, JsonParser parser, Function<String, Optional<T>> labelled,
            String known)
            throws IOException {
        String text = string(draft, path, parser);
        if (text == null) {
            return null;
        }
        Optional<T> value = labelled.apply(text);
        if (value.isEmpty()) {
            draft.wrong(path, "unknown-value", "must be " + known);
        }
        return value.orElse(null);
    }

    private static Integer attempts(Draft draft, String path, JsonParser parser) throws IOException {
        if (parser.currentToken() == JsonToken.VALUE_NUMBER_INT && parser.getNumberType() == JsonParser.NumberType.INT
                && parser.getIntValue() >= 1 && parser.getIntValue() <= RetryPolicy.MAX_ATTEMPTS_LIMIT) {
            return parser.getIntValue();
        }
        parser.skipChildren();
        draft.wrong(path, "out-of-range", "must be a whole number from 1 to " + RetryPolicy.MAX_ATTEMPTS_LIMIT);
        return null;
    }

    private static Duration duration(Draft draft, String path, JsonParser parser, Duration least, Duration most)
            throws IOException {
        String text = string(draft, path, parser);
        if (text == null) {
            return null;
        }
        try {
            Duration duration = Duration.parse(text);
            if (duration.compareTo(least) >= 0 && duration.compareTo(most) <= 0) {
                return duration;
            }
            draft.wrong(path, "out-of-range", "must be from " + least + " to " + most);
        } catch (DateTimeException e) {
            draft.wrong(path, "invalid-duration", "must be an ISO-8601 duration, for example PT30S");
        }
        return null;
    }

    private Instant time(Draft draft, String path, JsonParser parser) throws IOException {
        String text = string(draft, path, parser);
        if (text == null) {
            return null;
        }
        try {
            Instant time = OffsetDateTime.parse(text).toInstant();
            if (time.isAfter(Instant.now().plus(config.maxDelay()))) {
                draft.wrong(path, "out-of-range", "must be within " + config.maxDelay() + " from now");
                return null;
            }
            // A time in the past means now; PostgreSQL need not know how long ago.
            return time.isBefore(Instant.EPOCH) ? Instant.EPOCH : time;
        } catch (DateTimeException e) {
            draft.wrong(path, "invalid-time", "must be an RFC 3339 time with a zone, for example 2030-01-31T08:00:00Z");
            return null;
        }
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

    /** What was read of one job, and what is wrong with it. */
    private final class Draft {
        private final Set<String> seen = new HashSet<>();
        private final List<Problem.FieldError> errors = new ArrayList<>(0);
        private final List<String> tags = new ArrayList<>(0);
        private ProblemException unreadable;
        private String type;
        private String payload = "{}";
        private String queue;
        private Priority priority = Priority.NORMAL;
        private Instant runAt;
        private Duration delay;
        private Duration timeout;
        private Integer maxAttempts;
        private Backoff.Curve curve;
        private Duration base;
        private Duration cap;
        private Backoff.Jitter jitter;

        /** @return the JSON Pointer of the field */
        String see(String parent, String field) {
            String path = parent + "/" + field.replace("~", "~0").replace("/", "~1");
            if (!seen.add(path)) {
                wrong(path, "duplicate", "is there twice");
            }
            return path;
        }

        void wrong(String path, String code, String message) {
            if (errors.size() < MOST_ERRORS) {
                errors.add(new Problem.FieldError(path, code, message));
            }
        }

        void unknown(String path, String field, List<String> known) {
            if (errors.size() < MOST_ERRORS) {
                wrong(path, "unknown-field", "is no known field; did you mean " + NearestName.of(field, known) + "?");
            }
        }

        NewJob toJob(String tenant) {
            JobType<?> known = knownType();
            if (queue != null && !JobType.NAME.matcher(queue).matches()) {
                wrong("/queue", "invalid-name", "must match ^" + JobType.NAME.pattern() + "$");
            }
            if (runAt != null && delay != null) {
                wrong("/delay", "conflict", "cannot be combined with runAt");
            }
            Backoff backoff = known == null ? null : backoff(known.retry().backoff());
            throwIfWrong();
            return new NewJob(ids.next(), tenant, queue == null ? known.queue() : queue, known.name(), priority, payload,
                    new JobOptions(timeout, backoff), tags, maxAttempts == null ? known.retry().maxAttempts() : maxAttempts,
                    runAt,
                    delay);
        }

        void throwIfWrong() {
            if (!errors.isEmpty()) {
                throw ProblemException.invalid(errors);
            }
            if (unreadable != null) {
                throw unreadable;
            }
        }

        private JobType<?> knownType() {
            if (type == null) {
                if (errors.stream().noneMatch(error -> error.path().equals("/type"))) {
                    wrong("/type", "missing", "is missing; known types: " + String.join(", ", handlers.names()));
                }
                return null;
            }
            JobHandler<?> handler = handlers.find(type);
            if (handler == null) {
                wrong("/type", "unknown-type", "is no known job type; known types: " + String.join(", ", handlers.names()));
                return null;
            }
            return handler.type();
        }

        /** @return null if the job says nothing about it */
        private Backoff backoff(Backoff ofType) {
            if (curve == null && base == null && cap == null && jitter == null) {
                return null;
            }
            Duration chosenBase = base == null ? ofType.base() : base;
            Duration chosenCap = cap == null ? ofType.cap() : cap;
            if (chosenCap.compareTo(chosenBase) < 0) {
                if (cap != null) {
                    wrong("/retry/cap", "out-of-range", "must be at least base, which is " + chosenBase);
                    return null;
                }
                chosenCap = chosenBase;
            }
            return new Backoff(curve == null ? ofType.curve() : curve, chosenBase, chosenCap,
                    jitter == null ? ofType.jitter() : jitter);
        }
    }
}
