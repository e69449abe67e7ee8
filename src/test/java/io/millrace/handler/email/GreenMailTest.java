package io.millrace.handler.email;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;

import jakarta.mail.Message.RecipientType;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;
import jakarta.mail.internet.MimeMultipart;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import com.icegreen.greenmail.util.GreenMail;
import com.icegreen.greenmail.util.ServerSetup;

import io.millrace.handler.email.Smtp.Ending;
import io.millrace.handler.email.Smtp.Stamp;
import io.vertx.core.Vertx;

/** A mail server, and a reader of mails, that somebody else has written. */
@Timeout(60)
@DisplayNameGeneration(ReplaceUnderscores.class)
class GreenMailTest {
    private static final Duration LIMIT = Duration.ofSeconds(20);

    @Test
    void others_read_what_was_written() throws Exception {
        GreenMail server = new GreenMail(ServerSetup.SMTP.dynamicPort());
        server.setUser("me@example.org", "me", "s3cret");
        server.getManagers().getUserManager().setAuthRequired(true);
        server.start();
        Vertx vertx = Vertx.vertx();
        EmailConfig config = Mails.config("host", "localhost", "port", Integer.toString(server.getSmtp().getPort()), "from",
                "Die M\u00fchle <jobs@example.com>", "username", "me", "password", "s3cret", "start-tls", "disabled",
                "allow-look-alikes", "true");
        Smtp smtp = new Smtp(vertx, config);
        try {
            String subject = "Gr\u00fc\u00dfe \ud83d\ude0a \u010d. 7, \u760d " + "sehr lange W\u00f6rter ".repeat(10).strip();
            Letter letter = Mails.letters(config)
                    .read("{\"to\":[\"Lovelace, Ada <ada@example.org>\",\"Zo\u00eb Ku\u010dera <zoe@example.org>\"],"
                            + "\"subject\":\"" + subject
                            + "\",\"text\":\"Zeile \u00e9\\n.Punkt\\n\",\"html\":\"<p>\u65e5\u672c</p>\"}")
                    .letter();
            for (String recipient : letter.recipients()) {
                assertThat(smtp.send(letter, recipient, new Stamp("<7@example.com>", 2), LIMIT).await().atMost(LIMIT).ending())
                        .isEqualTo(Ending.ACCEPTED);
            }
            assertThat(server.waitForIncomingEmail(LIMIT.toMillis(), 2)).isTrue();
            MimeMessage mail = server.getReceivedMessages()[0];
            assertThat(mail.getSubject()).isEqualTo(subject);
            assertThat(mail.getMessageID()).isEqualTo("<7@example.com>");
            assertThat(mail.getSentDate()).isNotNull();
            assertThat(((InternetAddress) mail.getFrom()[0]).getPersonal()).isEqualTo("Die M\u00fchle");
            assertThat(mail.getRecipients(RecipientType.TO)).extracting(to -> ((InternetAddress) to).getPersonal())
                    .containsExactly("Lovelace, Ada", "Zo\u00eb Ku\u010dera");
            MimeMultipart parts = (MimeMultipart) mail.getContent();
            assertThat(parts.getBodyPart(0).getContent().toString().replace("\r\n", "\n")).startsWith("Zeile \u00e9\n.Punkt");
            assertThat(parts.getBodyPart(1).getContent().toString()).startsWith("<p>\u65e5\u672c</p>");
        } finally {
            smtp.close();
            vertx.close().toCompletionStage().toCompletableFuture().join();
            server.stop();
        }
    }
}
