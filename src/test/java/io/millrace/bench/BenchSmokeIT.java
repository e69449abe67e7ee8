package io.millrace.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

/**
 * Notices when a change makes Millrace much slower or its jobs much larger. Speed is only compared to what the same machine does
 * in the same seconds, and has to fall to a third of what is usual; one good try in three is enough. Bytes hardly depend on the
 * machine, so their bounds are close.
 */
@DisplayNameGeneration(ReplaceUnderscores.class)
class BenchSmokeIT {

    private static final int JOBS = 20_000;
    private static final Duration ASKING = Duration.ofSeconds(2);
    private static final int TRIES = 3;
    /** Usual on two cores after so little warming up: 0.25 of two UPDATEs, 0.7 of a GET; when all is warm, 0.4 and 0.45. */
    private static final double LEAST_OF_UPDATES = 0.1;
    private static final double LEAST_OF_GET = 0.15;
    /** Usual: 810, 51 and 100 %. */
    private static final double MOST_WAL_BYTES = 1_000;
    private static final double MOST_REDIS_BYTES = 60;
    private static final double LEAST_HEAP_ONLY = 0.9;

    private static Stack stack;
    private static Caller caller;
    private static ClosedLoop http;
    private static PostgresFloor postgres;

    @BeforeAll
    static void start() throws Exception {
        stack = Stack.start(Files.createDirectories(Path.of("target", "bench-smoke")));
        caller = new Caller(stack.api().api());
        http = new ClosedLoop(caller);
        postgres = PostgresFloor.prepare(stack);
    }

    @AfterAll
    static void stop() {
        caller.close();
        stack.close();
    }

    @Test
    void a_drained_job_writes_few_bytes_and_takes_few_in_redis() throws Exception {
        Footprint.Result result = new Footprint(stack, http, JOBS).measure();

        assertThat(result.redisBytes()).as("bytes in Redis of a queued job").isLessThanOrEqualTo(MOST_REDIS_BYTES);
        assertThat(result.heapOnlyClaims()).as("share of the claims that change no index")
                .isGreaterThanOrEqualTo(LEAST_HEAP_ONLY);
        // The table was filled after a checkpoint, so there are no full pages, unless another one came just now.
        double walBytes = result.drain().fullPages() == 0
                ? result.drain().walBytesPerJob()
                : new Footprint(stack, http, JOBS).measure().drain().walBytesPerJob();
        assertThat(walBytes).as("WAL bytes of a drained job").isLessThanOrEqualTo(MOST_WAL_BYTES);
    }

    @Test
    void a_drain_is_not_far_behind_the_two_updates_that_each_of_its_jobs_needs() throws Exception {
        Scenario insert = postgres.insert();
        Scenario update = postgres.update();
        assertRatio(new Drain(stack, http, JOBS, update, update), () -> {
            insert.run(); // what is updated
            return update.run();
        }, LEAST_OF_UPDATES);
    }

    @Test
    void accepting_a_job_is_not_far_behind_answering_any_request() throws Exception {
        HttpFloor get = new HttpFloor(stack, http, ASKING);
        assertRatio(new SinglePosts(stack, http, get, ASKING), get::run, LEAST_OF_GET);
    }

    private interface Floor {
        Sample run() throws Exception;
    }

    /** The first time is to warm up, for both. */
    private static void assertRatio(Scenario scenario, Floor floor, double least) throws Exception {
        floor.run();
        scenario.run();
        double best = 0;
        for (int i = 0; i < TRIES && best < least; i++) {
            double atMost = floor.run().perSecond();
            best = Math.max(best, scenario.run().perSecond() / atMost);
        }
        System.out.printf("%s: %.2f of its floor%n", scenario.name(), best);
        assertThat(best).as("%s, as a share of its floor, best of %d", scenario.name(), TRIES).isGreaterThanOrEqualTo(least);
    }
}
