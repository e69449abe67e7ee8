package io.millrace.handler.image;

/** What is wrong with one image. */
final class ImageProblem extends Exception {

    private final String code;
    private final boolean permanent;

    private ImageProblem(String code, String message, boolean permanent) {
        super(message, null, false, false);
        this.code = code;
        this.permanent = permanent;
    }

    /** The same bytes will be no better next time. */
    static ImageProblem permanent(String code, String message) {
        return new ImageProblem(code, message, true);
    }

    static ImageProblem passing(String code, String message) {
        return new ImageProblem(code, message, false);
    }

    /** @return stable, for programs: {@code not-an-image}, {@code unreadable} and so on */
    String code() {
        return code;
    }

    boolean isPermanent() {
        return permanent;
    }
}
