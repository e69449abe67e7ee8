package io.millrace.job;

/**
 * What went wrong in one attempt, as it is stored and shown, without what {@link Redacted} knows for secrets.
 *
 * @param reason null while the job will be tried again
 * @param error short name of the exception, or of the kind of failure
 * @param message at most {@link #MAX_MESSAGE} characters
 * @param stack at most {@link #MAX_STACK} characters; null if there is none
 * @param detail more for programs, JSON; null for none
 */
public record Failure(FailureReason reason, String error, String message, String stack, String detail) {
    public static final int MAX_STACK = 8_000;
    public static final int MAX_MESSAGE = 2_000;
    private static final String CUT = "...";

    public Failure {
        message = cut(Redacted.text(message), MAX_MESSAGE);
        stack = cut(Redacted.text(stack), MAX_STACK);
        detail = Redacted.text(detail);
    }

    public Failure withReason(FailureReason why) {
        return new Failure(why, error, message, stack, detail);
    }

    private static String cut(String text, int max) {
        if (text == null || text.length() <= max) {
            return text;
        }
        int end = max - CUT.length();
        return text.substring(0, Character.isHighSurrogate(text.charAt(end - 1)) ? end - 1 : end) + CUT;
    }
}
