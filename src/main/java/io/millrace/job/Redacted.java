package io.millrace.job;

import java.util.regex.Pattern;

/**
 * Strikes out of a text what looks like a secret, before it is kept or logged: messages of exceptions quote addresses and headers.
 * It knows the forms below and no others; a secret without such a form stays.
 */
public final class Redacted {
    private static final String MASK = "***";

    /** No class takes a quote or a backslash, so that JSON stays JSON; none can match in two ways, so that time is linear. */
    private record Form(String hint, Pattern pattern, String replacement) {}

    private static final Form[] FORMS = {
            form("://", "://[^/\\s\"'<>\\\\]*@", "://" + MASK + "@"),
            form("=", "(?i)([?&][a-z_-]{0,32}(?:token|key|password|passwd|secret|sig|signature|credential)=)[^&\\s\"'#\\\\]++",
                    "$1" + MASK),
            form("uthorization", "(?i)(\\bauthorization\\s{0,8}[:=]\\s{0,8})(?:[a-z]{1,16}\\s{1,8})?[^\\s\"',;\\\\]++",
                    "$1" + MASK),
            form("earer", "(?i)(\\bbearer\\s{1,8})[a-z0-9._~+/=-]{8,}+", "$1" + MASK),
            form("asic", "(?i)(\\bbasic\\s{1,8})[a-z0-9+/=]{8,}+", "$1" + MASK),
            form("mrk_", "\\bmrk_[A-Za-z0-9_-]{8,}+", "mrk_" + MASK),
            form("eyJ", "\\beyJ[A-Za-z0-9_-]{8,}+\\.[A-Za-z0-9_-]++(?:\\.[A-Za-z0-9_-]*+)?", MASK)};

    private Redacted() {}

    /** @return null for null */
    public static String text(String text) {
        String redacted = text;
        for (Form form : FORMS) {
            if (redacted != null && redacted.contains(form.hint())) {
                redacted = form.pattern().matcher(redacted).replaceAll(form.replacement());
            }
        }
        return redacted;
    }

    private static Form form(String hint, String pattern, String replacement) {
        return new Form(hint, Pattern.compile(pattern), replacement);
    }
}
