package io.millrace.handler.email;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

import jakarta.validation.constraints.AssertTrue;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;

import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;

import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/** Where mail is handed over, who may be its sender, and how much one mail may take. */
@ConfigMapping(prefix = "millrace.mail")
public interface EmailConfig {

    /** Whether the conversation with the mail server is encrypted. */
    enum StartTls {
        /** A server that does not offer it gets no mail. */
        REQUIRED,
        /** If the server offers it; whoever stands between can see to it that it does not. */
        OPTIONAL,
        /** Never. */
        DISABLED
    }

    /** The SMTP server that takes the mail. Without it, jobs of the type email fail and say so. */
    Optional<String> host();

    /** Its port. Default 587, 1 to 65535. */
    @WithDefault("587")
    @Min(1)
    @Max(65535)
    int port();

    /** Who to log in as. Default: no login. */
    Optional<String> username();

    /** The password of the login; better in a file. */
    Optional<String> password();

    /** File with the password of the login, read at the start. */
    Optional<Path> passwordFile();

    /** The sender of mails that name none: {@code address} or {@code Name <address>}. */
    @WithDefault("millrace@localhost")
    String from();

    /** Further senders that a mail may name, with commas between them: {@code address}, or {@code @domain} for all of a domain. */
    Optional<List<String>> senders();

    /** STARTTLS: required, optional or disabled. Default: required with a login, else optional. */
    Optional<StartTls> startTls();

    /** PEM file with the certificates that the server's is checked against. Default: those that the JVM trusts. */
    Optional<Path> trust();

    /** What this system calls itself to the server, and the domain of each Message-ID. Default: the domain of {@code from}. */
    Optional<String> hostName();

    /** How long connecting may take. Default 5 s, 100 ms to 1 min. */
    @WithDefault("5s")
    @DurationMin(millis = 100)
    @DurationMax(minutes = 1)
    Duration connectTimeout();

    /** How long the server may be silent within a conversation; an unused connection is closed after the same time. Default 30 s, 100 ms to 5 min. */
    @WithDefault("30s")
    @DurationMin(millis = 100)
    @DurationMax(minutes = 5)
    Duration replyTimeout();

    /**
     * How long handing a mail over for one recipient may take in all, and how long it takes to notice a server that says nothing to
     * who connects. Default 30 s, 100 ms to 10 min.
     */
    @WithDefault("30s")
    @DurationMin(millis = 100)
    @DurationMax(minutes = 10)
    Duration sendTimeout();

    /** Most connections of this process to the server; further mails wait within their timeout. Default 10, 1 to 100. */
    @WithDefault("10")
    @Min(1)
    @Max(100)
    int maxConnections();

    /** Most recipients of one mail; it is handed over once for each. Default 50, 1 to 500. */
    @WithDefault("50")
    @Min(1)
    @Max(500)
    int maxRecipients();

    /** Most bytes of text and HTML together, as UTF-8, templates filled in. Default 256 KiB, 1 byte to 10 MiB. */
    @WithDefault("256K")
    MemorySize maxBody();

    /**
     * Whether subjects and names may hold letters such as U+010D, and emoji, of which a byte looks like the end of a line. We write
     * them in ASCII (RFC 2047); what reads the mail behind us may not be as careful.
     */
    @WithDefault("false")
    boolean allowLookAlikes();

    /** Folder with further templates, read at the start. Default: only those that ship. */
    Optional<Path> templates();

    @AssertTrue(message = "millrace.mail.max-body must be from 1 byte to 10M")
    default boolean isBodyInBounds() {
        return maxBody().asLongValue() >= 1 && maxBody().asLongValue() <= 10L << 20;
    }

    @AssertTrue(message = "millrace.mail.from must be an address such as jobs@example.org or Jobs <jobs@example.org>")
    default boolean isFromAnAddress() {
        return MailAddress.isValid(from());
    }

    @AssertTrue(message = "millrace.mail.senders must be addresses, or @domain, with commas between them")
    default boolean isEverySenderAnAddress() {
        return senders().orElse(List.of()).stream()
                .allMatch(sender -> MailAddress.isValid(sender.startsWith("@") ? "any" + sender : sender));
    }

    @AssertTrue(message = "millrace.mail.host-name must be a host name such as jobs.example.org")
    default boolean isHostNameAName() {
        return hostName().map(name -> MailAddress.isValid("any@" + name)).orElse(true);
    }

    @AssertTrue(message = "millrace.mail.username needs millrace.mail.password-file or millrace.mail.password, and these need it; "
            + "not both of them")
    default boolean isLoginComplete() {
        boolean hasOnePassword = password().isPresent() != passwordFile().isPresent();
        return username().isPresent() ? hasOnePassword : password().isEmpty() && passwordFile().isEmpty();
    }

    @AssertTrue(message = "millrace.mail.password-file and millrace.mail.trust must be files that can be read")
    default boolean isEveryFileReadable() {
        return passwordFile().map(Files::isReadable).orElse(true) && trust().map(Files::isReadable).orElse(true);
    }

    @AssertTrue(message = "millrace.mail.templates must be a folder that can be read")
    default boolean isTemplateFolderThere() {
        return templates().map(Files::isDirectory).orElse(true);
    }
}
