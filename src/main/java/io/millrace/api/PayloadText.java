package io.millrace.api;

/**
 * Finds what JSON allows in a text and PostgreSQL, or other programs, cannot keep: the character NUL, and halves of surrogate
 * pairs. In JSON both can only be written as escapes; raw ones are refused by the parser and the UTF-8 decoder.
 */
public final class PayloadText {
    private PayloadText() {}

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
                return "the character NUL (\\u0000)";
            }
            boolean isLow = unit >= 0 && Character.isLowSurrogate((char) unit);
            if (needsLowSurrogate != isLow) {
                return "half of a surrogate pair";
            }
            needsLowSurrogate = unit >= 0 && Character.isHighSurrogate((char) unit);
            int end = i + (escape == 'u' ? 6 : 2);
            i = json.indexOf('\\', end);
            if (needsLowSurrogate && i != end) {
                return "half of a surrogate pair";
            }
        }
        return null;
    }
}
