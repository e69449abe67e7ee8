package io.millrace.chaos;

import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

import com.fasterxml.jackson.databind.JsonNode;

import io.millrace.support.Api;

/**
 * Hands planned jobs in, one by one and in bulk, over all api processes in turn, cancels and replays those whose plan says so,
 * and keeps what it was answered. Every second request has idempotency keys, and is repeated over another process until there is a
 * clear answer. The others are not sent again: whether their jobs exist is looked up at the end.
 */
final class Load implements AutoCloseable {
    private static final Duration TICK = Duration.ofMillis(100);
    private static final int TICKS_PER_SECOND = 10;
    /** Requests under way at once; while all hang, nothing is sent. */
    private static final int REQUESTS = 24;
    private static final int LATEST_CANCEL_MS = 5_000;
    private static final Duration REPLAY_AFTER = Duration.ofSeconds(3);
    private static final int REPLAY_TRIES = 40;
    private static final int REPLAYERS = 3;
    private static final int SUBMIT_TRIES = 12;
    private static final Duration REPEAT_AFTER = Duration.ofMillis(300);

    /** What became of handing a job in. {@code id} is null unless it was answered that the job is committed. */
    record Submission(Plan plan, UUID id, int status, Instant sent) {
        boolean isAccepted() {
            return id != null;
        }
    }

    /** @param granted how many of those who asked at once were told that they had replayed the job */
    record Replay(int granted, int unclear) {}

    private final Cluster cluster;
    private final Journal journal;
    private final long seed;
    private final SplittableRandom random;
    private final AtomicInteger nextSeq = new AtomicInteger();
    private final AtomicInteger turn = new AtomicInteger();
    private final Map<Integer, Submission> submissions = new ConcurrentHashMap<>();
    private final Map<UUID, Integer> cancels = new ConcurrentHashMap<>();
    private final Map<UUID, Replay> replays = new ConcurrentHashMap<>();
    private final AtomicInteger serverErrors = new AtomicInteger();
    private final AtomicInteger repeats = new AtomicInteger();
    private final AtomicInteger answeredAgain = new AtomicInteger();
    private final AtomicInteger pendingActions = new AtomicInteger();
    private final Semaphore requests = new Semaphore(REQUESTS);
    private final ExecutorService senders = Executors.newFixedThreadPool(REQUESTS);
    private final ScheduledExecutorService clock = Executors.newScheduledThreadPool(2);
    private volatile int rate;

