package io.millrace.model;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;

import io.millrace.job.Priority;

/**
 * Redis as the engine uses it: the streams of one queue with their consumer group, its delayed set and its incarnation. The
 * methods in the first part are the scripts of their names in {@code src/main/resources/lua}: one atomic step each, with the
 * commands in their order, and no rollback when a later command is refused. The second part are single commands.
 */
final class ModelRedis {

    /** An answer that is an error. */
    static final class RefusedException extends RuntimeException {
        private static final long serialVersionUID = 1;

        RefusedException(String message) {
            super(message, null, false, false);
        }
    }

    /** Which writes that need memory are refused. */
    enum Memory {
        ENOUGH,
        /** As Redis 7 does under maxmemory: a script may go on once one of its writes has passed. */
        REFUSED_AT_FIRST,
        /** Any of them, at any point: as a key of the wrong type does. */
        REFUSED
    }

    record EntryId(long ms, long sequence) implements Comparable<EntryId> {
        static final EntryId LOWEST = new EntryId(0, 0);

        @Override
        public int compareTo(EntryId other) {
            int byTime = Long.compare(ms, other.ms);
            return byTime != 0 ? byTime : Long.compare(sequence, other.sequence);
        }

        EntryId next() {
            return new EntryId(ms, sequence + 1);
        }

        @Override
        public String toString() {
            return (ms - Simulation.START_MS) + "-" + sequence;
        }
    }

    /** A delivery. */
    record Entry(Priority priority, EntryId id, UUID jobId) {}

    record Member(Priority priority, UUID jobId) {}

    /** @param dueMs 0 leaves the job to the loader */
    record Retried(EntryId id, UUID jobId, long dueMs) {}

    /** @param nextMs until the next job is due; -1 if none waits */
    record Promotion(int moved, long nextMs) {}

    /** @param incarnation null if there was none */
    record Watermark(String incarnation, Map<Priority, Long> oldestMs) {}

    /** @param cursor null at the end */
    record Sweep(List<Entry> entries, int deletedCount, EntryId cursor) {}

    /** @param last where the next page begins; null if this is the last one */
    record Page(List<Entry> entries, int deletedCount, EntryId last) {}

    /** @param cursor null at the end */
    record Walk(int deletedCount, EntryId cursor) {}

    private record Pending(String consumer, long sinceMs) {}

    private static final class Group {
        private EntryId lastDelivered = EntryId.LOWEST;
        private final TreeMap<EntryId, Pending> pending = new TreeMap<>();
        /** When each consumer last got something. */
        private final TreeMap<String, Long> consumers = new TreeMap<>();

        private Group copy() {
            Group copy = new Group();
            copy.lastDelivered = lastDelivered;
            copy.pending.putAll(pending);
            copy.consumers.putAll(consumers);
            return copy;
        }
    }

    private static final class Stream {
        private final TreeMap<EntryId, UUID> entries = new TreeMap<>();
        private EntryId last = EntryId.LOWEST;
        private Group group;

        private Stream copy() {
            Stream copy = new Stream();
            copy.entries.putAll(entries);
            copy.last = last;
            copy.group = group == null ? null : group.copy();
            return copy;
        }
    }

    /** Everything that Redis remembers. */
    static final class Memories {
        private final Map<Priority, Stream> streams = new EnumMap<>(Priority.class);
        private final TreeMap<Member, Long> delayed = new TreeMap<>(
                Comparator.comparing(Member::priority).thenComparing(Member::jobId));
        private final List<UUID> deadLetters = new ArrayList<>();
        private final Set<UUID> guards = new HashSet<>();
        private String incarnation;

        private Memories copy() {
            Memories copy = new Memories();
            streams.forEach((priority, stream) -> copy.streams.put(priority, stream.copy()));
            copy.delayed.putAll(delayed);
            copy.deadLetters.addAll(deadLetters);
            copy.guards.addAll(guards);
            copy.incarnation = incarnation;
            return copy;
        }
    }

    private final Simulation simulation;
    private final Trace trace;
    private final Invariants invariants;
    private final Mutant mutant;
    private Memories held = new Memories();
    private Memory memory = Memory.ENOUGH;
    private long skewMs;
    /** True once a write of the script that runs now has passed. */
    private boolean isDirty;

    ModelRedis(Simulation simulation, Trace trace, Invariants invariants, Mutant mutant) {
        this.simulation = simulation;
        this.trace = trace;
        this.invariants = invariants;
        this.mutant = mutant;
    }

    // The scripts.

