package io.millrace.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.Cancellable;
import io.smallrye.mutiny.subscription.UniEmitter;

@DisplayNameGeneration(ReplaceUnderscores.class)
class BatcherTest {

    static final Duration LONG = Duration.ofMinutes(1);
    static final BatchLimits WIDE = new BatchLimits(1_000, Long.MAX_VALUE, 100_000, 1, LONG);

    /** Round trips that end when the test says so; the result of an item is the item in capitals. */
    static final class Flights {
        final List<List<String>> batches = new ArrayList<>();
        private final List<UniEmitter<? super List<String>>> ends = new ArrayList<>();

        Uni<List<String>> start(List<String> items) {
            batches.add(items);
            return Uni.createFrom().emitter(ends::add);
        }

        void land(int flight) {
            land(flight, batches.get(flight).stream().map(String::toUpperCase).toList());
        }

        void land(int flight, List<String> results) {
            ends.get(flight).complete(results);
        }

        void fail(int flight, Throwable failure) {
            ends.get(flight).fail(failure);
        }
    }

    final Flights flights = new Flights();

    Batcher<String, String> batcher(BatchLimits limits) {
        return new Batcher<>("test", limits, String::length, failure -> false, Runnable::run, flights::start);
    }

    static CompletableFuture<String> submit(Batcher<String, String> batcher, String item) {
        return batcher.submit(item).subscribeAsCompletionStage();
    }

    static List<CompletableFuture<String>> submitAll(Batcher<String, String> batcher, String... items) {
        return Stream.of(items).map(item -> submit(batcher, item)).toList();
    }

    @Nested
    class Forming {
        @Test
        void a_lone_item_is_flushed_at_once() {
            CompletableFuture<String> result = submit(batcher(WIDE), "a");
            assertThat(flights.batches).containsExactly(List.of("a"));
            assertThat(result).isNotDone();

            flights.land(0);
            assertThat(result).isCompletedWithValue("A");
        }

        @Test
        void nothing_is_handed_in_before_somebody_subscribes() {
            batcher(WIDE).submit("a");
            assertThat(flights.batches).isEmpty();
        }

        @Test
        void what_arrives_during_a_flight_is_the_next_batch_in_order() {
            var results = submitAll(batcher(WIDE), "a", "b", "c", "d");
            flights.land(0);
            assertThat(flights.batches).containsExactly(List.of("a"), List.of("b", "c", "d"));

            flights.land(1);
            assertThat(results).extracting(CompletableFuture::join).containsExactly("A", "B", "C", "D");
        }

        @Test
        void the_next_batch_is_under_way_before_the_results_of_this_one_are_handed_out() {
            var batcher = batcher(WIDE);
            List<Integer> flightsSeen = new ArrayList<>();
            batcher.submit("a").subscribe().with(result -> flightsSeen.add(flights.batches.size()));
            submit(batcher, "b");

            flights.land(0);
            assertThat(flightsSeen).containsExactly(2);
        }

        @Test
        void a_batch_holds_no_more_items_than_its_bound() {
            submitAll(batcher(new BatchLimits(2, Long.MAX_VALUE, 100, 1, LONG)), "a", "b", "c", "d");
            flights.land(0);
            flights.land(1);
            assertThat(flights.batches).containsExactly(List.of("a"), List.of("b", "c"), List.of("d"));
        }

        @Test
        void a_batch_holds_no_more_bytes_than_its_bound_and_a_larger_item_travels_alone() {
            submitAll(batcher(new BatchLimits(100, 4, 100, 1, LONG)), "a", "bb", "cc", "ddddd", "ffff", "g");
            IntStream.range(0, 4).forEach(flights::land);
            assertThat(flights.batches).containsExactly(List.of("a"), List.of("bb", "cc"), List.of("ddddd"), List.of("ffff"),
                    List.of("g"));
        }

        @Test
        void as_many_batches_as_allowed_are_under_way_at_once() {
            submitAll(batcher(new BatchLimits(100, Long.MAX_VALUE, 100, 2, LONG)), "a", "b", "c", "d");
            assertThat(flights.batches).containsExactly(List.of("a"), List.of("b"));

            flights.land(1);
            assertThat(flights.batches).containsExactly(List.of("a"), List.of("b"), List.of("c", "d"));
        }

