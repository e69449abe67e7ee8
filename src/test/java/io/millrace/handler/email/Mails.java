package io.millrace.handler.email;

import java.util.HashMap;
import java.util.Map;

import io.millrace.support.TestConfig;
import io.quarkus.qute.Engine;
import io.quarkus.qute.HtmlEscaper;
import io.quarkus.qute.ReflectionValueResolver;
import io.quarkus.qute.Variant;

/** What the tests of mails share: settings and templates without an application. */
final class Mails {
    private Mails() {}

    /** @param settings names below {@code millrace.mail} and values in turn */
    static EmailConfig config(String... settings) {
        return TestConfig.of(EmailConfig.class, keys(settings));
    }

    static Map<String, String> keys(String... settings) {
        Map<String, String> keys = new HashMap<>();
        for (int i = 0; i < settings.length; i += 2) {
            keys.put("millrace.mail." + settings[i], settings[i + 1]);
        }
        return keys;
    }

    static LetterReader letters(EmailConfig config) {
        return new LetterReader(config, new MailTemplates(engine(), config));
    }

    /** As Quarkus sets it up, as far as these templates need it. */
    private static Engine engine() {
        return Engine.builder().addDefaults().addValueResolver(new ReflectionValueResolver())
                .addResultMapper(new HtmlEscaper(java.util.List.of(Variant.TEXT_HTML)))
                .addLocator(id -> java.util.Optional.of(new ShippedTemplate(id))).build();
    }

    private record ShippedTemplate(String id) implements io.quarkus.qute.TemplateLocator.TemplateLocation {
        @Override
        public java.io.Reader read() {
            return new java.io.InputStreamReader(Mails.class.getResourceAsStream("/templates/" + id),
                    java.nio.charset.StandardCharsets.UTF_8);
        }

        @Override
        public java.util.Optional<Variant> getVariant() {
            return java.util.Optional
                    .of(Variant.forContentType(id.endsWith(".html") ? Variant.TEXT_HTML : Variant.TEXT_PLAIN));
        }
    }
}