    Map<Priority, Integer> appendJobs(List<Member> jobs) {
        begin();
        jobs.forEach(job -> xadd(job.priority(), job.jobId()));
        Map<Priority, Integer> lengths = new EnumMap<>(Priority.class);
        for (Priority priority : Priority.values()) {
            Stream stream = held.streams.get(priority);
            lengths.put(priority, stream == null ? 0 : stream.entries.size());
        }
        return lengths;
    }

    /** @return ms until the next job is due */
    long delayJobs(Map<Member, Long> due) {
        begin();
        due.forEach(this::zadd);
        return nextDueMs();
    }

    void settleDone(Priority priority, List<EntryId> ids) {
        begin();
        ids.forEach(id -> xack(priority, id));
        ids.forEach(id -> xdel(priority, id));
    }

    long settleRetry(Priority priority, List<Retried> entries) {
        begin();
        entries.forEach(entry -> {
            xack(priority, entry.id());
            xdel(priority, entry.id());
        });
        entries.stream().filter(entry -> entry.dueMs() != 0)
                .forEach(entry -> zadd(new Member(priority, entry.jobId()), entry.dueMs()));
        return nextDueMs();
    }

    void settleFailed(Priority priority, List<Entry> entries) {
        begin();
        entries.forEach(entry -> {
            xack(priority, entry.id());
            xdel(priority, entry.id());
        });
        entries.forEach(entry -> xaddDeadLetter(entry.jobId()));
    }

    void handBackEntries(Priority priority, String consumer, List<Entry> entries) {
        begin();
        for (Entry entry : entries) {
            if (isOwner(priority, consumer, entry.id())) {
                xadd(priority, entry.jobId());
                xack(priority, entry.id());
                xdel(priority, entry.id());
            }
        }
    }

    void renewEntries(Priority priority, String consumer, List<EntryId> ids) {
        begin();
        for (EntryId id : ids) {
            if (isOwner(priority, consumer, id) || mutant == Mutant.RENEW_WITHOUT_OWNER) {
                xclaim(priority, consumer, id);
            }
        }
    }

    List<Entry> readEntries(String consumer, int most) {
        begin();
        List<Entry> found = new ArrayList<>();
        for (Priority priority : Priority.values()) {
            if (most > found.size()) {
                found.addAll(xreadgroup(priority, consumer, most - found.size()));
            }
        }
        return found;
    }

    Promotion promoteDue(int limit) {
        begin();
        List<Member> due = held.delayed.entrySet().stream().filter(entry -> entry.getValue() <= now())
                .sorted(Map.Entry.comparingByValue()).limit(limit).map(Map.Entry::getKey).toList();
        for (Member member : due) {
            if (mutant == Mutant.PROMOTE_REMOVES_FIRST) {
                held.delayed.remove(member);
            }
            xadd(member.priority(), member.jobId());
            held.delayed.remove(member);
        }
        return new Promotion(due.size(), nextDueMs());
    }

    Watermark watermark(String newIncarnation) {
        begin();
        String incarnation = held.incarnation;
        if (incarnation == null) {
            needsMemory();
            held.incarnation = newIncarnation;
        }
        Map<Priority, Long> oldest = new EnumMap<>(Priority.class);
        for (Priority priority : Priority.values()) {
            Stream stream = held.streams.get(priority);
            EntryId last = stream == null || stream.group == null ? EntryId.LOWEST : stream.group.lastDelivered;
            EntryId undelivered = stream == null ? null : stream.entries.higherKey(last);
            oldest.put(priority, undelivered == null ? now() : undelivered.ms());
        }
        return new Watermark(incarnation, oldest);
    }

    /** Drops those entries that are at least so old. */
    void dropUnknown(Priority priority, long minAgeMs, List<EntryId> ids) {
        begin();
        for (EntryId id : ids) {
            if (now() - id.ms() >= minAgeMs) {
                xack(priority, id);
                xdel(priority, id);
            }
        }
    }

    void trimConsumers(Priority priority, long minIdleMs) {
        begin();
        Stream stream = held.streams.get(priority);
        if (stream != null && stream.group != null) {
            Group group = stream.group;
            group.consumers.keySet().removeIf(consumer -> now() - group.consumers.get(consumer) >= minIdleMs
                    && group.pending.values().stream().noneMatch(pending -> pending.consumer().equals(consumer)));
        }
    }

