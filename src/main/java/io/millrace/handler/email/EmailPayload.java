package io.millrace.handler.email;

import java.util.List;
import java.util.Map;

import com.fasterxml.jackson.annotation.JsonFormat;
import com.fasterxml.jackson.annotation.JsonFormat.Feature;

import io.quarkus.runtime.annotations.RegisterForReflection;

/**
 * A mail to be sent. Addresses are {@code address} or {@code Name <address>}.
 *
 * @param to at least one; a single one may stand without brackets
 * @param from null for {@code millrace.mail.from}; others must be among {@code millrace.mail.senders}
 * @param subject null for that of the template
 * @param text null if there is a template or HTML
 * @param template the name of a template, instead of text and HTML
 * @param data what the template fills in
 * @param effectKey jobs with the same key send a recipient one mail between them; null for the id of the job
 */
@RegisterForReflection
public record EmailPayload(@JsonFormat(with = Feature.ACCEPT_SINGLE_VALUE_AS_ARRAY) List<String> to,
        @JsonFormat(with = Feature.ACCEPT_SINGLE_VALUE_AS_ARRAY) List<String> cc,
        @JsonFormat(with = Feature.ACCEPT_SINGLE_VALUE_AS_ARRAY) List<String> bcc, String from, String replyTo, String subject,
        String text, String html, String template, Map<String, Object> data, String effectKey) {}