    Load(Cluster cluster, Journal journal, long seed) {
        this.cluster = cluster;
        this.journal = journal;
        this.seed = seed;
        this.random = new SplittableRandom(seed);
        clock.scheduleAtFixedRate(this::tick, 0, TICK.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** @param jobsPerSecond 0 to pause */
    void rate(int jobsPerSecond) {
        rate = jobsPerSecond;
    }

    Map<Integer, Submission> submissions() {
        return submissions;
    }

    /** @return the status that each cancellation was answered with; 0 without a clear answer */
    Map<UUID, Integer> cancels() {
        return cancels;
    }

    Map<UUID, Replay> replays() {
        return replays;
    }

    int acceptedCount() {
        return (int) submissions.values().stream().filter(Submission::isAccepted).count();
    }

    /** @return how many requests were answered with a 5xx */
    int serverErrorCount() {
        return serverErrors.get();
    }

    /** @return how many requests with keys were sent again */
    int repeatCount() {
        return repeats.get();
    }

    /** @return how many jobs such a repeat found to be there already */
    int answeredAgainCount() {
        return answeredAgain.get();
    }

    /** @return true if nothing is under way: no request, and no cancel or replay to come */
    boolean isQuiet() {
        return rate == 0 && requests.availablePermits() == REQUESTS && pendingActions.get() == 0;
    }

    /** @return what is still under way */
    String describe() {
        return (REQUESTS - requests.availablePermits()) + " requests under way, " + pendingActions.get()
                + " cancellations and replays to come";
    }

    private void tick() {
        int due = rate / TICKS_PER_SECOND;
        if (due == 0) {
            return;
        }
        int singles = Math.min(due, random.nextInt(0, 4));
        for (int i = 0; i < singles; i++) {
            send(1);
        }
        // The rest comes now and then as one request, so that the average is right.
        int every = random.nextInt(1, 8);
        if (every == 1 && due > singles) {
            send((due - singles) * 4 + random.nextInt(0, 20));
        } else if (due > singles && every < 5) {
            send(due - singles);
        }
    }

    /** Hands the next jobs in: one as a request of its own, more in bulk. */
    void send(int count) {
        if (!requests.tryAcquire()) {
            return;
        }
        int first = nextSeq.getAndAdd(count);
        List<Plan> plans = IntStream.range(first, first + count).mapToObj(seq -> Plan.of(seed, seq)).toList();
        senders.execute(() -> {
            try {
                submit(plans);
            } finally {
                requests.release();
            }
        });
    }

    private void submit(List<Plan> plans) {
        boolean isKeyed = plans.get(0).seq() % 2 == 0;
        Instant sent = Instant.now();
        List<Submission> outcome = send(plans, isKeyed, sent);
        for (int tries = 1; isKeyed && tries < SUBMIT_TRIES && !outcome.stream().allMatch(Submission::isAccepted); tries++) {
            LockSupport.parkNanos(REPEAT_AFTER.multipliedBy(tries).toNanos());
            repeats.incrementAndGet();
            outcome = send(plans, true, sent);
        }
        outcome.forEach(this::keep);
    }

    private List<Submission> send(List<Plan> plans, boolean isKeyed, Instant sent) {
        Optional<Api> api = cluster.anyApi(turn.getAndIncrement());
        List<String> bodies = plans.stream().map(plan -> isKeyed ? plan.keyedJson() : plan.json()).toList();
        if (api.isEmpty()) {
            return plans.stream().map(plan -> new Submission(plan, null, 0, sent)).toList();
        }
        return plans.size() == 1
                ? List.of(sendOne(api.get(), plans.get(0), bodies.get(0), sent))
                : sendBulk(api.get(), plans, bodies, sent);
    }

    private Submission sendOne(Api api, Plan plan, String body, Instant sent) {
        Api.Answer answer = ask(() -> api.post("/v1/jobs", body));
        if (answer == null || answer.status() != 201) {
            return new Submission(plan, null, answer == null ? 0 : answer.status(), sent);
        }
        answer.header("Idempotency-Replayed").ifPresent(isReplayed -> answeredAgain.incrementAndGet());
        return new Submission(plan, UUID.fromString(answer.json().path("id").asText()), answer.status(), sent);
    }

    private List<Submission> sendBulk(Api api, List<Plan> plans, List<String> bodies, Instant sent) {
        Api.Answer answer = ask(() -> api.post("/v1/jobs/bulk", "[" + String.join(",", bodies) + "]"));
        JsonNode items = answer == null || answer.status() >= 300 ? null : answer.json().path("items");
        List<Submission> outcome = new ArrayList<>();
        for (int i = 0; i < plans.size(); i++) {
            JsonNode item = items == null ? null : items.path(i);
            int status = item == null ? answer == null ? 0 : answer.status() : item.path("status").asInt();
            UUID id = status == 201 ? UUID.fromString(item.path("job").path("id").asText()) : null;
            if (item != null && item.path("replayed").asBoolean()) {
                answeredAgain.incrementAndGet();
            }
            outcome.add(new Submission(plans.get(i), id, status, sent));
        }
        return outcome;
    }

    private interface Request {
        Api.Answer send();
    }

    /** @return null without a clear answer */
    private Api.Answer ask(Request request) {
        try {
            Api.Answer answer = request.send();
            if (answer.status() >= 500) {
                serverErrors.incrementAndGet();
                journal.write("server-error", Map.of("status", answer.status(), "body", answer.body()));
            }
            return answer;
        } catch (UncheckedIOException broken) {
            return null;
        }
    }

    private void keep(Submission submission) {
        submissions.put(submission.plan().seq(), submission);
        journal.write("submission", submission);
        if (!submission.isAccepted()) {
            return;
        }
        if (submission.plan().kind() == Plan.Kind.CANCELLED) {
            later(Duration.ofMillis(submission.plan().seq() * 37L % LATEST_CANCEL_MS), () -> cancel(submission.id()));
        } else if (submission.plan().kind() == Plan.Kind.REPLAYED) {
            later(REPLAY_AFTER, () -> replay(submission.id(), 1));
        }
    }

    private void later(Duration wait, Runnable action) {
        pendingActions.incrementAndGet();
        clock.schedule(() -> senders.execute(() -> {
            try {
                action.run();
            } finally {
                pendingActions.decrementAndGet();
            }
        }), wait.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void cancel(UUID id) {
        Optional<Api> api = cluster.anyApi(turn.getAndIncrement());
        Api.Answer answer = api.map(a -> ask(() -> a.post("/v1/jobs/" + id + "/cancel", ""))).orElse(null);
        int status = answer == null ? 0 : answer.status();
        cancels.put(id, status);
        journal.write("cancel", Map.of("id", id, "status", status));
    }

    /** As soon as the job has failed, several ask for a replay at once. */
    private void replay(UUID id, int attempt) {
        Optional<Api> api = cluster.anyApi(turn.getAndIncrement());
        Api.Answer job = api.map(a -> ask(() -> a.get("/v1/jobs/" + id))).orElse(null);
        if (job == null || job.status() != 200 || !job.json().path("state").asText().equals("FAILED")) {
            if (attempt < REPLAY_TRIES) {
                later(REPLAY_AFTER, () -> replay(id, attempt + 1));
            }
            return;
        }
        List<Integer> statuses = new ArrayList<>();
        IntStream.range(0, REPLAYERS).parallel().forEach(i -> {
            Api.Answer answer = ask(() -> api.get().post("/v1/jobs/" + id + "/retry", "{\"payload\":{\"failures\":0}}"));
            synchronized (statuses) {
                statuses.add(answer == null ? 0 : answer.status());
            }
        });
        int granted = (int) statuses.stream().filter(status -> status < 300 && status > 0).count();
        int unclear = (int) statuses.stream().filter(status -> status == 0 || status >= 500).count();
        replays.put(id, new Replay(granted, unclear));
        journal.write("replay", Map.of("id", id, "statuses", statuses));
    }

    @Override
    public void close() {
        clock.shutdownNow();
        senders.shutdownNow();
    }
}