    /** Deletes what was delivered and is pending for nobody. @param cursor where to go on; null at the beginning */
    Walk dropOrphans(Priority priority, EntryId cursor, int most) {
        begin();
        Stream stream = held.streams.get(priority);
        if (stream == null || stream.group == null || mutant == Mutant.ORPHANS_LEFT) {
            return new Walk(0, null);
        }
        List<EntryId> delivered = stream.entries.tailMap(cursor == null ? EntryId.LOWEST : cursor, false).keySet().stream()
                .takeWhile(id -> id.compareTo(stream.group.lastDelivered) <= 0).limit(most).toList();
        List<EntryId> orphans = delivered.stream().filter(id -> !stream.group.pending.containsKey(id)).toList();
        orphans.forEach(id -> xdel(priority, id));
        return new Walk(orphans.size(), delivered.size() < most ? null : delivered.get(delivered.size() - 1));
    }

    // Commands that are sent by themselves.

    /** XGROUP CREATE key group 0 MKSTREAM, for each stream; that it exists is no error. */
    void createGroups() {
        for (Priority priority : Priority.values()) {
            begin();
            needsMemory();
            Stream stream = held.streams.computeIfAbsent(priority, key -> new Stream());
            if (stream.group == null) {
                stream.group = new Group();
                stream.group.lastDelivered = mutant == Mutant.GROUP_AT_END ? stream.last : EntryId.LOWEST;
            }
        }
    }

    /** XREADGROUP COUNT 1 over all streams. */
    List<Entry> awaitNew(String consumer) {
        begin();
        List<Entry> found = new ArrayList<>();
        for (Priority priority : Priority.values()) {
            found.addAll(xreadgroup(priority, consumer, 1));
        }
        return found;
    }

    /** XREADGROUP from an id on: what was delivered to this consumer before. @param after null at the beginning */
    Page readPending(Priority priority, String consumer, EntryId after, int most) {
        begin();
        Stream stream = grouped(priority);
        List<EntryId> ids = stream.group.pending.tailMap(after == null ? EntryId.LOWEST : after, false).entrySet().stream()
                .filter(pending -> pending.getValue().consumer().equals(consumer)).limit(most).map(Map.Entry::getKey).toList();
        List<Entry> entries = new ArrayList<>();
        for (EntryId id : ids) {
            UUID job = stream.entries.get(id);
            if (job != null) {
                stream.group.pending.put(id, new Pending(consumer, now()));
                stream.group.consumers.put(consumer, now());
                trace.note(job, "entry read again", id);
                entries.add(new Entry(priority, id, job));
            }
        }
        return new Page(entries, ids.size() - entries.size(), ids.isEmpty() ? null : ids.get(ids.size() - 1));
    }

    /** XAUTOCLAIM. */
    Sweep reclaimIdle(Priority priority, String consumer, long minIdleMs, EntryId cursor, int most) {
        begin();
        Stream stream = grouped(priority);
        List<Entry> entries = new ArrayList<>();
        int deleted = 0;
        int looksLeft = most * 10;
        EntryId id = stream.group.pending.ceilingKey(cursor == null ? EntryId.LOWEST : cursor);
        while (id != null && entries.size() < most && looksLeft > 0) {
            looksLeft--;
            Pending pending = stream.group.pending.get(id);
            if (now() - pending.sinceMs() >= minIdleMs) {
                UUID job = stream.entries.get(id);
                if (job == null) {
                    stream.group.pending.remove(id);
                    deleted++;
                } else {
                    stream.group.pending.put(id, new Pending(consumer, now()));
                    stream.group.consumers.put(consumer, now());
                    trace.note(job, "entry reclaimed", id);
                    entries.add(new Entry(priority, id, job));
                }
            }
            id = stream.group.pending.higherKey(id);
        }
        return new Sweep(entries, deleted, id);
    }

    /** XADD to the dead letter stream. */
    void noteDeadLetter(UUID job) {
        begin();
        xaddDeadLetter(job);
    }

    /** SET NX. @return true if it was not set before */
    boolean setGuard(UUID job) {
        begin();
        needsMemory();
        return held.guards.add(job);
    }

    // What happens to Redis.

    void flush() {
        held = new Memories();
    }

    Memories copy() {
        return held.copy();
    }

    void rollBackTo(Memories older) {
        held = older.copy();
    }

    void deleteStream(Priority priority) {
        held.streams.remove(priority);
    }

    /** XGROUP DELCONSUMER of some consumer, with what is pending for it. */
    void deleteConsumer(Priority priority) {
        Stream stream = held.streams.get(priority);
        if (stream != null && stream.group != null && !stream.group.consumers.isEmpty()) {
            String consumer = simulation.pick(List.copyOf(stream.group.consumers.keySet()));
            stream.group.consumers.remove(consumer);
            stream.group.pending.values().removeIf(pending -> pending.consumer().equals(consumer));
        }
    }

