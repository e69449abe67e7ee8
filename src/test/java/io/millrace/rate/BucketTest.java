package io.millrace.rate;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

import io.millrace.stream.TokenBuckets.Taken;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;

@DisplayNameGeneration(ReplaceUnderscores.class)
class BucketTest {

    static final Duration ALONE = Duration.ofSeconds(1);
    static final long SECOND = 1_000_000_000;

    /** Ten a second, thirty at once: chunks of one. */
    static final Limit SMALL = new Limit(10, 30);
    /** Chunks of a hundred. */
    static final Limit LARGE = new Limit(1_000, 2_000);

    /** What the bucket asks of Redis, and a place to answer it. */
    record Question(long need, long want, UniEmitter<? super Taken> answer) {
        void answer(long taken, long left) {
            answer.complete(new Taken(taken, left));
        }
    }

    final List<Question> questions = new ArrayList<>();
    long now = -5 * SECOND; // nanoTime may be anything

    Bucket bucket(Limit limit) {
        return new Bucket(limit, (need, want) -> Uni.createFrom()
                .emitter(answer -> questions.add(new Question(need, want, answer))), ALONE, () -> now);
    }

    Question question() {
        return questions.get(questions.size() - 1);
    }

    /** What becomes of a request. */
    static List<Verdict> take(Bucket bucket, long amount) {
        List<Verdict> told = new ArrayList<>();
        bucket.take(amount).subscribe().with(told::add);
        return told;
    }

    @Test
    void the_first_request_asks_Redis_and_takes_more_than_it_needs() {
        List<Verdict> verdict = take(bucket(LARGE), 1);

        assertThat(questions).hasSize(1);
        assertThat(question().need()).isEqualTo(1);
        assertThat(question().want()).isEqualTo(101);
        assertThat(verdict).isEmpty();
        question().answer(101, 1_899);
        assertThat(verdict).containsExactly(new Verdict(LARGE, true, 1_999, Duration.ZERO));
    }

    @Test
    void the_next_ones_cost_no_question() {
        Bucket bucket = bucket(LARGE);
        take(bucket, 1);
        question().answer(101, 1_899);

        assertThat(IntStream.range(0, 100).mapToObj(i -> take(bucket, 1).get(0))).allMatch(Verdict::isAllowed);
        assertThat(questions).hasSize(1);
        assertThat(take(bucket, 1)).isEmpty();
        assertThat(questions).hasSize(2);
    }

    @Test
    void all_who_come_while_Redis_is_asked_wait_for_one_answer_and_one_more_question() {
        Bucket bucket = bucket(SMALL);
        List<List<Verdict>> all = IntStream.range(0, 20).mapToObj(i -> take(bucket, 1)).toList();
        assertThat(questions).hasSize(1);

        question().answer(2, 28);
        assertThat(all.stream().filter(told -> !told.isEmpty())).hasSize(2);
        assertThat(questions).hasSize(2);
        assertThat(question().want()).isEqualTo(19);
        question().answer(19, 9);
        assertThat(all).allSatisfy(told -> assertThat(told).singleElement().matches(Verdict::isAllowed));
    }

    @Test
    void whoever_is_over_the_limit_is_refused_with_the_time_to_wait() {
        Bucket bucket = bucket(SMALL);
        List<Verdict> verdict = take(bucket, 5);
        question().answer(0, 2);

        assertThat(verdict).containsExactly(new Verdict(SMALL, false, 2, Duration.ofMillis(300)));
    }

    @Test
    void until_there_can_be_enough_again_refusals_cost_no_question() {
        Bucket bucket = bucket(SMALL);
        take(bucket, 1);
        question().answer(0, 0);

        now += SECOND / 20;
        assertThat(take(bucket, 1)).containsExactly(new Verdict(SMALL, false, 0, Duration.ofMillis(50)));
        assertThat(questions).hasSize(1);
        now += SECOND / 20;
        assertThat(take(bucket, 1)).isEmpty();
        assertThat(questions).hasSize(2);
    }

    @Test
    void more_than_the_bucket_holds_is_asked_for_all_the_same() {
        Bucket bucket = bucket(SMALL);
        List<Verdict> verdict = take(bucket, 1_000);

        assertThat(question().need()).isEqualTo(1_000);
        question().answer(1_000, 0);
        assertThat(verdict).singleElement().matches(Verdict::isAllowed);
    }

    @Test
    void a_large_request_that_is_refused_does_not_stand_in_the_way_of_small_ones() {
        Bucket bucket = bucket(SMALL);
        List<Verdict> large = take(bucket, 30);
        List<Verdict> small = take(bucket, 1);
        question().answer(0, 20);

        assertThat(large).singleElement().matches(verdict -> !verdict.isAllowed());
        assertThat(small).isEmpty();
        question().answer(2, 18);
        assertThat(small).singleElement().matches(Verdict::isAllowed);
    }

    @Test
    void without_Redis_the_process_keeps_to_the_limit_by_itself() {
        Bucket bucket = bucket(SMALL);
        List<Verdict> first = take(bucket, 1);
        question().answer().fail(new IllegalStateException("Redis is away"));

        assertThat(first).containsExactly(new Verdict(SMALL, true, 29, Duration.ZERO));
        assertThat(IntStream.range(0, 40).filter(i -> take(bucket, 1).get(0).isAllowed()).count()).isEqualTo(29);
        assertThat(take(bucket, 1)).containsExactly(new Verdict(SMALL, false, 0, Duration.ofMillis(100)));
        assertThat(questions).hasSize(1);
    }

    @Test
    void after_a_while_Redis_is_asked_again_and_failing_again_brings_nobody_more() {
        Bucket bucket = bucket(SMALL);
        for (int outage = 0; outage < 5; outage++) {
            List<Verdict> asked = take(bucket, 1);
            assertThat(questions).hasSize(outage + 1);
            question().answer().fail(new IllegalStateException("Redis is away"));
            long allowed = asked.stream().filter(Verdict::isAllowed).count()
                    + IntStream.range(0, 100).filter(i -> take(bucket, 1).get(0).isAllowed()).count();
            assertThat(allowed).as("outage %d", outage).isEqualTo(outage == 0 ? 30 : 10);
            now += SECOND;
        }
    }

    @Test
    void what_was_allowed_while_Redis_answered_counts_when_it_goes_away() {
        Bucket bucket = bucket(SMALL);
        List<Verdict> before = take(bucket, 25);
        question().answer(25, 5);
        assertThat(before).singleElement().matches(Verdict::isAllowed);

        take(bucket, 1);
        question().answer().fail(new IllegalStateException("Redis is away"));
        assertThat(IntStream.range(0, 40).filter(i -> take(bucket, 1).get(0).isAllowed()).count()).isEqualTo(4);
    }
}
