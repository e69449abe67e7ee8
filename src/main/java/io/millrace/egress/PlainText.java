package io.millrace.egress;

import java.util.regex.Pattern;

/** Words of a stranger, made fit for a message that ends in a log, a job and somebody's terminal. */
final class PlainText {

    private static final int MOST_CHARACTERS = 200;
    /** Control characters, line and paragraph separators, what turns the direction of text, and halves of a character. */
    private static final Pattern UNPRINTABLE = Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}]");

    private PlainText() {}

    /** @return one line of at most 200 characters, {@code ?} for what cannot be printed */
    static String of(String text) {
        String some = text.length() > MOST_CHARACTERS ? text.substring(0, MOST_CHARACTERS - 3) + "..." : text;
        return UNPRINTABLE.matcher(some).replaceAll("?");
    }
}
