package io.millrace.handler.email;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import jakarta.inject.Singleton;

import io.quarkus.qute.Engine;
import io.quarkus.qute.Template;
import io.quarkus.qute.TemplateException;
import io.quarkus.qute.Variant;

/**
 * The mails whose words are known beforehand. A template {@code x} is {@code x.subject.txt}, {@code x.txt} and {@code x.html}, or some
 * of them, in Qute. It ships in {@code templates/mail}, or stands in the folder {@code millrace.mail.templates}. What a job brings is
 * filled in, escaped where it is HTML, and is never read as a template.
 */
@Singleton
class MailTemplates {
    private static final String WELCOME = "welcome";
    private static final int MAX_TEMPLATES = 300;
    private static final int MAX_FILE = 256 * 1024;
    private static final Pattern FILE = Pattern.compile("([a-z0-9][a-z0-9-]{0,63})\\.(subject\\.txt|txt|html)");
    private static final String SUBJECT = "subject.txt";
    private static final String TEXT = "txt";
    private static final String HTML = "html";

    /** What a template makes of data. Null is what it has no file for. */
    record Filled(String subject, String text, String html) {}

    private final Engine engine;
    /** By name, and by what they make. */
    private final Map<String, Map<String, Template>> templates = new TreeMap<>();

    /** @throws IllegalStateException if a file of the folder is no template; it names the file */
    MailTemplates(Engine engine, EmailConfig config) {
        this.engine = engine;
        templates.put(WELCOME, Map.of(SUBJECT, engine.getTemplate("mail/welcome-subject.txt"), TEXT,
                engine.getTemplate("mail/welcome.txt"), HTML, engine.getTemplate("mail/welcome.html")));
        config.templates().ifPresent(this::readFolder);
    }

    private void readFolder(Path folder) {
        Map<String, Map<String, Template>> found = new HashMap<>();
        int count = 0;
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                Matcher name = FILE.matcher(file.getFileName().toString());
                if (!name.matches() || !Files.isRegularFile(file)) {
                    continue;
                }
                if (++count > MAX_TEMPLATES || Files.size(file) > MAX_FILE) {
                    throw new IllegalStateException("millrace.mail.templates: " + file + " is the file of too many, more than "
                            + MAX_TEMPLATES + ", or has more than " + MAX_FILE + " bytes");
                }
                found.computeIfAbsent(name.group(1), any -> new HashMap<>()).put(name.group(2), parse(file, name.group(2)));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("millrace.mail.templates: " + folder + " cannot be read", e);
        }
        templates.putAll(found);
    }

    private Template parse(Path file, String kind) throws IOException {
        String type = kind.equals(HTML) ? Variant.TEXT_HTML : Variant.TEXT_PLAIN;
        try {
            return engine.parse(Files.readString(file), Variant.forContentType(type), file.toString());
        } catch (TemplateException e) {
            throw new IllegalStateException("millrace.mail.templates: " + file + " is no template: " + e.getMessage());
        }
    }

    boolean has(String name) {
        return templates.containsKey(name);
    }

    /** @return with commas between them */
    String names() {
        return String.join(", ", templates.keySet());
    }

    /**
     * @param name of a template that is there
     * @throws TemplateException if it needs what is not in the data
     */
    Filled fill(String name, Map<String, Object> data) {
        Map<String, Template> parts = templates.get(name);
        return new Filled(render(parts.get(SUBJECT), data), render(parts.get(TEXT), data), render(parts.get(HTML), data));
    }

    private static String render(Template template, Map<String, Object> data) {
        return template == null ? null : template.render(data);
    }
}
