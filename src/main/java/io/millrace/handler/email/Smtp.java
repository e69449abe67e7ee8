package io.millrace.handler.email;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

import jakarta.annotation.PreDestroy;
import jakarta.inject.Singleton;

import io.millrace.handler.Permits;
import io.millrace.handler.email.EmailConfig.StartTls;
import io.smallrye.mutiny.TimeoutException;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Context;
import io.vertx.core.MultiMap;
import io.vertx.core.Vertx;
import io.vertx.core.impl.VertxInternal;
import io.vertx.core.net.PemTrustOptions;
import io.vertx.ext.mail.LoginOption;
import io.vertx.ext.mail.MailClient;
import io.vertx.ext.mail.MailConfig;
import io.vertx.ext.mail.MailMessage;
import io.vertx.ext.mail.MailResult;
import io.vertx.ext.mail.SMTPException;
import io.vertx.ext.mail.StartTLSOptions;

/**
 * Hands letters over to the mail server, in one transaction for each recipient: so each has an answer of its own, and one that is
 * refused keeps no other from getting the mail.
 */
@Singleton
class Smtp {
    private static final int MAX_MESSAGE = 300;
    private static final int PERMANENT = 500;
    private static final int CLOSING = 421;
    /** How the client begins to tell of answers to a mail; others are answers to whoever connects, and say nothing of a recipient. */
    private static final List<String> OF_A_MAIL = List.of("sender address not accepted", "recipient address not accepted",
            "DATA command not accepted", "sending data failed");
    /** What speaks of our login or of missing encryption, and not of a recipient: whoever runs this can mend it. */
    private static final Set<Integer> SETUP_CODES = Set.of(530, 534, 535, 538);
    private static final String TOO_LARGE = "message exceeds allowed size limit";

    /** How a transaction ended. */
    enum Ending {
        /** The server has taken the mail. */
        ACCEPTED,
        /** It never will. */
        REFUSED,
        /** It may later. */
        DEFERRED,
        /** There is no server to talk to, or it has stopped talking: others need not try now. */
        LOST
    }

    /**
     * @param code of the server's answer; null if there was none
     * @param message in the server's words or ours; fit to be stored and logged
     */
    record Answer(Ending ending, Integer code, String message) {}

    /**
     * What tells this attempt from others in the mail itself.
     *
     * @param messageId with its angle brackets
     */
    record Stamp(String messageId, int epoch) {}

    private final Duration sendTimeout;
    private final String hostName;
    private final String password;
    private final Context loop;
    /** Null if no server is set. */
    private final MailClient client;
    /** So that the client, which would let them wait without a bound, never has more to do than it has connections. */
    private final Permits connections;

    Smtp(Vertx vertx, EmailConfig config) {
        this.sendTimeout = config.sendTimeout();
        this.hostName = config.hostName().orElse(MailAddress.parse(config.from(), true).domain());
        this.password = password(config);
        this.loop = ((VertxInternal) vertx).createEventLoopContext();
        this.connections = new Permits(config.maxConnections());
        this.client = config.host().map(host -> MailClient.create(vertx, settings(host, config))).orElse(null);
    }

    private static String password(EmailConfig config) {
        return config.passwordFile().map(file -> {
            try {
                return Files.readString(file).strip();
            } catch (IOException e) {
                throw new UncheckedIOException("millrace.mail.password-file cannot be read", e);
            }
        }).or(config::password).orElse(null);
    }

    private MailConfig settings(String host, EmailConfig config) {
        StartTls startTls = config.startTls().orElse(config.username().isPresent() ? StartTls.REQUIRED : StartTls.OPTIONAL);
        MailConfig settings = new MailConfig(host, config.port(), StartTLSOptions.valueOf(startTls.name()),
                config.username().isPresent() ? LoginOption.REQUIRED : LoginOption.DISABLED);
        settings.setOwnHostname(hostName).setMaxPoolSize(config.maxConnections());
        settings.setConnectTimeout((int) config.connectTimeout().toMillis());
        settings.setIdleTimeout((int) config.replyTimeout().toMillis()).setIdleTimeoutUnit(TimeUnit.MILLISECONDS);
        settings.setPipelining(false); // an answer belongs to the command before it, whatever the server makes of a refusal
        config.username().ifPresent(name -> settings.setUsername(name).setPassword(password));
        config.trust().ifPresent(file -> settings.setTrustOptions(new PemTrustOptions().addCertPath(file.toString())));
        return settings;
    }

    @PreDestroy
    void close() {
        if (client != null) {
            client.close();
        }
    }

    boolean hasServer() {
        return client != null;
    }

    /** The domain of each Message-ID: the same in every process with the same settings. */
    String hostName() {
        return hostName;
    }

