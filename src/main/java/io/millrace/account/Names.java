package io.millrace.account;

import java.util.Collection;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** What names and passwords may look like. */
final class Names {
    private static final Pattern USERNAME = Pattern.compile("[a-z0-9][a-z0-9._@+-]{0,127}");
    private static final Pattern TENANT = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,127}");
    private static final Pattern KEY_NAME = Pattern.compile("[^\\p{Cc}\\p{Cs}\\p{Zl}\\p{Zp}]{1,128}");
    static final int MOST_USERNAME = 128;
    private static final int LEAST_PASSWORD = 8;
    private static final int MOST_PASSWORD = 256;

    private Names() {}

    static boolean isTenant(String text) {
        return TENANT.matcher(text).matches();
    }

    /** @return in lower case. @throws RefusedException if it cannot be one */
    static String username(String text) {
        String name = text == null ? "" : text.strip().toLowerCase(Locale.ROOT);
        if (!USERNAME.matcher(name).matches()) {
            throw RefusedException
                    .invalid("username",
                            "username must be 1 to 128 letters, digits or . _ @ + - and start with a letter or digit");
        }
        return name;
    }

    /** @param field what the request calls it */
    static String newPassword(String field, String text) {
        if (text == null || text.length() < LEAST_PASSWORD || text.length() > MOST_PASSWORD) {
            throw RefusedException.invalid(field,
                    field + " must have " + LEAST_PASSWORD + " to " + MOST_PASSWORD + " characters");
        }
        return text;
    }

    /** What is longer than any password was no password of ours, and is not worth hashing as it is. */
    static String triedPassword(String text) {
        return text == null || text.length() > MOST_PASSWORD ? "" : text;
    }

    static String keyName(String text) {
        if (text == null || text.isBlank() || !KEY_NAME.matcher(text).matches()) {
            throw RefusedException.invalid("name", "name must be 1 to 128 characters, none of them a control character");
        }
        return text;
    }

    /** @return the groups as they are stored */
    static String groups(Collection<String> groups) {
        if (groups == null || groups.isEmpty() || !Group.ALL.containsAll(groups)) {
            throw RefusedException.invalid("groups",
                    "groups must be one or more of " + String.join(", ", new TreeSet<>(Group.ALL)));
        }
        return String.join(" ", new TreeSet<>(Set.copyOf(groups)));
    }
}
