package io.millrace.worker;

import static io.millrace.worker.JobServers.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import io.millrace.job.Priority;
import io.millrace.stream.StreamEntry;
import io.millrace.stream.StreamReader;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;
import io.vertx.core.Vertx;

/** The looks of a watchdog are taken by hand; its limit is no time at all, so that whatever reads at a look hangs. */
@Timeout(60)
@DisplayNameGeneration(ReplaceUnderscores.class)
class WatchdogTest {
    private static final int SLOTS = 4;
    private static final StreamEntry ENTRY = new StreamEntry("q", Priority.NORMAL, "1-0", UUID.randomUUID());

    /** A stream of which the test says when and how each read ends. */
    private static final class StubbornStream extends StreamReader {
        private final List<UniEmitter<? super List<StreamEntry>>> reads = new CopyOnWriteArrayList<>();
        private final boolean isClosable;

        private StubbornStream(Vertx vertx, boolean isClosable) {
            super(vertx, () -> "redis://localhost:1", null, "q", "c");
            this.isClosable = isClosable;
        }

        @Override
        public Uni<List<StreamEntry>> readNew(int most) {
            return Uni.createFrom().emitter(reads::add);
        }

        @Override
        public Uni<Page> readPending(Priority priority, String after, int most) {
            return isClosable ? Uni.createFrom().item(new Page(List.of(), 0, null)) : Uni.createFrom().nothing();
        }
    }

    private final Vertx vertx = Vertx.vertx();
    private final Slots slots = new Slots(SLOTS, null);
    private final List<StubbornStream> streams = new CopyOnWriteArrayList<>();
    private final List<StreamEntry> started = new ArrayList<>();
    private final AtomicInteger reconnects = new AtomicInteger();
    private final AtomicInteger givenUp = new AtomicInteger();

    @AfterEach
    void close() {
        vertx.close();
    }

    /** @param canRecover whether a reader that replaces another gets as far as reading what is new */
    private Watchdog watchdog(boolean canRecover) {
        Watchdog watchdog = new Watchdog("q", Duration.ZERO, isReplacement -> {
            StubbornStream stream = new StubbornStream(vertx, canRecover);
            streams.add(stream);
            return new Reader("q", stream, slots, 2, Runnable::run,
                    new Reader.Outlet(started::add, started::add, entry -> false, reconnects::incrementAndGet), isReplacement);
        }, givenUp::incrementAndGet);
        watchdog.start();
        return watchdog;
    }

    private StubbornStream last() {
        return streams.get(streams.size() - 1);
    }

    @Test
    void a_read_that_never_ends_is_replaced_and_its_slots_are_given_back_once() {
        Watchdog watchdog = watchdog(true);
        assertThat(slots.freeCount()).isEqualTo(SLOTS - 2);

        watchdog.check();
        await().until(() -> last().reads.size() == 1);
        assertThat(streams).hasSize(2);
        assertThat(slots.freeCount()).as("the new reader holds its own").isEqualTo(SLOTS - 2);
        assertThat(reconnects).as("something may be lost").hasValue(1);

        streams.get(0).reads.get(0).complete(List.of(ENTRY));
        assertThat(started).as("of a reader that was given up").isEmpty();
        assertThat(slots.freeCount()).isEqualTo(SLOTS - 2);

        last().reads.get(0).complete(List.of(ENTRY));
        assertThat(started).containsExactly(ENTRY);
        assertThat(givenUp).hasValue(0);
    }

    @Test
    void a_reader_that_was_given_up_and_fails_late_gives_no_slot_back_twice() {
        Watchdog watchdog = watchdog(true);
        watchdog.check();
        await().until(() -> last().reads.size() == 1);

        streams.get(0).reads.get(0).fail(new IllegalStateException("too late"));
        assertThat(slots.freeCount()).isEqualTo(SLOTS - 2);
    }

    @Test
    void a_reader_that_waits_for_a_slot_is_left_alone() {
        slots.takeUpTo(SLOTS);
        Watchdog watchdog = watchdog(true);

        watchdog.check();
        assertThat(streams).hasSize(1);
        slots.giveBack(SLOTS);
        await().until(() -> last().reads.size() == 1);
    }

    @Test
    void the_process_is_given_up_after_three_replacements_that_hang_too_and_only_then() {
        Watchdog watchdog = watchdog(false);
        for (int i = 0; i < 3; i++) {
            watchdog.check();
        }
        assertThat(streams).hasSize(4);
        assertThat(givenUp).hasValue(0);

        watchdog.check();
        watchdog.check();
        assertThat(givenUp).hasValue(1);
        assertThat(streams).hasSize(4);
    }

    @Test
    void failing_passes_are_passes() {
        Watchdog watchdog = watchdog(true);
        for (int i = 0; i < 10; i++) {
            StubbornStream stream = last();
            stream.reads.get(0).fail(new IllegalStateException("connection refused"));
            watchdog.check(); // in the pause
            await().until(() -> stream.reads.size() == 2);
            watchdog.check(); // hangs in its second read
            await().until(() -> last().reads.size() == 1);
        }
        assertThat(givenUp).hasValue(0);
    }
}
