package io.millrace.intake;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.function.ToIntFunction;

import io.millrace.batch.BatchLimits;
import io.millrace.batch.Batcher;
import io.millrace.batch.EngineLoop;
import io.millrace.job.JobKeys;
import io.millrace.job.KeyedJob;
import io.millrace.job.NewJob;
import io.millrace.job.Receipt;
import io.millrace.job.Receipt.Verdict;
import io.millrace.job.StoredJob;
import io.millrace.store.JobStore;
import io.millrace.store.KeyStore;
import io.millrace.store.KeyStore.Known;
import io.millrace.store.KeyStore.TenantKey;
import io.millrace.stream.KeyHints;
import io.millrace.stream.RedisKeys;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;

/**
 * Accepts jobs that have keys. Redis is asked first, and believed in nothing: that it knows a key only means that PostgreSQL is
 * asked what was answered before the whole job is sent there. A key in Redis of which PostgreSQL knows nothing is that of a
 * request that was never committed.
 *
 * <p>
 * Jobs travel in batches of their own, so that those without keys pay nothing for them. A batch takes a few rounds where its
 * jobs, or those of another process, have the same keys: a round decides the first of each, and the others see what it committed.
 */
final class KeyedIntake {
    /** Reached only if other processes bring and end jobs with the same unique key all the while. */
    private static final int MOST_ROUNDS = 10;

    /** Hands out what was committed. */
    @FunctionalInterface
    interface HandOut {
        Uni<Void> handOut(List<JobStore.Insert> rows, Map<UUID, StoredJob> stored);
    }

    /** @param failure null, or why it is unknown what became of the job */
    private record Answer(Receipt receipt, Throwable failure, Uni<Void> handedOut) {}

    private final KeyStore store;
    private final KeyHints hints;
    private final IdempotencyConfig config;
    private final Function<NewJob, JobStore.Insert> toRow;
    private final HandOut handOut;
    private final Batcher<KeyedJob, Answer> inserts;
    private final Batcher<TenantKey, Known> lookUps;
    private final LongAdder foundByHint = new LongAdder();
    private final LongAdder foundByInsert = new LongAdder();

    KeyedIntake(Vertx vertx, KeyStore store, KeyHints hints, IdempotencyConfig config, BatchLimits limits,
            ToIntFunction<NewJob> sizeOf,
            Function<NewJob, JobStore.Insert> toRow, HandOut handOut) {
        this.store = store;
        this.hints = hints;
        this.config = config;
        this.toRow = toRow;
        this.handOut = handOut;
        EngineLoop loop = new EngineLoop(vertx);
        this.inserts = new Batcher<>("insert with keys", limits, job -> sizeOf.applyAsInt(job.job()), JobStore::isFaultOfAJob,
                loop,
                jobs -> new Batch(jobs).run());
        this.lookUps = new Batcher<>("look-up of keys", limits, loop,
                keys -> store.find(new HashSet<>(keys)).map(known -> {
                    List<Known> found = new ArrayList<>(keys.size());
                    keys.forEach(key -> found.add(known.get(key)));
                    return found;
                }));
    }

    Uni<Receipt> accept(KeyedJob job) {
        if (job.keys().idempotencyKey() == null) {
            return insert(job);
        }
        TenantKey key = keyOf(job);
        return hints.isRepeat(RedisKeys.idempotency(key.tenant(), key.key()), job.job().id().toString(), config.ttl())
                .chain(isRepeat -> isRepeat ? lookUps.submit(key) : Uni.createFrom().nullItem())
                .chain(known -> known == null
                        ? insert(job)
                        : Uni.createFrom().item(counted(foundByHint, repeated(job.keys(), known))));
    }

    /** @return what it does in batches */
    List<Batcher<?, ?>> batchers() {
        return List.of(inserts, lookUps);
    }

    /** @return how many repeats were found by looking up a key that Redis knew */
    long replaysFoundByHint() {
        return foundByHint.sum();
    }

    /** @return how many repeats were found when they were about to be stored */
    long replaysFoundByInsert() {
        return foundByInsert.sum();
    }

    private static Receipt counted(LongAdder replays, Receipt receipt) {
        if (receipt.isReplayed()) {
            replays.increment();
        }
        return receipt;
    }

    private Uni<Receipt> insert(KeyedJob job) {
        return inserts.submit(job).call(Answer::handedOut)
                .chain(answer -> answer.failure() == null
                        ? Uni.createFrom().item(answer.receipt())
                        : Uni.createFrom().failure(answer.failure()));
    }

    private static TenantKey keyOf(KeyedJob job) {
        return new TenantKey(job.job().tenant(), job.keys().idempotencyKey());
    }

    private static Receipt repeated(JobKeys keys, Known known) {
        return known.bodyHash().equals(keys.bodyHash())
                ? known.receipt().replayed()
                : Receipt.without(Verdict.OTHER_REQUEST);
    }

    /** The jobs of one flush, round by round. */
    private final class Batch {
        /** At most one job of them that has not ended may be there. */
        private record UniqueKey(String tenant, String type, String key) {}

        private static final Comparator<KeyStore.Insert> BY_UNIQUE_KEY = Comparator
                .comparing((KeyStore.Insert insert) -> insert.row().job().tenant())
                .thenComparing(insert -> insert.row().job().type())
                .thenComparing(insert -> insert.keys().uniqueKey(), Comparator.nullsFirst(Comparator.naturalOrder()));