        @Test
        void one_start_takes_all_that_arrived_before_it_ran() {
            List<Runnable> starts = new ArrayList<>();
            var batcher = new Batcher<>("test", WIDE, starts::add, flights::start);
            submitAll(batcher, "a", "b", "c");
            assertThat(starts).hasSize(1);

            starts.get(0).run();
            assertThat(flights.batches).containsExactly(List.of("a", "b", "c"));
        }
    }

    @Nested
    class Refusing {
        @Test
        void an_item_too_many_is_refused_and_not_taken() {
            var batcher = batcher(new BatchLimits(100, Long.MAX_VALUE, 2, 1, LONG));
            submitAll(batcher, "in flight", "a", "b");

            assertThatThrownBy(() -> batcher.submit("c").await().atMost(LONG)).isInstanceOf(BatchFullException.class)
                    .hasMessageContaining("test").hasMessageContaining("2");
            assertThat(batcher.waitingCount()).isEqualTo(2);
            flights.land(0);
            assertThat(flights.batches.get(1)).containsExactly("a", "b");
        }

        @Test
        void more_bytes_than_may_wait_are_refused_and_not_taken() {
            var batcher = batcher(new BatchLimits(100, Long.MAX_VALUE, 100, 5, 1, LONG));
            submitAll(batcher, "in flight, and not counted", "aaa", "bb");

            assertThatThrownBy(() -> batcher.submit("c").await().atMost(LONG)).isInstanceOf(BatchFullException.class);
            assertThat(batcher.waitingCount()).isEqualTo(2);
            flights.land(0);
            assertThat(flights.batches.get(1)).containsExactly("aaa", "bb");
            assertThat(submit(batcher, "ddddd")).as("there is room again").isNotDone();
        }

        @Test
        void an_item_larger_than_all_that_may_wait_passes_when_nothing_waits() {
            var batcher = batcher(new BatchLimits(100, Long.MAX_VALUE, 100, 5, 1, LONG));
            submitAll(batcher, "in flight", "larger than five");
            assertThat(batcher.waitingCount()).isOne();

            assertThatThrownBy(() -> batcher.submit("c").await().atMost(LONG)).isInstanceOf(BatchFullException.class);
            flights.land(0);
            assertThat(flights.batches.get(1)).containsExactly("larger than five");
        }

        @Test
        void there_is_room_again_once_the_next_batch_has_left() {
            var batcher = batcher(new BatchLimits(100, Long.MAX_VALUE, 1, 1, LONG));
            submitAll(batcher, "a", "b");
            flights.land(0);
            assertThat(submit(batcher, "c")).isNotDone();
        }

        @Test
        void limits_are_positive() {
            assertThatThrownBy(() -> new BatchLimits(0, 1, 1, 1, LONG)).hasMessageContaining("items");
            assertThatThrownBy(() -> new BatchLimits(1, 0, 1, 1, LONG)).hasMessageContaining("bytes");
            assertThatThrownBy(() -> new BatchLimits(1, 1, 0, 1, LONG)).hasMessageContaining("waiting");
            assertThatThrownBy(() -> new BatchLimits(1, 1, 1, 0, LONG)).hasMessageContaining("flights");
            assertThatThrownBy(() -> new BatchLimits(1, 1, 1, 1, Duration.ZERO)).hasMessageContaining("timeout");
        }
    }

    @Nested
    class Failing {
        @Test
        void a_failure_fails_its_whole_batch_and_not_the_next() {
            var batcher = batcher(WIDE);
            var results = submitAll(batcher, "a", "b", "c");
            flights.land(0);
            flights.fail(1, new IllegalStateException("store down"));
            assertThat(results.get(1)).isCompletedExceptionally();
            assertThat(results.get(2)).isCompletedExceptionally();

            var later = submit(batcher, "d");
            flights.land(2);
            assertThat(later).isCompletedWithValue("D");
        }

        @Test
        void a_flush_that_throws_is_a_flush_that_failed() {
            var batcher = new Batcher<String, String>("test", WIDE, Runnable::run, items -> {
                throw new IllegalStateException("no connection");
            });
            assertThat(submit(batcher, "a")).isCompletedExceptionally();
            assertThat(submit(batcher, "b")).isCompletedExceptionally();
        }

