package io.millrace.handler;

import java.util.concurrent.Callable;

import jakarta.enterprise.context.ApplicationScoped;

import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.infrastructure.Infrastructure;

/** Where handlers put work that blocks a thread or computes for long, so that the event loops stay free. */
@ApplicationScoped
public class BlockingWork {

    /** @return what {@code work} returned or threw; it runs on a thread of Quarkus's bounded worker pool */
    public <T> Uni<T> run(Callable<T> work) {
        return Uni.createFrom().item(() -> {
            try {
                return work.call();
            } catch (RuntimeException unchecked) {
                throw unchecked;
            } catch (Exception checked) {
                throw new java.util.concurrent.CompletionException(checked);
            }
        }).runSubscriptionOn(Infrastructure.getDefaultWorkerPool()).onFailure(java.util.concurrent.CompletionException.class)
                .transform(Throwable::getCause);
    }
}
