package io.millrace.handler.image;

import java.util.List;

import com.fasterxml.jackson.annotation.JsonAlias;

import io.quarkus.runtime.annotations.RegisterForReflection;

/**
 * Photos taken on visits of stores. The snake_case names of {@code POST /processJob} are read too.
 *
 * @param count how many visits there are, as a check for the sender; null for no check
 * @param thumbnails lengths of the longest edge in pixels, one thumbnail of each image for each length; null for
 *        {@value #DEFAULT_THUMBNAIL}, empty for none
 */
@RegisterForReflection(ignoreNested = false)
public record ImagePayload(Integer count, List<Visit> visits, List<Integer> thumbnails) {

    /** @param visitTime as the sender wrote it; handed back in the result */
    public record Visit(@JsonAlias("store_id") String storeId, @JsonAlias( {"image_url", "image_urls"}) List<String> imageUrls,
            @JsonAlias("visit_time") String visitTime){}

    static final int DEFAULT_THUMBNAIL = 128;
    static final int MIN_THUMBNAIL = 16;
    static final int MAX_THUMBNAIL = 1024;
    static final int MAX_THUMBNAILS = 4;
    static final int MAX_IMAGES = 1000;
    static final int MAX_STORE_ID = 200;
    static final int MAX_URL = 2048;

    /** @return the asked lengths, each once */
    List<Integer> thumbnailSizes() {
        return thumbnails == null ? List.of(DEFAULT_THUMBNAIL) : thumbnails.stream().distinct().toList();
    }

    /** @return what is wrong with the payload; null if nothing is */
    String problem() {
        if (visits == null || visits.isEmpty()) {
            return "visits is missing or empty";
        }
        if (count != null && count != visits.size()) {
            return "count is " + count + " but there are " + visits.size() + " visits";
        }
        int images = 0;
        for (int v = 0; v < visits.size(); v++) {
            String problem = problem(visits.get(v));
            if (problem != null) {
                return "visits[" + v + "]" + problem;
            }
            images += visits.get(v).imageUrls().size();
        }
        if (images > MAX_IMAGES) {
            return images + " images are too many for one job; the most is " + MAX_IMAGES;
        }
        if (thumbnails != null && thumbnails.size() > MAX_THUMBNAILS) {
            return "thumbnails has " + thumbnails.size() + " sizes; the most is " + MAX_THUMBNAILS;
        }
        if (thumbnails != null && !thumbnails.stream().allMatch(ImagePayload::isThumbnailSize)) {
            return "thumbnails has a size that is not from " + MIN_THUMBNAIL + " to " + MAX_THUMBNAIL;
        }
        return null;
    }

    private static String problem(Visit visit) {
        if (visit == null) {
            return " is null";
        }
        if (visit.storeId() == null || visit.storeId().isBlank() || visit.storeId().length() > MAX_STORE_ID) {
            return ".storeId is missing or longer than " + MAX_STORE_ID + " characters";
        }
        if (visit.imageUrls() == null || visit.imageUrls().isEmpty()) {
            return ".imageUrls is missing or empty";
        }
        if (!visit.imageUrls().stream().allMatch(url -> url != null && !url.isBlank() && url.length() <= MAX_URL)) {
            return ".imageUrls has an entry that is empty or longer than " + MAX_URL + " characters";
        }
        return null;
    }

    private static boolean isThumbnailSize(Integer size) {
        return size != null && size >= MIN_THUMBNAIL && size <= MAX_THUMBNAIL;
    }
}
