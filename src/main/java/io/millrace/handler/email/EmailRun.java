package io.millrace.handler.email;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

import io.millrace.handler.email.EmailReport.Recipient;
import io.millrace.handler.email.EmailReport.Verdict;
import io.millrace.handler.email.Smtp.Answer;
import io.millrace.handler.email.Smtp.Ending;
import io.millrace.job.Outcome;

/** What one attempt has found out so far, by recipient, and what follows from it at the end. */
final class EmailRun {
    /** How soon to look again whether another job has handed the mail over. */
    static final Duration ELSEWHERE_PAUSE = Duration.ofSeconds(1);
    private static final int NAMED = 3;

    private final String messageId;
    private final Map<String, Recipient> found = new LinkedHashMap<>();
    /** Why nothing more is to be had from the server now; null while it answers. */
    private Answer lost;

    /** @param refusedBefore by an earlier attempt of this job: nobody is asked again */
    EmailRun(String messageId, List<Recipient> refusedBefore) {
        this.messageId = messageId;
        refusedBefore.forEach(recipient -> found.put(recipient.address(), recipient));
    }

    /** @return true if there is nothing to be done for this recipient in this attempt */
    boolean isDecided(String recipient) {
        if (lost != null && !found.containsKey(recipient)) {
            note(recipient, Verdict.DEFERRED, null, lost.message());
        }
        return found.containsKey(recipient);
    }

    void note(String recipient, Answer answer) {
        if (answer.ending() == Ending.LOST) {
            lost = answer;
        }
        note(recipient, switch (answer.ending()) {
            case ACCEPTED -> Verdict.ACCEPTED;
            case REFUSED -> Verdict.REFUSED;
            case DEFERRED, LOST -> Verdict.DEFERRED;
        }, answer.code(), answer.message());
    }

    void note(String recipient, Verdict verdict) {
        note(recipient, verdict, null, null);
    }

    private void note(String recipient, Verdict verdict, Integer code, String message) {
        found.put(recipient, new Recipient(recipient, verdict, code, message));
    }

    /** To be asked when every recipient has been looked at. */
    Outcome outcome() {
        EmailReport report = EmailReport.of(messageId, List.copyOf(found.values()));
        if (has(Verdict.DEFERRED)) {
            return new Outcome.Retry(new MailNotSentException(message(Verdict.DEFERRED)), null, report);
        } else if (has(Verdict.ELSEWHERE)) {
            return new Outcome.Snooze(ELSEWHERE_PAUSE);
        } else if (has(Verdict.REFUSED)) {
            return new Outcome.Reject(message(Verdict.REFUSED), report);
        }
        return new Outcome.Success(report);
    }

    private boolean has(Verdict verdict) {
        return found.values().stream().anyMatch(recipient -> recipient.verdict() == verdict);
    }

    private String message(Verdict verdict) {
        List<Recipient> failed = found.values().stream().filter(recipient -> recipient.verdict() == verdict).toList();
        String named = failed.stream().limit(NAMED).map(recipient -> recipient.address() + ": " + recipient.message())
                .collect(Collectors.joining("; "));
        String all = failed.size() > NAMED ? named + "; " + (failed.size() - NAMED) + " more" : named;
        return found.size() == 1 ? all : failed.size() + " of " + found.size() + " recipients did not get it: " + all;
    }
}
