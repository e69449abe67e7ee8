package io.millrace.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayNameGeneration(ReplaceUnderscores.class)
class JobIdsTest {

    /** As PostgreSQL compares them; {@link UUID#compareTo} takes the halves for signed numbers. */
    static final Comparator<UUID> UNSIGNED = (a, b) -> a.getMostSignificantBits() == b.getMostSignificantBits()
            ? Long.compareUnsigned(a.getLeastSignificantBits(), b.getLeastSignificantBits())
            : Long.compareUnsigned(a.getMostSignificantBits(), b.getMostSignificantBits());

    final JobIds ids = new JobIds();

    @Test
    void an_id_is_a_uuid_of_version_7() {
        assertThat(Stream.generate(ids::next).limit(1_000)).allMatch(id -> id.version() == 7 && id.variant() == 2);
    }

    @Test
    void an_id_begins_with_the_time_at_which_it_was_made() {
        long before = System.currentTimeMillis();
        UUID id = ids.next();
        assertThat(id.getMostSignificantBits() >>> 16).isBetween(before, System.currentTimeMillis());
    }

    @Test
    void a_million_ids_grow_strictly_and_run_ahead_of_the_clock_by_less_than_it_took() {
        UUID first = ids.next();
        UUID last = first;
        for (int i = 0; i < 1_000_000; i++) {
            UUID next = ids.next();
            assertThat(UNSIGNED.compare(last, next)).isNegative();
            last = next;
        }
        // 4,096 ids fit into a millisecond
        assertThat((last.getMostSignificantBits() >>> 16) - (first.getMostSignificantBits() >>> 16))
                .isLessThanOrEqualTo(
                        System.currentTimeMillis() - (first.getMostSignificantBits() >>> 16) + 1_000_000 / 4_096 + 1);
    }

    @Test
    void ids_made_at_once_by_many_threads_and_processes_differ() throws Exception {
        int threads = 8;
        int idsEach = 25_000;
        List<JobIds> processes = List.of(new JobIds(), new JobIds());
        ExecutorService executor = Executors.newFixedThreadPool(threads);
        try {
            List<Future<List<UUID>>> made = new ArrayList<>();
            for (int thread = 0; thread < threads; thread++) {
                JobIds process = processes.get(thread % processes.size());
                made.add(executor.submit(() -> Stream.generate(process::next).limit(idsEach).toList()));
            }
            Set<UUID> all = new HashSet<>();
            for (Future<List<UUID>> of : made) {
                all.addAll(of.get());
            }
            assertThat(all).hasSize(threads * idsEach);
        } finally {
            executor.shutdownNow();
        }
    }

    @Test
    void the_lowest_id_of_a_time_lies_behind_all_earlier_ids_and_before_all_of_that_time() {
        UUID id = ids.next();
        Instant madeAt = Instant.ofEpochMilli(id.getMostSignificantBits() >>> 16);

        assertThat(JobIds.lowestAt(madeAt)).usingComparator(UNSIGNED).isLessThanOrEqualTo(id);
        assertThat(JobIds.lowestAt(madeAt.plusMillis(1))).usingComparator(UNSIGNED).isGreaterThan(id);
    }

    @ParameterizedTest
    @ValueSource(strings = {"+10889-08-02T05:31:50.656Z", "+20000-01-01T00:00:00Z", "+1000000000-12-31T23:59:59.999999999Z"})
    void after_the_last_time_an_id_can_tell_comes_no_job(String time) {
        assertThat(JobIds.lowestAt(Instant.parse(time))).usingComparator(UNSIGNED).isGreaterThan(ids.next());
    }

    @ParameterizedTest
    @ValueSource(strings = {"1969-12-31T23:59:59Z", "-1000000000-01-01T00:00:00Z"})
    void before_1970_there_were_no_jobs_to_leave_out(String time) {
        assertThat(JobIds.lowestAt(Instant.parse(time))).isEqualTo(JobIds.lowestAt(Instant.EPOCH));
    }
}
