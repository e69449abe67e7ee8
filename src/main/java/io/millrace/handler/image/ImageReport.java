package io.millrace.handler.image;

import java.util.List;

import com.fasterxml.jackson.annotation.JsonInclude;

import io.quarkus.runtime.annotations.RegisterForReflection;

/**
 * What became of the images of a job: its result if all went well, the detail of its failure otherwise.
 *
 * @param images how many the payload names; the same URL twice counts twice
 * @param thumbnails how many files are kept with the job; none if it failed
 * @param thumbnailsLeftOut how many were not kept because {@code millrace.image.max-artifact-bytes} was reached
 * @param visits in the order of the payload
 * @param errors one entry for each store with a failed image; absent if there is none
 */
@RegisterForReflection(ignoreNested = false)
public record ImageReport(int images, int failed, int fromCache, int thumbnails, int thumbnailsLeftOut,
        List<VisitReport> visits,
        @JsonInclude(JsonInclude.Include.NON_EMPTY) List<StoreError> errors) {

    public record VisitReport(String storeId, String visitTime, List<ImageResult> images) {}

    public sealed interface ImageResult {
        String url();
    }

    /**
     * @param format jpeg, png, gif or webp, by content
     * @param perimeter {@code 2 * (width + height)}
     * @param bytes the size of the download
     */
    public record Measured(String url, int width, int height, String format, long perimeter, int bytes, boolean fromCache,
            List<KeptThumbnail> thumbnails) implements ImageResult {}

    public record Failed(String url, Problem error) implements ImageResult {}

    /** @param artifact the name of the file, to be read at {@code GET /v1/jobs/{id}/artifacts/{name}} */
    public record KeptThumbnail(String artifact, int width, int height) {}

    /**
     * @param code stable, for programs
     * @param permanent true if another attempt would end the same way
     */
    public record Problem(String code, String message, boolean permanent) {}

    public record StoreError(String storeId, String error) {}
}
