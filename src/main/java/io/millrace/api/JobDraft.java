package io.millrace.api;

import java.io.IOException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.regex.Pattern;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;

import io.millrace.handler.JobHandler;
import io.millrace.handler.JobHandlers;
import io.millrace.handler.JobType;
import io.millrace.handler.SensitivePaths;
import io.millrace.job.Backoff;
import io.millrace.job.JobKeys;
import io.millrace.job.JobOptions;
import io.millrace.job.KeyedJob;
import io.millrace.job.NewJob;
import io.millrace.job.OnConflict;
import io.millrace.job.Priority;
import io.millrace.job.RetryPolicy;

/** What was read of one job, field by field, and what is wrong with it. */
final class JobDraft {
    private static final List<String> FIELDS = List.of("type", "payload", "queue", "priority", "runAt", "delay", "timeout",
            "retry", "tags", "idempotencyKey", "uniqueKey", "onConflict");
    private static final List<String> RETRY_FIELDS = List.of("maxAttempts", "backoff", "base", "cap", "jitter");
    private static final Pattern TAG = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9._:-]{0,63}");
    private static final int MOST_TAGS = 20;
    /** Enough to mend a request; a body full of errors must not make an answer many times its size. */
    private static final int MOST_ERRORS = 20;

    private final JobHandlers handlers;
    private final ApiConfig config;
    private final JsonParser parser;
    private final String text;
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
    private String idempotencyKey;
    private String uniqueKey;
    private OnConflict onConflict;

    /**
     * @param parser stands on the start of an object
     * @param text what it parses
     */
    JobDraft(JobHandlers handlers, ApiConfig config, JsonParser parser, String text) {
        this.handlers = handlers;
        this.config = config;
        this.parser = parser;
        this.text = text;
    }

    /** Afterwards the parser stands on the end of the object, whatever is wrong with the job. */
    void read() throws IOException {
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String field = parser.currentName();
            String path = see("", field);
            parser.nextToken();
            readField(field, path);
        }
    }

    /** The same for an object whose only field may be {@code payload}. @return the payload; null if there is none */
    String readPatch() throws IOException {
        String patch = null;
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String field = parser.currentName();
            String path = see("", field);
            parser.nextToken();
            if (field.equals("payload")) {
                patch = raw();
            } else {
                parser.skipChildren();
                unknown(path, field, List.of("payload"));
            }
        }
        return patch;
    }

    /**
     * @param givenKey the idempotency key of the request; null if it has none
     * @throws ProblemException if the job cannot be accepted; it names what is wrong, up to a bound
     */
    KeyedJob toJob(UUID id, String tenant, String givenKey) {
        JobType<?> known = knownType();
        if (queue != null && !JobType.NAME.matcher(queue).matches()) {
            wrong("/queue", "invalid-name", "must match ^" + JobType.NAME.pattern() + "$");
        }
        if (runAt != null && delay != null) {
            wrong("/delay", "conflict", "cannot be combined with runAt");
        }
        if (givenKey != null && idempotencyKey != null && !givenKey.equals(idempotencyKey)) {
            wrong("/idempotencyKey", "conflict", "is another key than that of the header Idempotency-Key; send one of them");
        }
        if (onConflict != null && uniqueKey == null) {
            wrong("/onConflict", "conflict", "says nothing without uniqueKey");
        }
        if (known != null && SensitivePaths.mayHoldMask(payload)) {
            JobReader.maskedFields(handlers.sensitive(known.name()), payload)
                    .forEach(error -> wrong(error.path(), error.code(), error.message()));
        }
        Backoff backoff = known == null ? null : backoff(known.retry().backoff());
        if (known != null && unreadable == null) {
            PayloadFaults.of(handlers.find(known.name()), payload)
                    .forEach(fault -> wrong(fault.path(), fault.code(), fault.message()));
        }
        throwIfWrong();
        NewJob job = new NewJob(id, tenant, queue == null ? known.queue() : queue, known.name(), priority, payload,
                new JobOptions(timeout, backoff), tags, maxAttempts == null ? known.retry().maxAttempts() : maxAttempts,
                runAt,
                delay);
        return new KeyedJob(job, keys(givenKey == null ? idempotencyKey : givenKey));
    }

    private JobKeys keys(String idempotent) {
        if (idempotent == null && uniqueKey == null) {
            return JobKeys.NONE;
        }
        OnConflict resolved = uniqueKey == null ? null : onConflict == null ? OnConflict.RETURN : onConflict;
        return new JobKeys(idempotent, idempotent == null ? null : hash(), uniqueKey, resolved);
    }

    /** Of what was asked for, as it was read: neither blanks between fields nor defaults that may change count. */
    private String hash() {
        RequestHash hash = new RequestHash();
        for (Object field : new Object[]{type, payload, queue, priority, runAt, delay, timeout, maxAttempts, curve, base, cap,
                jitter,
                uniqueKey, onConflict}) {
            hash.add(field);
        }
        tags.forEach(hash::add);
        return hash.hex();
    }

    /** @throws ProblemException if anything was wrong */
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

    private void readField(String field, String path) throws IOException {
        switch (field) {
            case "type" -> type = string(path);
            case "payload" -> payload = raw();
            case "queue" -> queue = string(path);
            case "priority" -> priority = label(path, Priority::labelled, "high, normal or low");
            case "runAt" -> runAt = time(path);
            case "delay" -> delay = duration(path, Duration.ZERO, config.maxDelay());
            case "timeout" -> timeout = duration(path, Duration.ofMillis(1), config.maxTimeout());
            case "retry" -> readRetry();
            case "tags" -> readTags();
            case "idempotencyKey" -> idempotencyKey = key(path);
            case "uniqueKey" -> uniqueKey = key(path);
            case "onConflict" -> onConflict = label(path, OnConflict::labelled, "return, reject or replace");
            default -> {
                parser.skipChildren();
                unknown(path, field, FIELDS);
            }
        }
    }

    private void readRetry() throws IOException {
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            parser.skipChildren();
            wrong("/retry", "not-an-object", "must be an object with " + String.join(", ", RETRY_FIELDS));
            return;
        }
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String field = parser.currentName();
            String path = see("/retry", field);
            parser.nextToken();
            switch (field) {
                case "maxAttempts" -> maxAttempts = attempts(path);
                case "backoff" -> curve = label(path, Backoff.Curve::labelled, "exponential or fixed");
                case "base" -> base = duration(path, Duration.ZERO, Backoff.LONGEST);
                case "cap" -> cap = duration(path, Duration.ZERO, Backoff.LONGEST);
                case "jitter" -> jitter = label(path, Backoff.Jitter::labelled, "none, equal or full");
                default -> {
                    parser.skipChildren();
                    unknown(path, field, RETRY_FIELDS);
                }
            }
        }
    }

    private void readTags() throws IOException {
        if (parser.currentToken() != JsonToken.START_ARRAY) {
            parser.skipChildren();
            wrong("/tags", "not-an-array", "must be an array of strings");
            return;
        }
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            String path = "/tags/" + tags.size();
            String tag = string(path);
            if (tag != null && !TAG.matcher(tag).matches()) {
                wrong(path, "invalid-tag", "must be 1 to 64 of a-z A-Z 0-9 . _ : - and start with a letter or digit");
            }
            tags.add(tag);
        }
        if (tags.size() > MOST_TAGS) {
            wrong("/tags", "too-many", "holds more than " + MOST_TAGS + " tags");
        }
    }

    private String raw() throws IOException {
        int start = (int) parser.currentTokenLocation().getCharOffset();
        if (parser.currentToken().isScalarValue()) {
            parser.finishToken();
        } else if (skipNested() > config.maxDepth()) {
            wrong("/payload", "too-deep", "nests deeper than " + config.maxDepth() + " levels");
        }
        String payload = text.substring(start, (int) parser.currentLocation().getCharOffset());
        String fault = PayloadText.findFault(payload);
        if (fault != null) {
            unreadable = ProblemException.unreadableText("/payload", fault);
        }
        return payload;
    }

    /** Moves from the start of an array or object to its end. @return how many levels it nests */
    private int skipNested() throws IOException {
        int depth = 1;
        int deepest = 1;
        while (depth > 0) {
            JsonToken token = parser.nextToken();
            depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
            deepest = Math.max(deepest, depth);
        }
        return deepest;
    }

    private String string(String path) throws IOException {
        if (parser.currentToken() == JsonToken.VALUE_STRING) {
            return parser.getText();
        }
        parser.skipChildren();
        wrong(path, "not-a-string", "must be a string");
        return null;
    }

    private String key(String path) throws IOException {
        String text = string(path);
        if (text != null && !JobKeys.KEY.matcher(text).matches()) {
            wrong(path, "invalid-key", "must be 1 to 255 visible ASCII characters");
            return null;
        }
        return text;
    }

    private <T> T label(String path, Function<String, Optional<T>> labelled,
            String known)
            throws IOException {
        String text = string(path);
        if (text == null) {
            return null;
        }
        Optional<T> value = labelled.apply(text);
        if (value.isEmpty()) {
            wrong(path, "unknown-value", "must be " + known);
        }
        return value.orElse(null);
    }

    private Integer attempts(String path) throws IOException {
        if (parser.currentToken() == JsonToken.VALUE_NUMBER_INT && parser.getNumberType() == JsonParser.NumberType.INT
                && parser.getIntValue() >= 1 && parser.getIntValue() <= RetryPolicy.MAX_ATTEMPTS_LIMIT) {
            return parser.getIntValue();
        }
        parser.skipChildren();
        wrong(path, "out-of-range", "must be a whole number from 1 to " + RetryPolicy.MAX_ATTEMPTS_LIMIT);
        return null;
    }

    private Duration duration(String path, Duration least, Duration most)
            throws IOException {
        String text = string(path);
        if (text == null) {
            return null;
        }
        try {
            Duration duration = Duration.parse(text);
            if (duration.compareTo(least) >= 0 && duration.compareTo(most) <= 0) {
                return duration;
            }
            wrong(path, "out-of-range", "must be from " + least + " to " + most);
        } catch (DateTimeException e) {
            wrong(path, "invalid-duration", "must be an ISO-8601 duration, for example PT30S");
        }
        return null;
    }

    private Instant time(String path) throws IOException {
        String text = string(path);
        if (text == null) {
            return null;
        }
        try {
            Instant time = OffsetDateTime.parse(text).toInstant();
            if (time.isAfter(Instant.now().plus(config.maxDelay()))) {
                wrong(path, "out-of-range", "must be within " + config.maxDelay() + " from now");
                return null;
            }
            // A time in the past means now; PostgreSQL need not know how long ago.
            return time.isBefore(Instant.EPOCH) ? Instant.EPOCH : time;
        } catch (DateTimeException e) {
            wrong(path, "invalid-time", "must be an RFC 3339 time with a zone, for example 2030-01-31T08:00:00Z");
            return null;
        }
    }

    /** @return the JSON Pointer of the field */
    private String see(String parent, String field) {
        String path = parent + "/" + field.replace("~", "~0").replace("/", "~1");
        if (!seen.add(path)) {
            wrong(path, "duplicate", "is there twice");
        }
        return path;
    }

    private void wrong(String path, String code, String message) {
        if (errors.size() < MOST_ERRORS) {
            errors.add(new Problem.FieldError(path, code, message));
        }
    }

    private void unknown(String path, String field, List<String> known) {
        if (errors.size() < MOST_ERRORS) {
            wrong(path, "unknown-field", "is no known field; did you mean " + NearestName.of(field, known) + "?");
        }
    }
}
