package io.millrace.app;

import java.util.Locale;

/** How the log is written: for people, or one JSON object a line, for programs. */
enum LogFormat {
    TEXT, JSON;

    private static final String SETTING = "millrace.log.format";

    /** @throws StartFailure if the setting cannot be used */
    static LogFormat read() {
        String text = Settings.setting(SETTING).orElse("text");
        for (LogFormat format : values()) {
            if (format.name().equalsIgnoreCase(text)) {
                return format;
            }
        }
        throw StartFailure.usage(Settings.variable(SETTING) + " is '" + text + "': set it to text or json");
    }

    void configure() {
        System.setProperty("quarkus.log.console.json.enabled", Boolean.toString(this == JSON));
        System.setProperty(SETTING, name().toLowerCase(Locale.ROOT));
    }
}
