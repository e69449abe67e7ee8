package io.millrace.handler.image;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiFunction;

import io.millrace.egress.EgressClient;
import io.millrace.handler.BlockingWork;
import io.millrace.handler.Deadline;
import io.millrace.handler.JobContext;
import io.millrace.handler.JobHandler;
import io.millrace.handler.JobType;
import io.millrace.handler.Permits;
import io.millrace.handler.image.ImageReading.Picture;
import io.millrace.handler.image.ImageSource.Fetched;
import io.millrace.job.Outcome;
import io.millrace.job.RetryPolicy;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;

/** Downloads the photos of store visits, measures them and makes thumbnails. */
@ApplicationScoped
public class ImageHandler implements JobHandler<ImagePayload> {

    static final JobType<ImagePayload> TYPE = new JobType<>("image",
            "Downloads images, computes the perimeter of each and makes thumbnails.", ImagePayload.class, """
                    {
                      "visits": [
                        {
                          "storeId": "S00339218",
                          "imageUrls": [
                            "http://localhost:8080/demo/mill.jpg",
                            "http://localhost:8080/demo/river.png"
                          ],
                          "visitTime": "10:00:00"
                        },
                        {
                          "storeId": "S01408764",
                          "imageUrls": ["http://localhost:8080/demo/wheel.webp"],
                          "visitTime": "10:05:00"
                        }
                      ],
                      "thumbnails": [128, 512]
                    }
                    """, "images", Duration.ofMinutes(5), RetryPolicy.attempts(4));

    private final BiFunction<URI, JobContext, Uni<Fetched>> source;
    private final BlockingWork blocking;
    private final ImageConfig config;
    private final ImageReading reading;
    private final Permits held;
    private final Permits decoding;

    @Inject
    public ImageHandler(ImageSource source, BlockingWork blocking, ImageConfig config) {
        this(source::fetch, blocking, config);
    }

    ImageHandler(BiFunction<URI, JobContext, Uni<Fetched>> source, BlockingWork blocking, ImageConfig config) {
        this.source = source;
        this.blocking = blocking;
        this.config = config;
        this.reading = new ImageReading(config.maxPixels(), config.maxFrames());
        this.held = new Permits(config.held());
        this.decoding = new Permits(config.concurrency().orElseGet(Runtime.getRuntime()::availableProcessors));
    }

    @Override
    public JobType<ImagePayload> type() {
        return TYPE;
    }

    @Override
    public Uni<Outcome> run(ImagePayload payload, JobContext context) {
        String problem = payload.problem();
        if (problem != null) {
            return Uni.createFrom().item(new Outcome.Reject(problem));
        }
        ImageRun run = new ImageRun(payload, config.maxArtifactBytes().asLongValue());
        return Multi.createFrom().iterable(run.urls()).onItem()
                .transformToUni(url -> held.run(() -> look(url, run, context))).merge(config.downloads()).collect().last()
                .map(last -> run.outcome());
    }

    /** Never fails: what goes wrong with one image is noted and leaves the others alone. */
    private Uni<Void> look(String url, ImageRun run, JobContext context) {
        return Uni.createFrom().deferred(() -> source.apply(EgressClient.parse(url), context))
                .chain(fetched -> read(fetched.bytes(), run.sizes()).invoke(picture -> run.note(url, fetched, picture)))
                .onFailure().invoke(failure -> run.note(url, failure)).onFailure().recoverWithNull().replaceWithVoid();
    }

    private Uni<Picture> read(byte[] bytes, List<Integer> sizes) {
        return decoding.run(() -> {
            AtomicBoolean unwanted = new AtomicBoolean();
            return blocking.run(() -> {
                Deadline deadline = Deadline.after(config.decodeTimeout());
                return reading.read(bytes, sizes, () -> unwanted.get() || deadline.hasPassed());
            }).onCancellation().invoke(() -> unwanted.set(true));
        });
    }
}
