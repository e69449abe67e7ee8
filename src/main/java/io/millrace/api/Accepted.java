package io.millrace.api;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.Locale;
import java.util.UUID;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;

import io.millrace.job.JobState;
import io.millrace.job.NewJob;
import io.millrace.job.Receipt;
import io.millrace.job.StoredJob;
import io.quarkus.runtime.annotations.RegisterForReflection;

/**
 * What was stored, or was there.
 *
 * @param uniqueKey {@code returned} if there was such a job already, {@code replaced} if it has got the payload and options of the
 *        one that was handed in; absent if the job is new
 */
@RegisterForReflection
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Accepted(UUID id, String type, String queue, JobState state, Instant runAt, Instant createdAt, String uniqueKey) {
    private static final JsonFactory JSON = new JsonFactory();
    /** Of an answer with names of usual length. */
    private static final int USUAL_BYTES = 256;

    /** @throws ProblemException if there is no job to answer */
    static Accepted of(NewJob job, Receipt receipt) {
        return switch (receipt.verdict()) {
            case CREATED -> of(job, receipt, null);
            case RETURNED, REPLACED -> of(job, receipt, receipt.verdict().name().toLowerCase(Locale.ROOT));
            case REJECTED -> throw ProblemException.notUnique(receipt.id());
            case OTHER_REQUEST -> throw ProblemException.keyOfAnotherRequest();
            case CONTENDED -> throw ProblemException.keyContended();
        };
    }

    private static Accepted of(NewJob job, Receipt receipt, String uniqueKey) {
        StoredJob stored = receipt.job();
        return new Accepted(stored.id(), job.type(), receipt.queue(), stored.state(), stored.runAt(), stored.createdAt(),
                uniqueKey);
    }

    static int status(Receipt receipt) {
        return receipt.verdict() == Receipt.Verdict.CREATED ? 201 : 200;
    }

    /** Not {@code getLocation}: it is no field of the answer. */
    String location() {
        return JobsResource.PATH + "/" + id;
    }

    /** @return the same as Jackson makes of it, field by field, without a look at what a record is */
    byte[] json() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(USUAL_BYTES);
        try (JsonGenerator json = JSON.createGenerator(bytes)) {
            writeTo(json);
        } catch (IOException e) {
            throw new UncheckedIOException("memory cannot be written to", e);
        }
        return bytes.toByteArray();
    }

    void writeTo(JsonGenerator json) throws IOException {
        String created = createdAt.toString();
        json.writeStartObject();
        json.writeStringField("id", id.toString());
        json.writeStringField("type", type);
        json.writeStringField("queue", queue);
        json.writeStringField("state", state.name());
        json.writeStringField("runAt", runAt.equals(createdAt) ? created : runAt.toString());
        json.writeStringField("createdAt", created);
        if (uniqueKey != null) {
            json.writeStringField("uniqueKey", uniqueKey);
        }
        json.writeEndObject();
    }
}
