package io.millrace.handler.email;

import java.util.Locale;
import java.util.regex.Pattern;

/**
 * An address, and the name beside it.
 *
 * @param name null for none
 * @param address {@code local@domain} in ASCII, its domain in lower case. The local part is as it was written: whose letters matter,
 *        and whose do not, only its own server knows
 */
record MailAddress(String name, String address) {
    static final int MAX_ADDRESS = 254;
    static final int MAX_NAME = 200;
    private static final int MAX_LOCAL = 64;
    private static final int MAX_DOMAIN = 253;
    /** RFC 5321, without quoted local parts and address literals. */
    private static final Pattern LOCAL = Pattern
            .compile("[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++(?:\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++)*+");
    private static final Pattern LABEL = Pattern.compile("[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?");

    static boolean isValid(String text) {
        try {
            parse(text, true);
            return true;
        } catch (IllegalArgumentException wrong) {
            return false;
        }
    }

    /**
     * @param text {@code address} or {@code Name <address>}
     * @param allowsLookAlikes as in {@link MailText#findHeaderFault}; only a name can have them
     * @throws IllegalArgumentException if it is neither; the message says what is wrong, and could go on behind "the address"
     */
    static MailAddress parse(String text, boolean allowsLookAlikes) {
        String fault = MailText.findHeaderFault(text, allowsLookAlikes);
        if (fault != null) {
            throw new IllegalArgumentException("holds " + fault);
        }
        int open = text.lastIndexOf('<');
        if (open < 0) {
            return new MailAddress(null, parseAddress(text));
        }
        if (!text.endsWith(">")) {
            throw new IllegalArgumentException("must be address or Name <address>");
        }
        return new MailAddress(parseName(text.substring(0, open)), parseAddress(text.substring(open + 1, text.length() - 1)));
    }

    /** @return null if there is none */
    private static String parseName(String text) {
        String name = text.strip();
        if (name.length() >= 2 && name.startsWith("\"") && name.endsWith("\"")) {
            name = name.substring(1, name.length() - 1);
        }
        if (name.length() > MAX_NAME) {
            throw new IllegalArgumentException("has a name of more than " + MAX_NAME + " characters");
        }
        if (name.chars().anyMatch(unit -> "<>\"\\".indexOf(unit) >= 0)) {
            throw new IllegalArgumentException("has a name with < > \" or \\ in it");
        }
        return name.isEmpty() ? null : name;
    }

    private static String parseAddress(String text) {
        int at = text.lastIndexOf('@');
        if (text.length() > MAX_ADDRESS) {
            throw new IllegalArgumentException("has more than " + MAX_ADDRESS + " characters");
        }
        if (at < 1 || at > MAX_LOCAL || !LOCAL.matcher(text.substring(0, at)).matches()) {
            throw new IllegalArgumentException("must be such as ada@example.org, in ASCII");
        }
        String domain = text.substring(at + 1);
        if (!isDomain(domain)) {
            throw new IllegalArgumentException(
                    "must have a domain such as example.org behind the @, in ASCII (xn--... if it has "
                            + "other letters)");
        }
        return text.substring(0, at + 1) + domain.toLowerCase(Locale.ROOT);
    }

    private static boolean isDomain(String domain) {
        if (domain.isEmpty() || domain.length() > MAX_DOMAIN) {
            return false;
        }
        for (String label : domain.split("\\.", -1)) {
            if (!LABEL.matcher(label).matches()) {
                return false;
            }
        }
        return true;
    }

    String domain() {
        return address.substring(address.lastIndexOf('@') + 1);
    }

    /** @return as it stands in a header field */
    String toHeader() {
        if (name == null) {
            return address;
        }
        boolean isPlain = name.chars().allMatch(unit -> unit < 0x80) && !name.contains("=?");
        return (isPlain ? "\"" + name + "\"" : MailText.encode(name, 0)) + " <" + address + ">";
    }
}
