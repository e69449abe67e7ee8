package io.millrace.worker;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(ReplaceUnderscores.class)
class SlotsTest {

    final Slots process = new Slots(3, null);
    final Slots queue = new Slots(2, process);
    final Slots otherQueue = new Slots(2, process);

    static CompletableFuture<Void> awaitFree(Slots slots) {
        return slots.awaitFree().subscribeAsCompletionStage();
    }

    @Test
    void no_more_slots_are_granted_than_there_are() {
        assertThat(process.takeUpTo(2)).isEqualTo(2);
        assertThat(process.takeUpTo(5)).isEqualTo(1);
        assertThat(process.takeUpTo(1)).isZero();

        process.giveBack(2);
        assertThat(process.takeUpTo(5)).isEqualTo(2);
    }

    @Test
    void a_queue_is_bounded_by_itself_and_by_its_process() {
        assertThat(queue.takeUpTo(5)).isEqualTo(2);
        assertThat(otherQueue.takeUpTo(5)).isEqualTo(1);
        assertThat(process.takenCount()).isEqualTo(3);
        assertThat(otherQueue.takenCount()).as("slots that the process did not have are not held").isEqualTo(1);
    }

    @Test
    void a_slot_given_back_by_one_queue_is_free_for_another() {
        queue.takeUpTo(2);
        otherQueue.takeUpTo(1);

        queue.giveBack(1);
        assertThat(otherQueue.takeUpTo(5)).isEqualTo(1);
    }

    @Test
    void the_smaller_limit_counts() {
        assertThat(queue.limit()).isEqualTo(2);
        assertThat(new Slots(10, process).limit()).isEqualTo(3);
    }

    @Test
    void nobody_waits_while_a_slot_is_free() {
        queue.takeUpTo(1);
        assertThat(awaitFree(queue)).isDone();
    }

    @Test
    void everybody_who_waits_is_told_when_a_slot_is_given_back() {
        process.takeUpTo(3);
        CompletableFuture<Void> one = awaitFree(process);
        CompletableFuture<Void> other = awaitFree(process);
        assertThat(one).isNotDone();

        process.giveBack(1);
        assertThat(one).isDone();
        assertThat(other).isDone();
    }

    @Test
    void a_queue_with_free_slots_waits_for_its_process() {
        queue.takeUpTo(2);
        otherQueue.takeUpTo(1);
        CompletableFuture<Void> free = awaitFree(otherQueue);
        assertThat(free).isNotDone();

        queue.giveBack(1);
        assertThat(free).isDone();
    }

    @Test
    void a_full_queue_waits_though_its_process_has_slots() {
        queue.takeUpTo(2);
        CompletableFuture<Void> free = awaitFree(queue);
        assertThat(free).isNotDone();

        queue.giveBack(1);
        assertThat(free).isDone();
    }

    @Test
    void many_threads_never_hold_more_than_there_are_and_give_all_back() throws Exception {
        AtomicInteger held = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<?>> done = new ArrayList<>();
            for (int thread = 0; thread < 4; thread++) {
                Slots slots = thread % 2 == 0 ? queue : otherQueue;
                done.add(threads.submit(() -> {
                    for (int round = 0; round < 20_000; round++) {
                        int taken = slots.takeUpTo(ThreadLocalRandom.current().nextInt(1, 4));
                        most.accumulateAndGet(held.addAndGet(taken), Math::max);
                        held.addAndGet(-taken);
                        slots.giveBack(taken);
                    }
                }));
            }
            for (Future<?> one : done) {
                one.get();
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(most.get()).isBetween(1, 3);
        assertThat(List.of(process, queue, otherQueue)).extracting(Slots::takenCount).containsOnly(0);
    }
}
