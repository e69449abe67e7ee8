package io.millrace.handler.email;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

import jakarta.inject.Singleton;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.type.LogicalType;

import io.millrace.handler.PayloadFault;
import io.millrace.handler.email.MailTemplates.Filled;
import io.millrace.job.JobKeys;
import io.quarkus.qute.TemplateException;

/** Makes a letter of a payload, or says all that is wrong with it: at the door, and once more before it is sent. */
@Singleton
class LetterReader {
    static final int MAX_SUBJECT = 500;
    static final int MAX_EFFECT_KEY = 255;
    private static final String FIELDS = "to, cc, bcc, from, replyTo, subject, text, html, template, data, effectKey";

    private final EmailConfig config;
    private final MailTemplates templates;
    private final MailAddress defaultSender;
    private final Set<String> senders;
    private final ObjectMapper strict = strict();

    LetterReader(EmailConfig config, MailTemplates templates) {
        this.config = config;
        this.templates = templates;
        this.defaultSender = MailAddress.parse(config.from(), true);
        this.senders = config.senders().orElse(List.of()).stream()
                .map(sender -> sender.startsWith("@")
                        ? sender.toLowerCase(Locale.ROOT)
                        : MailAddress.parse(sender, true).address())
                .collect(Collectors.toUnmodifiableSet());
    }

    private static ObjectMapper strict() {
        return JsonMapper.builder().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
                .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
                .withCoercionConfig(LogicalType.Textual, texts -> {
                    for (CoercionInputShape number : List.of(CoercionInputShape.Integer, CoercionInputShape.Float,
                            CoercionInputShape.Boolean)) {
                        texts.setCoercion(number, CoercionAction.Fail);
                    }
                }).build();
    }

    /**
     * A letter, or why there is none.
     *
     * @param letter null if there are faults
     */
    record Reading(Letter letter, List<PayloadFault> faults) {}

    /** Of JSON as it was handed in: what is unknown, twice there or of another kind is a fault, too. */
    Reading read(String json) {
        try {
            EmailPayload payload = strict.readValue(json, EmailPayload.class);
            return payload == null
                    ? failed("", "not-an-object", "must be an object with " + FIELDS)
                    : read(payload);
        } catch (UnrecognizedPropertyException e) {
            return failed(path(e), "unknown-field", "is no known field; known are " + FIELDS);
        } catch (JsonMappingException e) {
            return failed(path(e), "invalid-value", "is of another kind than it must be");
        } catch (JsonProcessingException e) {
            return failed("", "invalid-value", "cannot be read: " + e.getOriginalMessage());
        }
    }

    private static Reading failed(String path, String code, String message) {
        return new Reading(null, List.of(new PayloadFault(path, code, message)));
    }

    private static String path(JsonMappingException failure) {
        return failure.getPath().stream()
                .map(step -> step.getFieldName() == null
                        ? "/" + step.getIndex()
                        : "/" + step.getFieldName().replace("~", "~0").replace("/", "~1"))
                .collect(Collectors.joining());
    }

    Reading read(EmailPayload payload) {
        return new Draft(payload).read();
    }

    /** One payload on its way to a letter. */
    private final class Draft {
        private final EmailPayload payload;
        private final List<PayloadFault> faults = new ArrayList<>(0);

        Draft(EmailPayload payload) {
            this.payload = payload;
        }

        Reading read() {
            List<MailAddress> to = addresses("/to", payload.to());
            List<MailAddress> cc = addresses("/cc", payload.cc());
            List<MailAddress> bcc = addresses("/bcc", payload.bcc());
            if (payload.to() == null || payload.to().isEmpty()) {
                wrong("/to", "missing", "is missing or empty; it is a list of addresses");
            }
            int recipients = to.size() + cc.size() + bcc.size();
            if (recipients > config.maxRecipients()) {
                wrong("/to", "too-many", "has, with cc and bcc, " + recipients + " recipients; the most is "
                        + config.maxRecipients() + " (millrace.mail.max-recipients)");
            }
            MailAddress from = sender();
            MailAddress replyTo = payload.replyTo() == null ? null : address("/replyTo", payload.replyTo());
            checkEffectKey();
            Filled content = content();
            String subject = subject(content);
            checkBody(content);
            return faults.isEmpty()
                    ? new Reading(new Letter(from, replyTo, to, cc, bcc, subject, lines(content.text()), lines(content.html()),
                            payload.effectKey()), List.of())
                    : new Reading(null, faults);
        }

