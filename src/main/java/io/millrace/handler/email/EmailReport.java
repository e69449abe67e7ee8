package io.millrace.handler.email;

import java.util.List;

import com.fasterxml.jackson.annotation.JsonInclude;

import io.quarkus.runtime.annotations.RegisterForReflection;

/**
 * What became of a mail: the result of its job if every recipient has it, the detail of its failure otherwise.
 *
 * @param messageId the same in every attempt
 */
@RegisterForReflection(ignoreNested = false)
public record EmailReport(String messageId, int accepted, int refused, int deferred, List<Recipient> recipients) {

    /** What became of it for one recipient. Names are written in results: they do not change. */
    public enum Verdict {
        /** The server took it. */
        ACCEPTED,
        /** The server took it in an earlier attempt, or from another job with the same effect key. */
        ACCEPTED_BEFORE,
        /** The server said no for good (5xx). */
        REFUSED,
        /** The server said not now (4xx), or did not answer. */
        DEFERRED,
        /** Another job with the same effect key is about to hand it over. */
        ELSEWHERE
    }

    /**
     * @param code what the server answered; null if it did not, or not in this attempt
     * @param message in the words of the server, without control characters; null if there are none
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Recipient(String address, Verdict verdict, Integer code, String message) {}

    static EmailReport of(String messageId, List<Recipient> recipients) {
        return new EmailReport(messageId, count(recipients, Verdict.ACCEPTED) + count(recipients, Verdict.ACCEPTED_BEFORE),
                count(recipients, Verdict.REFUSED), count(recipients, Verdict.DEFERRED) + count(recipients, Verdict.ELSEWHERE),
                List.copyOf(recipients));
    }

    private static int count(List<Recipient> recipients, Verdict verdict) {
        return (int) recipients.stream().filter(recipient -> recipient.verdict() == verdict).count();
    }
}