    /** Somebody adds an entry of a job that nobody knows. */
    void addForeign(Priority priority, UUID job) {
        begin();
        if (memory == Memory.ENOUGH) {
            xadd(priority, job);
        }
    }

    void memory(Memory now) {
        memory = now;
    }

    void skew(long byMs) {
        skewMs = byMs;
    }

    // For those who check.

    Set<UUID> deadLetters() {
        return Set.copyOf(held.deadLetters);
    }

    /** @return what is left, by what it is; without what is 0 */
    Map<String, Integer> leftOvers() {
        Map<String, Integer> left = new TreeMap<>();
        held.streams.forEach((priority, stream) -> {
            left.merge("entries", stream.entries.size(), Integer::sum);
            left.merge("pending entries", stream.group == null ? 0 : stream.group.pending.size(), Integer::sum);
        });
        left.put("delayed jobs", held.delayed.size());
        left.values().removeIf(count -> count == 0);
        return left;
    }

    /** @return names of consumers, in any stream */
    Set<String> consumers() {
        Set<String> consumers = new TreeSet<>();
        held.streams.values().stream().filter(stream -> stream.group != null)
                .forEach(stream -> consumers.addAll(stream.group.consumers.keySet()));
        return consumers;
    }

    // Commands, as the scripts use them.

    private void begin() {
        isDirty = false;
    }

    private long now() {
        return simulation.nowMs() + skewMs;
    }

    private void needsMemory() {
        if (memory == Memory.REFUSED || (memory == Memory.REFUSED_AT_FIRST && !isDirty)) {
            throw new RefusedException("OOM");
        }
        isDirty = true;
    }

    private void xadd(Priority priority, UUID job) {
        needsMemory();
        Stream stream = held.streams.computeIfAbsent(priority, key -> new Stream());
        EntryId id = now() > stream.last.ms() ? new EntryId(now(), 0) : stream.last.next();
        stream.last = id;
        stream.entries.put(id, job);
        trace.note(job, "entry added", id);
        invariants.entryAdded(job);
    }

    private void xaddDeadLetter(UUID job) {
        needsMemory();
        held.deadLetters.add(job);
        invariants.deadLetterNoted(job);
    }

    private void zadd(Member member, long dueMs) {
        needsMemory();
        held.delayed.put(member, dueMs);
        trace.note(member.jobId(), "delayed", dueMs - Simulation.START_MS);
    }

    private List<Entry> xreadgroup(Priority priority, String consumer, int count) {
        Stream stream = grouped(priority);
        List<Entry> read = new ArrayList<>();
        for (EntryId id = stream.entries.higherKey(stream.group.lastDelivered); id != null && read.size() < count; //
                id = stream.entries.higherKey(id)) {
            stream.group.lastDelivered = id;
            stream.group.pending.put(id, new Pending(consumer, now()));
            stream.group.consumers.put(consumer, now());
            read.add(new Entry(priority, id, stream.entries.get(id)));
            trace.note(stream.entries.get(id), "entry read", id);
        }
        isDirty = true;
        return read;
    }

    private boolean isOwner(Priority priority, String consumer, EntryId id) {
        Pending pending = grouped(priority).group.pending.get(id);
        return pending != null && pending.consumer().equals(consumer);
    }

    private void xclaim(Priority priority, String consumer, EntryId id) {
        Stream stream = grouped(priority);
        Pending pending = stream.group.pending.get(id);
        UUID job = stream.entries.get(id);
        if (pending != null && job == null) {
            stream.group.pending.remove(id);
        } else if (pending != null) {
            if (!pending.consumer().equals(consumer)) {
                invariants.entryTaken(job, pending.consumer(), consumer);
            }
            stream.group.pending.put(id, new Pending(consumer, now()));
            stream.group.consumers.put(consumer, now());
            isDirty = true;
        }
    }

    private void xack(Priority priority, EntryId id) {
        Stream stream = held.streams.get(priority);
        if (stream != null && stream.group != null) {
            stream.group.pending.remove(id);
        }
        isDirty = true;
    }

    private void xdel(Priority priority, EntryId id) {
        Stream stream = held.streams.get(priority);
        UUID job = stream == null ? null : stream.entries.remove(id);
        if (job != null) {
            trace.note(job, "entry deleted", id);
        }
        isDirty = true;
    }

    private Stream grouped(Priority priority) {
        Stream stream = held.streams.get(priority);
        if (stream == null || stream.group == null) {
            throw new RefusedException("NOGROUP");
        }
        return stream;
    }

    private long nextDueMs() {
        return held.delayed.isEmpty() ? -1 : Math.max(0, held.delayed.values().stream().min(Long::compare).get() - now());
    }
}
