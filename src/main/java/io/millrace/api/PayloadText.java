package io.millrace.api;

/**
 * Finds what JSON allows in a text and PostgreSQL, or other programs, cannot keep: the character NUL, and halves of surrogate
 * pairs. In JSON both can only be written as escapes; raw ones are refused by the parser and the UTF-8 decoder.
 */
public final class PayloadText {
    private static final String NUL = "the character NUL (\\u0000)";
    private static final String HALF = "half of a surrogate pair";

    private PayloadText() {}

    /** The same for a text that was read from JSON. @return what is wrong, or null */
    static String findFaultInText(String text) {
        if (text.indexOf(0) >= 0) {
            return NUL;
        }
        boolean isWhole = text.codePoints()
                .noneMatch(point -> point <= Character.MAX_SURROGATE && point >= Character.MIN_SURROGATE);
        return isWhole ? null : HALF;
    }

    /**
     * @param json text that is known to be well-formed JSON
     * @return what is wrong, or null
     */
    public static String findFault(String json) {
        boolean needsLowSurrogate = false;
        for (int i = json.indexOf('\\'); i >= 0 && i < json.length();) {
            char escape = json.charAt(i + 1);
            int unit = escape == 'u' ? Integer.parseInt(json, i + 2, i + 6, 16) : -1;
            if (unit == 0) {
                return NUL;
            }
            boolean isLow = unit >= 0 && Character.isLowSurrogate((char) unit);
            if (needsLowSurrogate != isLow) {
                return HALF;
            }
            needsLowSurrogate = unit >= 0 && Character.isHighSurrogate((char) unit);
            int end = i + (escape == 'u' ? 6 : 2);
            i = json.indexOf('\\', end);
            if (needsLowSurrogate && i != end) {
                return HALF;
            }
        }
        return null;
    }
}