        private List<MailAddress> addresses(String path, List<String> texts) {
            List<MailAddress> addresses = new ArrayList<>();
            // One that is too many is enough to know; a list of a hundred thousand must not cost as many looks.
            int most = texts == null ? 0 : Math.min(texts.size(), config.maxRecipients() + 1);
            for (int i = 0; i < most; i++) {
                MailAddress address = address(path + "/" + i, texts.get(i));
                if (address != null) {
                    addresses.add(address);
                }
            }
            return addresses;
        }

        private MailAddress address(String path, String text) {
            try {
                return MailAddress.parse(text == null ? "" : text, config.allowLookAlikes());
            } catch (IllegalArgumentException e) {
                wrong(path, "invalid-address", e.getMessage());
                return null;
            }
        }

        /** A tenant that may name any sender could write in the name of another. */
        private MailAddress sender() {
            if (payload.from() == null) {
                return defaultSender;
            }
            MailAddress from = address("/from", payload.from());
            if (from == null || from.address().equals(defaultSender.address()) || senders.contains(from.address())
                    || senders.contains("@" + from.domain())) {
                return from;
            }
            wrong("/from", "not-allowed", "is no sender that is allowed here: leave it out for " + defaultSender.address()
                    + ", or have it added to millrace.mail.senders");
            return null;
        }

        private void checkEffectKey() {
            String key = payload.effectKey();
            if (key != null && !JobKeys.KEY.matcher(key).matches()) {
                wrong("/effectKey", "invalid-key", "must be 1 to " + MAX_EFFECT_KEY + " visible ASCII characters");
            }
        }

        private Filled content() {
            if (payload.template() == null) {
                if (payload.text() == null && payload.html() == null) {
                    wrong("/text", "missing", "is missing: give text, html or template");
                }
                if (payload.data() != null) {
                    wrong("/data", "conflict", "says nothing without template");
                }
                return new Filled(payload.subject(), payload.text(), payload.html());
            }
            if (payload.text() != null || payload.html() != null) {
                wrong("/template", "conflict", "cannot be combined with text or html");
            } else if (!templates.has(payload.template())) {
                wrong("/template", "unknown-template", "is no known template; known are " + templates.names());
            } else {
                return filled();
            }
            return new Filled(payload.subject(), null, null);
        }

        private Filled filled() {
            try {
                Filled filled = templates.fill(payload.template(), payload.data() == null ? Map.of() : payload.data());
                String subject = payload.subject() != null || filled.subject() == null
                        ? payload.subject()
                        : filled.subject().strip();
                return new Filled(subject, filled.text(), filled.html());
            } catch (TemplateException e) {
                wrong("/data", "incomplete", "does not fill the template " + payload.template() + ": "
                        + e.getMessage().lines().findFirst().orElse(""));
                return new Filled(payload.subject(), null, null);
            }
        }

        private String subject(Filled content) {
            String subject = content.subject() == null ? "" : content.subject();
            String fault = MailText.findHeaderFault(subject, config.allowLookAlikes());
            if (fault != null) {
                wrong(payload.subject() == null ? "/data" : "/subject", "forbidden-character",
                        (payload.subject() == null ? "makes a subject that holds " : "holds ") + fault);
            }
            if (subject.length() > MAX_SUBJECT) {
                wrong("/subject", "too-long", "has more than " + MAX_SUBJECT + " characters");
            }
            return subject;
        }

        private void checkBody(Filled content) {
            String path = payload.template() == null ? "" : "/data";
            checkBody(path.isEmpty() ? "/text" : path, content.text());
            checkBody(path.isEmpty() ? "/html" : path, content.html());
            if (bytes(content.text()) + bytes(content.html()) > config.maxBody().asLongValue()) {
                wrong(path.isEmpty() ? "/text" : path, "too-long", "makes a body of more than " + config.maxBody().asLongValue()
                        + " bytes (millrace.mail.max-body)");
            }
        }

        private void checkBody(String path, String body) {
            String fault = body == null ? null : MailText.findBodyFault(body);
            if (fault != null) {
                wrong(path, "forbidden-character", "holds " + fault);
            }
        }

        private void wrong(String path, String code, String message) {
            faults.add(new PayloadFault(path, code, message));
        }
    }

    private static long bytes(String text) {
        return text == null ? 0 : text.getBytes(StandardCharsets.UTF_8).length;
    }

    /** A lone CR, or CR LF, would be a line end to some servers and none to others. */
    private static String lines(String text) {
        return text == null ? null : text.replace("\r\n", "\n").replace('\r', '\n');
    }
}
