package io.millrace.handler.image;

/** Some images of a job failed, at least one of them for a reason that may pass. Which and why is in the {@link ImageReport}. */
final class ImagesFailedException extends Exception {

    ImagesFailedException(String message) {
        super(message, null, false, false);
    }
}
