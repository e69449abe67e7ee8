package io.millrace.handler.email;

import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** Text that stands in the header of a mail: what must not be in it, and how the rest is written. */
final class MailText {
    private static final int LINE = 76;
    /** Bytes of UTF-8 in an encoded word of RFC 2047, which has 75 characters at most, 12 of them around the Base64. */
    private static final int BYTES_OF_A_WORD = 45;
    private static final int FIRST_NOT_ASCII = 0x80;

    private MailText() {}

    /**
     * Whatever could end a line of the header, here or in software behind us that cuts characters to bytes (CVE-2025-7962).
     *
     * @param allowsLookAlikes true if that software is trusted: we write nothing but ASCII into a header
     * @return what is in the text that must not be in a header; null if nothing is
     */
    static String findHeaderFault(String text, boolean allowsLookAlikes) {
        for (int i = 0; i < text.length(); i++) {
            char unit = text.charAt(i);
            if (isControl(unit)) {
                return name(unit) + ", a control character";
            }
            int lowByte = unit & 0xFF;
            if (!allowsLookAlikes && (lowByte == '\r' || lowByte == '\n')) {
                return name(unit) + ", whose low byte ends a line in software that cuts characters to bytes "
                        + "(millrace.mail.allow-look-alikes)";
            }
            if (isHalfOfAPair(text, i)) {
                return name(unit) + ", half of a surrogate pair";
            }
        }
        return null;
    }

    /** @return the same for the body of a mail, which has lines and tabs */
    static String findBodyFault(String text) {
        for (int i = 0; i < text.length(); i++) {
            char unit = text.charAt(i);
            boolean isBlank = unit == '\n' || unit == '\r' || unit == '\t';
            if (!isBlank && unit < FIRST_NOT_ASCII && isControl(unit)) {
                return name(unit) + ", a control character";
            }
            if (isHalfOfAPair(text, i)) {
                return name(unit) + ", half of a surrogate pair";
            }
        }
        return null;
    }

    private static boolean isControl(char unit) {
        return Character.isISOControl(unit) || unit == '\u2028' || unit == '\u2029';
    }

    private static boolean isHalfOfAPair(String text, int i) {
        char unit = text.charAt(i);
        if (Character.isHighSurrogate(unit)) {
            return i + 1 == text.length() || !Character.isLowSurrogate(text.charAt(i + 1));
        }
        return Character.isLowSurrogate(unit) && (i == 0 || !Character.isHighSurrogate(text.charAt(i - 1)));
    }

    private static String name(char unit) {
        return String.format("U+%04X", (int) unit);
    }

    /**
     * Writes text as the value of a header field, in lines of at most {@value #LINE} characters where there are blanks to break at,
     * and in words of RFC 2047 if it is not ASCII.
     *
     * @param used characters of the first line that are taken by the name of the field
     */
    static String encode(String text, int used) {
        return text.chars().allMatch(unit -> unit < FIRST_NOT_ASCII) && !text.contains("=?")
                ? fold(text, used)
                : encodeWords(text);
    }

    private static String fold(String text, int used) {
        StringBuilder folded = new StringBuilder();
        int inLine = used;
        for (String word : text.split(" ", -1)) {
            boolean isFirst = folded.isEmpty();
            if (!isFirst && !word.isEmpty() && inLine + 1 + word.length() > LINE) {
                folded.append("\r\n");
                inLine = 0;
            }
            folded.append(isFirst ? "" : " ").append(word);
            inLine += word.length() + 1;
        }
        return folded.toString();
    }

    private static String encodeWords(String text) {
        StringBuilder words = new StringBuilder();
        StringBuilder chunk = new StringBuilder();
        int bytes = 0;
        for (int codePoint : text.codePoints().toArray()) {
            int more = Character.toString(codePoint).getBytes(StandardCharsets.UTF_8).length;
            if (bytes + more > BYTES_OF_A_WORD) {
                words.append(encodeWord(chunk)).append("\r\n ");
                chunk.setLength(0);
                bytes = 0;
            }
            chunk.appendCodePoint(codePoint);
            bytes += more;
        }
        return words.append(encodeWord(chunk)).toString();
    }

    private static String encodeWord(CharSequence chunk) {
        byte[] utf8 = chunk.toString().getBytes(StandardCharsets.UTF_8);
        return "=?UTF-8?B?" + Base64.getEncoder().encodeToString(utf8) + "?=";
    }
}
