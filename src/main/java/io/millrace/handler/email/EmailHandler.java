package io.millrace.handler.email;

import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;

import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;

import io.millrace.effect.EarlierFailures;
import io.millrace.effect.Effects;
import io.millrace.handler.JobContext;
import io.millrace.handler.JobHandler;
import io.millrace.handler.JobType;
import io.millrace.handler.PayloadFault;
import io.millrace.handler.email.EmailReport.Recipient;
import io.millrace.handler.email.EmailReport.Verdict;
import io.millrace.handler.email.Smtp.Answer;
import io.millrace.handler.email.Smtp.Ending;
import io.millrace.handler.email.Smtp.Stamp;
import io.millrace.job.Outcome;
import io.millrace.job.RetryPolicy;
import io.millrace.job.Sha256;
import io.quarkus.runtime.StartupEvent;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;

/**
 * Sends mail. That a recipient has got it is an effect with a key, recorded as soon as the server has taken the mail: neither another
 * attempt nor another job with the same key sends it again. Between the answer of the server and that record lies the one moment in
 * which a death costs a second mail; it has the same Message-ID.
 */
@Singleton
public class EmailHandler implements JobHandler<EmailPayload> {
    private static final Logger LOG = Logger.getLogger(EmailHandler.class);
    private static final String NO_SERVER = "no mail server is set: set MILLRACE_MAIL_HOST (and MILLRACE_MAIL_PORT, "
            + "MILLRACE_MAIL_FROM) in the environment of the workers, and start them again";
    private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(1);
    private static final int TRIES_TO_RECORD = 5;

    static final JobType<EmailPayload> TYPE = new JobType<>("email",
            "Sends a mail over SMTP, of text, HTML or a template, once to each recipient.", EmailPayload.class, """
                    {
                      "to": ["Ada Lovelace <ada@example.org>"],
                      "template": "welcome",
                      "data": {"name": "Ada"},
                      "effectKey": "welcome-ada"
                    }
                    """, JobType.DEFAULT_QUEUE, Duration.ofMinutes(5), RetryPolicy.DEFAULT);

    private final LetterReader letters;
    private final Smtp smtp;
    private final Effects effects;
    private final EarlierFailures earlier;
    private final String mode;
    private final ObjectMapper json = JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

    EmailHandler(LetterReader letters, Smtp smtp, Effects effects, EarlierFailures earlier,
            @ConfigProperty(name = "millrace.mode") String mode) {
        this.letters = letters;
        this.smtp = smtp;
        this.effects = effects;
        this.earlier = earlier;
        this.mode = mode;
    }

    void start(@Observes StartupEvent event) {
        if (!smtp.hasServer() && !mode.equals("api")) {
            LOG.info("jobs of the type email will fail: " + NO_SERVER);
        }
    }

    @Override
    public JobType<EmailPayload> type() {
        return TYPE;
    }

    @Override
    public List<PayloadFault> check(String payload) {
        return letters.read(payload).faults();
    }

    @Override
    public Uni<Outcome> run(EmailPayload payload, JobContext context) {
        LetterReader.Reading reading = letters.read(payload);
        if (reading.letter() == null) {
            return Uni.createFrom().item(new Outcome.Reject(
                    reading.faults().stream().map(PayloadFault::toString).collect(Collectors.joining("; "))));
        }
        if (!smtp.hasServer()) {
            return Uni.createFrom().item(new Outcome.Retry(new MailNotSentException(NO_SERVER)));
        }
        Delivery delivery = new Delivery(reading.letter(), context);
        return refusedBefore(context).map(refused -> new EmailRun(delivery.stamp.messageId(), refused))
                .chain(run -> Multi.createFrom().iterable(reading.letter().recipients())
                        .onItem().transformToUniAndConcatenate(recipient -> delivery.handOver(recipient, run))
                        .collect().last().map(last -> run.outcome()));
    }

    /** Without this answer, recipients who were refused for good are asked for again, and refused again. */
    private Uni<List<Recipient>> refusedBefore(JobContext context) {
        if (context.attempt() == 1) {
            return Uni.createFrom().item(List.of());
        }
        return earlier.lastDetail(context.attemptId())
                .map(detail -> detail == null ? List.<Recipient>of() : refused(detail))
                .onFailure().invoke(failure -> LOG.warnf("job %s: it is not known whom an earlier attempt was refused: %s",
                        context.jobId(), failure.getMessage()))
                .onFailure().recoverWithItem(List.of());
    }

    private List<Recipient> refused(String detail) {
        try {
            List<Recipient> recipients = json.readValue(detail, EmailReport.class).recipients();
            return recipients == null
                    ? List.of()
                    : recipients.stream().filter(recipient -> recipient.verdict() == Verdict.REFUSED).toList();
        } catch (JsonProcessingException notOurs) { // for example of an attempt that ran out of time
            return List.of();
        }
    }

    /** One letter in one attempt. */
    private final class Delivery {
        private final Letter letter;
        private final JobContext context;
        private final Stamp stamp;
        private final String effectKey;

        Delivery(Letter letter, JobContext context) {
            this.letter = letter;
            this.context = context;
            this.stamp = new Stamp("<" + context.jobId() + "@" + smtp.hostName() + ">", context.epoch());
            this.effectKey = letter.effectKey() == null ? context.jobId().toString() : letter.effectKey();
        }

        Uni<Void> handOver(String recipient, EmailRun run) {
            if (run.isDecided(recipient)) {
                return Uni.createFrom().voidItem();
            }
            String key = key(recipient);
            return effects.begin(context.attemptId(), key).chain(turn -> switch (turn) {
                case DONE -> Uni.createFrom().voidItem().invoke(() -> run.note(recipient, Verdict.ACCEPTED_BEFORE));
                case ELSEWHERE -> Uni.createFrom().voidItem().invoke(() -> run.note(recipient, Verdict.ELSEWHERE));
                case MINE -> smtp.send(letter, recipient, stamp, context.deadline().left())
                        .call(answer -> answer.ending() == Ending.ACCEPTED ? record(key) : Uni.createFrom().voidItem())
                        .invoke((Answer answer) -> run.note(recipient, answer)).replaceWithVoid();
            });
        }

        /** The mail is out: the more is tried to have this on record, the less often it goes out twice. */
        private Uni<Boolean> record(String key) {
            return effects.done(context.attemptId(), key)
                    .onFailure().retry().withBackOff(FIRST_PAUSE, LONGEST_PAUSE).atMost(TRIES_TO_RECORD);
        }

        /** A hash: the key outlives the job, and need not tell who was written to. */
        private String key(String recipient) {
            return "mail:" + Sha256.hex(effectKey + "\n" + recipient);
        }
    }
}