        @Test
        void the_wrong_number_of_results_fails_the_batch_because_nobody_knows_whose_they_are() {
            var batcher = batcher(WIDE);
            var results = submitAll(batcher, "a", "b", "c");
            flights.land(0);
            flights.land(1, List.of("B"));

            assertThatThrownBy(results.get(1)::join).hasMessageContaining("1 results for 2 items");
            assertThat(results.get(2)).isCompletedExceptionally();
            assertThat(batcher.idle().subscribeAsCompletionStage()).isDone();
        }

        @Test
        void a_listener_that_fails_costs_nobody_else_an_answer() {
            var batcher = batcher(WIDE);
            var first = submit(batcher, "a");
            batcher.submit("b", new Batcher.Answer<String>() {
                @Override
                public void result(String result) {
                    throw new IllegalStateException("cannot take " + result);
                }

                @Override
                public void failure(Throwable failure) {
                    throw new AssertionError(failure);
                }
            });
            var last = submit(batcher, "c");
            flights.land(0);
            flights.land(1);

            assertThat(first).isCompletedWithValue("A");
            assertThat(last).isCompletedWithValue("C");
            assertThat(batcher.idle().subscribeAsCompletionStage()).isDone();
        }

        @Test
        void no_list_of_results_at_all_fails_the_batch() {
            var batcher = batcher(WIDE);
            var result = submit(batcher, "a");
            flights.land(0, null);

            assertThat(result).isCompletedExceptionally();
            assertThat(batcher.idle().subscribeAsCompletionStage()).isDone();
        }

        @Test
        void a_flush_that_does_not_answer_times_out_and_the_batcher_goes_on() {
            var batcher = batcher(new BatchLimits(100, Long.MAX_VALUE, 100, 1, Duration.ofMillis(20)));
            var silent = submit(batcher, "a");
            assertThatThrownBy(silent::join).hasCauseInstanceOf(BatchTimeoutException.class);

            var next = submit(batcher, "b");
            flights.land(0);
            flights.land(1);
            assertThat(silent).isCompletedExceptionally();
            assertThat(next).isCompletedWithValue("B");
        }

        @Test
        void what_has_waited_too_long_behind_flushes_that_time_out_is_not_even_tried() {
            var batcher = batcher(new BatchLimits(1, Long.MAX_VALUE, 100, 1, Duration.ofMillis(20)));
            // Two flushes at least time out before the last one's turn comes.
            CompletableFuture<String> last = submitAll(batcher, "a", "b", "c", "d").get(3);

            assertThatThrownBy(last::join).hasCauseInstanceOf(BatchFullException.class);
            assertThat(flights.batches).doesNotContain(List.of("d"));
            batcher.idle().await().atMost(LONG);
        }

        @Test
        void who_no_longer_waits_for_a_result_does_not_disturb_the_others() {
            var batcher = batcher(WIDE);
            submit(batcher, "first");
            List<String> received = new ArrayList<>();
            Cancellable impatient = batcher.submit("a").subscribe().with(received::add);
            var patient = submit(batcher, "b");

            impatient.cancel();
            flights.land(0);
            assertThat(flights.batches.get(1)).containsExactly("a", "b");
            flights.land(1);
            assertThat(received).isEmpty();
            assertThat(patient).isCompletedWithValue("B");
        }
    }

    /** The store refuses a batch as a whole when one value in it is bad, and does not say which. */
    @Nested
    class Isolating {
        static final class BadItemException extends RuntimeException {}

        final List<List<String>> flushes = new ArrayList<>();
        final List<Runnable> starts = new ArrayList<>();

        Batcher<String, String> refusing(Predicate<String> isBad) {
            return new Batcher<>("test", new BatchLimits(100_000, Long.MAX_VALUE, 100_000, 1, LONG), String::length,
                    BadItemException.class::isInstance, starts::add, items -> {
                        flushes.add(items);
                        return items.stream().anyMatch(isBad)
                                ? Uni.createFrom().failure(new BadItemException())
                                : Uni.createFrom().item(items);
                    });
        }

        List<CompletableFuture<String>> submit(Batcher<String, String> batcher, int count) {
            var results = IntStream.range(0, count).mapToObj(i -> BatcherTest.submit(batcher, "item" + i)).toList();
            starts.get(0).run();
            return results;
        }

