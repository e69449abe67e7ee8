package io.millrace.batch;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

import io.smallrye.mutiny.Uni;

@DisplayNameGeneration(ReplaceUnderscores.class)
class BatcherConcurrencyTest {

    static final int PRODUCERS = 8;
    static final int ITEMS_EACH = 20_000;
    static final int ITEMS = PRODUCERS * ITEMS_EACH;
    static final BatchLimits LIMITS = new BatchLimits(100, Long.MAX_VALUE, ITEMS, 3, Duration.ofMinutes(1));

    final ExecutorService producers = Executors.newFixedThreadPool(PRODUCERS);
    final ExecutorService flushes = Executors.newFixedThreadPool(4);

    final AtomicInteger underWay = new AtomicInteger();
    final AtomicInteger mostUnderWay = new AtomicInteger();
    final AtomicInteger largest = new AtomicInteger();
    final AtomicIntegerArray answers = new AtomicIntegerArray(ITEMS);
    final AtomicInteger wrong = new AtomicInteger();
    final AtomicInteger answered = new AtomicInteger();

    @BeforeAll
    static void initialiseMutiny() {
        Uni.createFrom().item(1).map(item -> item).await().indefinitely(); // its first use must not be by several threads at once
    }

    @AfterEach
    void stopThreads() {
        producers.shutdownNow();
        flushes.shutdownNow();
    }

    Uni<List<Long>> square(List<Integer> items) {
        mostUnderWay.accumulateAndGet(underWay.incrementAndGet(), Math::max);
        largest.accumulateAndGet(items.size(), Math::max);
        return Uni.createFrom().item(() -> {
            List<Long> squares = items.stream().map(item -> (long) item * item).toList();
            underWay.decrementAndGet();
            return squares;
        }).runSubscriptionOn(flushes);
    }

    @Test
    void every_item_gets_its_own_result_once_within_the_bounds_whoever_hands_it_in() throws Exception {
        var batcher = new Batcher<>("square", LIMITS, flushes, this::square);

        List<Future<?>> handedIn = new ArrayList<>();
        for (int producer = 0; producer < PRODUCERS; producer++) {
            int first = producer * ITEMS_EACH;
            handedIn.add(producers.submit(() -> {
                for (int item = first; item < first + ITEMS_EACH; item++) {
                    int mine = item;
                    batcher.submit(mine).subscribe().with(result -> {
                        answers.incrementAndGet(mine);
                        wrong.addAndGet(result == (long) mine * mine ? 0 : 1);
                        answered.incrementAndGet();
                    }, failure -> wrong.incrementAndGet());
                }
            }));
        }
        for (Future<?> done : handedIn) {
            done.get();
        }
        batcher.idle().await().atMost(Duration.ofSeconds(30));

        assertThat(answered).as("results handed out before it became idle").hasValue(ITEMS);
        assertThat(wrong).hasValue(0);
        for (int item = 0; item < ITEMS; item++) {
            assertThat(answers.get(item)).isOne();
        }
        assertThat(mostUnderWay.get()).isBetween(1, LIMITS.flights());
        assertThat(largest.get()).isBetween(2, LIMITS.items());
    }
}
