package io.millrace.worker;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

import io.millrace.handler.Cancellation.Cause;
import io.millrace.job.ClaimedJob;
import io.millrace.job.JobOptions;
import io.millrace.job.Lease;
import io.millrace.job.Priority;

@DisplayNameGeneration(ReplaceUnderscores.class)
class RunningJobsTest {

    final RunningJobs running = new RunningJobs();

    static RunningJob job(int id, int epoch) {
        Lease lease = new Lease(new UUID(0, id), epoch, new UUID(1, epoch));
        return new RunningJob(new ClaimedJob(lease, "default", "default", "echo", Priority.NORMAL, "{}", JobOptions.NONE, 0, 0,
                5, false, ClaimedJob.RAN_BEFORE), List.of(), System.nanoTime());
    }

    @Test
    void a_job_claimed_again_by_this_process_is_another_run() {
        RunningJob first = job(1, 1);
        RunningJob second = job(1, 2);
        running.add(first);
        running.add(second);

        running.remove(first);
        assertThat(running.all()).containsExactly(second);
    }

    @Test
    void it_is_empty_when_the_last_job_is_removed() {
        RunningJob one = job(1, 1);
        RunningJob other = job(2, 1);
        running.add(one);
        running.add(other);
        CompletableFuture<Void> empty = running.empty().subscribeAsCompletionStage();

        running.remove(one);
        assertThat(empty).isNotDone();
        running.remove(other);
        assertThat(empty).isDone();
    }

    @Test
    void it_is_empty_at_once_when_nothing_runs() {
        assertThat(running.empty().subscribeAsCompletionStage()).isDone();
    }

    @Test
    void everything_is_told_to_stop_and_what_had_a_cause_keeps_it() {
        RunningJob late = job(1, 1);
        RunningJob stopped = job(2, 1);
        stopped.cancellation().request(Cause.CANCELLED);
        running.add(late);
        running.add(stopped);

        running.cancelAll(Cause.SHUTDOWN);
        assertThat(late.cancellation().cause()).isEqualTo(Cause.SHUTDOWN);
        assertThat(stopped.cancellation().cause()).isEqualTo(Cause.CANCELLED);
    }

    @Nested
    class OneRun {
        final RunningJob run = job(1, 1);
        final List<String> heard = new ArrayList<>();

        @Test
        void a_lost_lease_stops_the_job_and_is_news_once() {
            assertThat(run.holdsLease()).isTrue();

            assertThat(run.loseLease()).isTrue();
            assertThat(run.loseLease()).isFalse();
            assertThat(run.holdsLease()).isFalse();
            assertThat(run.cancellation().cause()).isEqualTo(Cause.LEASE_LOST);
        }

        @Test
        void silence_is_counted_from_when_the_confirmed_beat_was_sent() {
            run.confirmLease(System.nanoTime() - Duration.ofSeconds(5).toNanos());
            assertThat(Duration.ofNanos(run.silentNanos())).isBetween(Duration.ofSeconds(5), Duration.ofSeconds(6));
        }

        @Test
        void who_asks_is_told_when_the_end_is_recorded_even_afterwards() {
            run.onSettled(() -> heard.add("settled"));
            assertThat(heard).isEmpty();

            run.settled();
            run.onSettled(() -> heard.add("later"));
            assertThat(heard).containsExactly("settled", "later");
        }
    }
}