        private final List<KeyedJob> jobs;
        private final Map<UUID, Answer> answers = new HashMap<>();
        /** True once anything may be committed: from then on a failure is that of the jobs without an answer alone. */
        private boolean hasBegun;

        Batch(List<KeyedJob> jobs) {
            this.jobs = jobs;
        }

        Uni<List<Answer>> run() {
            return round(1).map(done -> jobs.stream().map(job -> answers.get(job.job().id())).toList());
        }

        private Uni<Void> round(int number) {
            List<KeyedJob> open = jobs.stream().filter(job -> !answers.containsKey(job.job().id())).toList();
            if (open.isEmpty()) {
                return Uni.createFrom().voidItem();
            }
            if (number > MOST_ROUNDS) {
                open.forEach(job -> answer(job, Receipt.without(Verdict.CONTENDED)));
                return Uni.createFrom().voidItem();
            }
            return insertFirstOfEach(open)
                    .onFailure(failure -> hasBegun).recoverWithItem(failure -> {
                        open.stream().filter(job -> !answers.containsKey(job.job().id()))
                                .forEach(job -> answers.put(job.job().id(),
                                        new Answer(null, failure, Uni.createFrom().voidItem())));
                        return null;
                    })
                    .chain(() -> round(number + 1));
        }

        private Uni<Void> insertFirstOfEach(List<KeyedJob> open) {
            Set<TenantKey> keys = new HashSet<>();
            Set<UniqueKey> uniqueKeys = new HashSet<>();
            List<KeyStore.Insert> rows = new ArrayList<>(open.size());
            for (KeyedJob job : open) {
                if (job.keys().idempotencyKey() == null || keys.add(keyOf(job))) {
                    UniqueKey unique = new UniqueKey(job.job().tenant(), job.job().type(), job.keys().uniqueKey());
                    boolean acts = unique.key() == null || uniqueKeys.add(unique);
                    rows.add(new KeyStore.Insert(toRow.apply(job.job()), job.keys(), acts));
                }
            }
            rows.sort(BY_UNIQUE_KEY);
            return store.insert(rows, config.ttl()).invoke(() -> hasBegun = true)
                    .chain(receipts -> decide(open, rows, receipts))
                    .onFailure(KeyStore::isOvertaken).recoverWithNull();
        }

        private Uni<Void> decide(List<KeyedJob> open, List<KeyStore.Insert> rows, Map<UUID, Receipt> receipts) {
            Uni<Void> handedOut = handOut(rows, receipts);
            Map<TenantKey, Known> known = new HashMap<>();
            Set<TenantKey> unknown = new HashSet<>();
            for (KeyedJob job : open) {
                Receipt receipt = receipts.get(job.job().id());
                boolean isDone = receipt != null && receipt.verdict() != Verdict.REJECTED;
                if (isDone) {
                    answers.put(job.job().id(), new Answer(receipt, null, handedOut));
                }
                if (job.keys().idempotencyKey() == null) {
                    if (receipt != null && !isDone) {
                        answer(job, receipt);
                    }
                } else if (isDone) {
                    known.put(keyOf(job), new Known(job.keys().bodyHash(), receipt));
                } else {
                    unknown.add(keyOf(job));
                }
            }
            // Nothing keeps the key of a job that was refused; its equals in this batch are refused for the same reason.
            Map<TenantKey, Known> refused = new HashMap<>();
            for (KeyedJob job : open) {
                Receipt receipt = receipts.get(job.job().id());
                if (job.keys().idempotencyKey() != null && receipt != null && receipt.verdict() == Verdict.REJECTED) {
                    refused.put(keyOf(job), new Known(job.keys().bodyHash(), receipt));
                }
            }
            unknown.removeAll(known.keySet());
            return unknown.isEmpty()
                    ? Uni.createFrom().voidItem().invoke(() -> repeat(open, known, refused))
                    : store.find(unknown).invoke(found -> {
                        known.putAll(found);
                        repeat(open, known, refused);
                    }).replaceWithVoid();
        }

        /** Answers those whose key is known by now, and refuses those that were to be refused and are no repeats. */
        private void repeat(List<KeyedJob> open, Map<TenantKey, Known> known, Map<TenantKey, Known> refused) {
            for (KeyedJob job : open) {
                if (job.keys().idempotencyKey() == null || answers.containsKey(job.job().id())) {
                    continue;
                }
                Known before = known.get(keyOf(job));
                if (before != null) {
                    answer(job, counted(foundByInsert, repeated(job.keys(), before)));
                } else if (refused.containsKey(keyOf(job))
                        && refused.get(keyOf(job)).bodyHash().equals(job.keys().bodyHash())) {
                    answer(job, refused.get(keyOf(job)).receipt());
                }
            }
        }

        private void answer(KeyedJob job, Receipt receipt) {
            answers.put(job.job().id(), new Answer(receipt, null, Uni.createFrom().voidItem()));
        }

        private Uni<Void> handOut(List<KeyStore.Insert> rows, Map<UUID, Receipt> receipts) {
            Map<UUID, StoredJob> created = new HashMap<>();
            receipts.forEach((id, receipt) -> {
                if (receipt.verdict() == Verdict.CREATED) {
                    created.put(id, receipt.job());
                }
            });
            return created.isEmpty()
                    ? Uni.createFrom().voidItem()
                    : handOut.handOut(rows.stream().map(KeyStore.Insert::row).toList(), created);
        }
    }
}