    /**
     * Never fails. If it is cancelled, or takes too long, before a connection was free, nothing is sent; a conversation that is under
     * way by then cannot be called back, and may still end with the mail taken.
     *
     * @param limit what is left to the attempt
     */
    Uni<Answer> send(Letter letter, String recipient, Stamp stamp, Duration limit) {
        Duration patience = limit.compareTo(sendTimeout) < 0 ? limit : sendTimeout;
        return connections.run(() -> {
            RevocableMessage message = message(letter, recipient, stamp);
            return converse(message)
                    .ifNoItem().after(patience).fail()
                    .onCancellation().invoke(message::revoke)
                    .onFailure(TimeoutException.class).invoke(message::revoke);
        }).map(sent -> new Answer(Ending.ACCEPTED, 250, null))
                .onFailure().recoverWithItem(failure -> answer(failure, patience));
    }

    /** The client hands a connection from one mail to the next, and is not made for several threads that do so. */
    private Uni<MailResult> converse(RevocableMessage message) {
        return Uni.createFrom().emitter(waiter -> loop.runOnContext(ignored -> {
            if (!message.isRevoked) { // else nobody waits any more
                client.sendMail(message).onSuccess(waiter::complete).onFailure(waiter::fail);
            }
        }));
    }

    /** A mail whose attempt is over must not be sent because a connection has become free at last. */
    private static final class RevocableMessage extends MailMessage {
        private volatile boolean isRevoked;

        void revoke() {
            isRevoked = true;
        }

        /** The client asks right before it names the recipients to the server. */
        @Override
        public List<String> getTo() {
            if (isRevoked) {
                throw new IllegalStateException("the attempt is over");
            }
            return super.getTo();
        }
    }

    /** The fields are written here, as lines that end with CR LF and nothing else; the client writes the date and the body. */
    private static RevocableMessage message(Letter letter, String recipient, Stamp stamp) {
        Map<String, String> fields = new LinkedHashMap<>();
        fields.put("From", letter.from().toHeader());
        fields.put("To", list(letter.to()));
        if (!letter.cc().isEmpty()) {
            fields.put("Cc", list(letter.cc()));
        }
        if (letter.replyTo() != null) {
            fields.put("Reply-To", letter.replyTo().toHeader());
        }
        fields.put("Subject", MailText.encode(letter.subject(), "Subject: ".length()));
        fields.put("Message-ID", stamp.messageId());
        fields.put("Job-Epoch", Integer.toString(stamp.epoch()));
        fields.put("Auto-Submitted", "auto-generated"); // RFC 3834: no answer of a machine is wanted
        RevocableMessage message = new RevocableMessage();
        message.setFrom(letter.from().address());
        message.setTo(List.of(recipient));
        message.setHeaders(MultiMap.caseInsensitiveMultiMap().addAll(fields));
        message.setText(letter.text());
        message.setHtml(letter.html());
        return message;
    }

    private static String list(List<MailAddress> addresses) {
        return addresses.stream().map(MailAddress::toHeader).collect(Collectors.joining(",\r\n "));
    }

    private Answer answer(Throwable failure, Duration patience) {
        if (failure instanceof TimeoutException) {
            return new Answer(Ending.LOST, null,
                    "the mail server took longer than " + patience + "; it may have taken the mail");
        }
        String message = clean(failure.getMessage() == null ? failure.toString() : failure.getMessage());
        if (failure instanceof SMTPException reply) {
            boolean isOfAMail = OF_A_MAIL.stream().anyMatch(reply.getMessage()::startsWith);
            return new Answer(isOfAMail ? ending(reply.getReplyCode()) : Ending.LOST, reply.getReplyCode(), message);
        }
        return new Answer(TOO_LARGE.equals(failure.getMessage()) ? Ending.REFUSED : Ending.LOST, null, message);
    }

    private static Ending ending(int code) {
        if (code == CLOSING || SETUP_CODES.contains(code)) {
            return Ending.LOST;
        }
        return code >= PERMANENT ? Ending.REFUSED : Ending.DEFERRED;
    }

    /** Servers write what they like, and some repeat what they were sent. */
    private String clean(String text) {
        String withoutSecret = text;
        if (password != null) {
            String encoded = Base64.getEncoder().encodeToString(password.getBytes(StandardCharsets.UTF_8));
            withoutSecret = text.replace(password, "***").replace(encoded, "***");
        }
        String shortened = withoutSecret.length() > MAX_MESSAGE ? withoutSecret.substring(0, MAX_MESSAGE) : withoutSecret;
        StringBuilder clean = new StringBuilder(shortened.length());
        shortened.codePoints().map(point -> isPlain(point) ? point : ' ').forEach(clean::appendCodePoint);
        return clean.toString().strip();
    }

    private static boolean isPlain(int point) {
        int type = Character.getType(point);
        return !Character.isISOControl(point) && type != Character.FORMAT && type != Character.SURROGATE
                && type != Character.LINE_SEPARATOR && type != Character.PARAGRAPH_SEPARATOR;
    }
}