        @Test
        void a_bad_item_fails_alone_after_a_logarithmic_number_of_flushes() {
            var results = submit(refusing("item700"::equals), 1_024);

            assertThat(results.get(700)).isCompletedExceptionally();
            assertThat(results).filteredOn(CompletableFuture::isCompletedExceptionally).hasSize(1);
            assertThat(results.get(699)).isCompletedWithValue("item699");
            assertThat(flushes).hasSize(1 + 2 * 10); // two halves at each of log2(1024) levels
        }

        @Test
        void items_keep_their_order_while_a_batch_is_halved() {
            submit(refusing("item1"::equals), 6);
            assertThat(flushes.stream().filter(flush -> !flush.contains("item1")).flatMap(List::stream))
                    .containsExactly("item0", "item2", "item3", "item4", "item5");
        }

        @Test
        void nothing_else_is_flushed_before_the_halves_so_that_later_items_do_not_overtake() {
            var batcher = new Batcher<>("test", WIDE, String::length, BadItemException.class::isInstance, starts::add,
                    flights::start);
            submitAll(batcher, "a", "b");
            starts.get(0).run();
            submitAll(batcher, "c");
            flights.fail(0, new BadItemException());
            flights.land(1);
            flights.land(2);
            assertThat(flights.batches).containsExactly(List.of("a", "b"), List.of("a"), List.of("b"), List.of("c"));
        }

        @Test
        void every_item_of_a_batch_may_be_bad() {
            var batcher = refusing(item -> true);
            var results = submit(batcher, 10_000);

            assertThat(results).allMatch(CompletableFuture::isCompletedExceptionally);
            assertThat(batcher.idle().subscribeAsCompletionStage()).isDone();
        }

        @Test
        void a_failure_that_is_nobodys_fault_ends_the_halving() {
            var batcher = new Batcher<>("test", WIDE, String::length, BadItemException.class::isInstance, starts::add,
                    flights::start);
            var results = submitAll(batcher, "a", "b", "c", "d");
            starts.get(0).run();
            flights.fail(0, new BadItemException());
            flights.fail(1, new IllegalStateException("store down"));
            flights.land(2);

            assertThat(results.subList(0, 2)).allMatch(CompletableFuture::isCompletedExceptionally);
            assertThat(results.subList(2, 4)).extracting(CompletableFuture::join).containsExactly("C", "D");
            assertThat(flights.batches).hasSize(3);
        }
    }

    @Nested
    class BecomingIdle {
        @Test
        void a_batcher_is_idle_until_something_is_handed_in() {
            assertThat(batcher(WIDE).idle().subscribeAsCompletionStage()).isDone();
        }

        @Test
        void it_is_idle_again_when_nothing_waits_and_nothing_is_under_way() {
            var batcher = batcher(WIDE);
            submitAll(batcher, "a", "b");
            CompletableFuture<Void> idle = batcher.idle().subscribeAsCompletionStage();

            flights.land(0);
            assertThat(idle).isNotDone();
            flights.land(1);
            assertThat(idle).isDone();
        }

        @Test
        void it_is_not_idle_while_a_result_has_not_been_handed_out() {
            List<String> seen = Collections.synchronizedList(new ArrayList<>());
            List<Runnable> starts = new ArrayList<>();
            var batcher = new Batcher<>("test", WIDE, starts::add, flights::start);
            batcher.submit("a").subscribe().with(result -> {
                seen.add(result);
                batcher.idle().subscribe().with(idle -> seen.add("idle"));
            });
            batcher.submit("b").subscribe().with(seen::add);

            starts.get(0).run();
            flights.land(0);
            assertThat(seen).containsExactly("A", "B", "idle");
        }
    }

    @Test
    void a_flush_that_ends_before_it_returns_does_not_deepen_the_stack() {
        List<Runnable> starts = new ArrayList<>();
        var batcher = new Batcher<String, String>("test", new BatchLimits(1, Long.MAX_VALUE, 10_000, 1, LONG), starts::add,
                items -> Uni.createFrom().item(items));
        var results = IntStream.range(0, 10_000).mapToObj(i -> submit(batcher, "item" + i)).toList();

        starts.get(0).run();
        assertThat(results).allMatch(CompletableFuture::isDone).noneMatch(CompletableFuture::isCompletedExceptionally);
    }
}
