package io.millrace.handler.image;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

import io.millrace.egress.EgressFailedException;
import io.millrace.egress.EgressRefusedException;
import io.millrace.handler.image.ImageReading.Picture;
import io.millrace.handler.image.ImageReading.Thumbnail;
import io.millrace.handler.image.ImageReport.Failed;
import io.millrace.handler.image.ImageReport.ImageResult;
import io.millrace.handler.image.ImageReport.KeptThumbnail;
import io.millrace.handler.image.ImageReport.Measured;
import io.millrace.handler.image.ImageReport.Problem;
import io.millrace.handler.image.ImageReport.StoreError;
import io.millrace.handler.image.ImageReport.VisitReport;
import io.millrace.handler.image.ImageSource.Fetched;
import io.millrace.job.Artifact;
import io.millrace.job.Outcome;

/** What one attempt has found out so far, by URL, and the verdict at its end. Safe to use from several threads. */
final class ImageRun {

    /** A server may ask for more patience than this; it gets asked again all the same. */
    private static final Duration LONGEST_WAIT = Duration.ofHours(1);

    /** How many stores, and images of one store, a message names. */
    private static final int NAMED = 3;

    private final ImagePayload payload;
    /** Where a URL stands first: {@code v0-i1}, visit 0, image 1. Its thumbnails are called by that. */
    private final Map<String, String> places = new LinkedHashMap<>();

    private final Map<String, ImageResult> results = new HashMap<>();
    private final List<Artifact> artifacts = new ArrayList<>();
    private final long maxArtifactBytes;
    private long artifactBytes;
    private int leftOut;
    private Duration longestRetryAfter = Duration.ZERO;

    ImageRun(ImagePayload payload, long maxArtifactBytes) {
        this.payload = payload;
        this.maxArtifactBytes = maxArtifactBytes;
        for (int v = 0; v < payload.visits().size(); v++) {
            List<String> urls = payload.visits().get(v).imageUrls();
            for (int i = 0; i < urls.size(); i++) {
                places.putIfAbsent(urls.get(i), "v" + v + "-i" + i);
            }
        }
    }

    /** @return each once */
    Set<String> urls() {
        return places.keySet();
    }

    /** @return the longest edges of the thumbnails to make */
    List<Integer> sizes() {
        return payload.thumbnailSizes();
    }

    synchronized void note(String url, Fetched fetched, Picture picture) {
        List<KeptThumbnail> kept = picture.thumbnails().stream().filter(this::fits).map(thumbnail -> keep(url, thumbnail))
                .toList();
        results.put(url, new Measured(url, picture.width(), picture.height(), picture.format().label(),
                2L * (picture.width() + picture.height()), fetched.bytes().length, fetched.fromCache(), kept));
    }

    synchronized void note(String url, Throwable failure) {
        results.put(url, new Failed(url, problem(failure)));
        if (failure instanceof EgressFailedException failed && failed.isTransient()) {
            failed.retryAfter().filter(wait -> wait.compareTo(longestRetryAfter) > 0)
                    .ifPresent(wait -> longestRetryAfter = wait);
        }
    }

    /** To be asked when every URL has been noted. */
    synchronized Outcome outcome() {
        Collection<Failed> failed = results.values().stream().filter(Failed.class::isInstance).map(Failed.class::cast).toList();
        if (failed.isEmpty()) {
            return new Outcome.Success(report(true), artifacts);
        }
        ImageReport report = report(false);
        String message = message(report);
        if (failed.stream().allMatch(image -> image.error().permanent())) {
            return new Outcome.Reject(message, report);
        }
        Duration after = longestRetryAfter.compareTo(LONGEST_WAIT) > 0 ? LONGEST_WAIT : longestRetryAfter;
        return new Outcome.Retry(new ImagesFailedException(message), after.isZero() ? null : after, report);
    }

    private boolean fits(Thumbnail thumbnail) {
        boolean fits = artifactBytes + thumbnail.bytes().length <= maxArtifactBytes;
        leftOut += fits ? 0 : 1;
        return fits;
    }

    private KeptThumbnail keep(String url, Thumbnail thumbnail) {
        String name = places.get(url) + "-" + thumbnail.size() + "." + thumbnail.extension();
        artifacts.add(new Artifact(name, thumbnail.contentType(), thumbnail.bytes()));
        artifactBytes += thumbnail.bytes().length;
        return new KeptThumbnail(name, thumbnail.width(), thumbnail.height());
    }

    /** @param withThumbnails false if the job fails: then no files are kept */
    private ImageReport report(boolean withThumbnails) {
        List<VisitReport> visits = payload.visits().stream()
                .map(visit -> new VisitReport(visit.storeId(), visit.visitTime(),
                        visit.imageUrls().stream()
                                .map(url -> withThumbnails ? results.get(url) : withoutThumbnails(results.get(url))).toList()))
                .toList();
        List<ImageResult> images = visits.stream().flatMap(visit -> visit.images().stream()).toList();
        return new ImageReport(images.size(), (int) images.stream().filter(Failed.class::isInstance).count(),
                (int) images.stream().filter(image -> image instanceof Measured measured && measured.fromCache()).count(),
                withThumbnails ? artifacts.size() : 0, withThumbnails ? leftOut : 0, visits, storeErrors(visits));
    }

    private static ImageResult withoutThumbnails(ImageResult result) {
        return result instanceof Measured m
                ? new Measured(m.url(), m.width(), m.height(), m.format(), m.perimeter(), m.bytes(), m.fromCache(), List.of())
                : result;
    }

    private static List<StoreError> storeErrors(List<VisitReport> visits) {
        Map<String, List<String>> messages = new LinkedHashMap<>();
        for (VisitReport visit : visits) {
            for (ImageResult image : visit.images()) {
                if (image instanceof Failed failed) {
                    messages.computeIfAbsent(visit.storeId(), store -> new ArrayList<>())
                            .add(failed.url() + ": " + failed.error().message());
                }
            }
        }
        return messages.entrySet().stream().map(store -> new StoreError(store.getKey(), some(store.getValue(), "; "))).toList();
    }

    private static String message(ImageReport report) {
        List<String> stores = report.errors().stream().map(StoreError::storeId).toList();
        return report.failed() + " of " + report.images() + " images failed, of " + (stores.size() == 1 ? "store " : "stores ")
                + some(stores, ", ");
    }

    private static String some(List<String> all, String separator) {
        String some = all.stream().limit(NAMED).collect(Collectors.joining(separator));
        return all.size() <= NAMED ? some : some + separator + (all.size() - NAMED) + " more";
    }

    private static Problem problem(Throwable failure) {
        if (failure instanceof ImageProblem image) {
            return new Problem(image.code(), image.getMessage(), image.isPermanent());
        }
        if (failure instanceof EgressRefusedException refused) {
            return new Problem("refused", refused.getMessage(), true);
        }
        if (failure instanceof EgressFailedException failed) {
            String code = switch (failed.kind()) {
                case STATUS -> "http-" + failed.status();
                case TOO_LARGE -> "too-large";
                case TIMEOUT -> "timeout";
                case UNREACHABLE -> "unreachable";
                case BROKEN -> "broken-connection";
            };
            return new Problem(code, failed.getMessage(), !failed.isTransient());
        }
        return new Problem("internal", failure.toString(), false);
    }
}
