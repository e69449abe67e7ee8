package io.millrace.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

import io.millrace.job.JobIds;
import io.vertx.core.buffer.Buffer;

@DisplayNameGeneration(ReplaceUnderscores.class)
class IdHashTest {

    private static final JobIds IDS = new JobIds();
    private static final List<UUID> JOBS = Stream.generate(IDS::next).limit(1_000).toList();

    private static IdHash of(List<UUID> ids) {
        IdHash hash = new IdHash();
        ids.forEach(hash::add);
        return hash;
    }

    private static List<UUID> with(int place, UUID other) {
        List<UUID> changed = new ArrayList<>(JOBS);
        changed.set(place, other);
        return changed;
    }

    @Test
    void the_order_does_not_matter() {
        List<UUID> shuffled = new ArrayList<>(JOBS);
        Collections.shuffle(shuffled);

        assertThat(of(shuffled).isSame(of(JOBS))).isTrue();
        assertThat(of(JOBS).count()).isEqualTo(1_000);
    }

    @Test
    void another_job_in_place_of_one_is_found() {
        assertThat(of(with(17, IDS.next())).isSame(of(JOBS))).isFalse();
    }

    @Test
    void a_missing_job_is_found() {
        assertThat(of(JOBS.subList(0, 999)).isSame(of(JOBS))).isFalse();
    }

    @Test
    void one_job_twice_and_another_not_at_all_is_found() {
        assertThat(of(with(17, JOBS.get(18))).isSame(of(JOBS))).isFalse();
    }

    @Test
    void two_jobs_twice_are_not_taken_for_two_others_twice() {
        List<UUID> some = List.of(JOBS.get(0), JOBS.get(0), JOBS.get(1), JOBS.get(1));
        List<UUID> others = List.of(JOBS.get(2), JOBS.get(2), JOBS.get(3), JOBS.get(3));
        assertThat(of(some).isSame(of(others))).isFalse();
    }

    @Test
    void halves_of_two_ids_that_are_exchanged_are_found() {
        UUID a = JOBS.get(0);
        UUID b = JOBS.get(1);
        List<UUID> exchanged = List.of(new UUID(a.getMostSignificantBits(), b.getLeastSignificantBits()),
                new UUID(b.getMostSignificantBits(), a.getLeastSignificantBits()));
        assertThat(of(exchanged).isSame(of(List.of(a, b)))).isFalse();
    }

    @Test
    void ids_are_found_in_the_answers_of_the_api() {
        IdHash hash = new IdHash();
        hash.addFrom(Buffer.buffer("{\"id\":\"" + JOBS.get(0) + "\",\"type\":\"echo\",\"queue\":\"default\"}"));
        hash.addFrom(Buffer.buffer("{\"accepted\":2,\"refused\":0,\"items\":[{\"status\":201,\"job\":{\"id\":\"" + JOBS.get(1)
                + "\",\"type\":\"echo\"}},{\"status\":201,\"job\":{\"id\":\"" + JOBS.get(2) + "\"}}]}"));
        hash.addFrom(Buffer.buffer("{\"id\":\"cut off"));

        assertThat(hash.isSame(of(JOBS.subList(0, 3)))).isTrue();
    }
}
