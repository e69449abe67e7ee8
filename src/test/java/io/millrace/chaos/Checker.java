package io.millrace.chaos;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;

import io.millrace.chaos.Conductor.Effect;
import io.millrace.chaos.Evidence.Attempt;
import io.millrace.chaos.Evidence.Change;
import io.millrace.chaos.Evidence.Row;
import io.millrace.job.JobState;
import io.millrace.job.JobTransition;

/**
 * Judges a run after it has ended, by what the clients were answered, what arrived at the sink, and what PostgreSQL holds and
 * wrote down. It asks the engine nothing.
 */
final class Checker {
    /** A worker's lease, and the time until somebody takes the job from it, outlast the fault. */
    private static final Duration AFTERMATH = Duration.ofSeconds(15);
    /** Between the handler's line on its socket and the time that is written down for it. */
    private static final Duration CLOCK_SLACK = Duration.ofMillis(50);
    private static final int LOST_LIMIT = 3;
    private static final Set<String> LOST = Set.of("REAPED", "RECLAIMED");
    private static final Set<String> COUNTED = Set.of("RETRIED", "DEAD_LETTERED");

    /** @param jobId null if it is not about one job */
    record Violation(Invariant invariant, UUID jobId, String text) {
        @Override
        public String toString() {
            return invariant + (jobId == null ? "" : " job " + jobId) + ": " + text;
        }
    }

    /** What is not wrong, and yet worth telling. */
    record Figures(int completed, int failed, int cancelled, int lostAttempts, int rawDuplicates, int givenUpInnocent,
            int unclearExisting) {}

    private final Map<Integer, Load.Submission> submissions;
    private final Map<UUID, Integer> cancels;
    private final Map<UUID, Load.Replay> replays;
    private final Evidence evidence;
    private final Map<UUID, List<Effect>> effects;
    private final List<Storm.Occurrence> faults;
    private final List<Violation> violations = new ArrayList<>();
    private int rawDuplicates;
    private int innocents;

    /**
     * @param submissions by number of the plan, also those without a clear answer
     * @param cancels what each cancellation was answered with
     */
    Checker(Map<Integer, Load.Submission> submissions, Map<UUID, Integer> cancels, Map<UUID, Load.Replay> replays,
            Evidence evidence, List<Effect> effects, List<Storm.Occurrence> faults) {
        this.submissions = submissions;
        this.cancels = cancels;
        this.replays = replays;
        this.evidence = evidence;
        this.effects = effects.stream().collect(Collectors.groupingBy(Effect::jobId));
        this.faults = faults;
    }

    /** @return what is wrong; nothing if all is well */
    List<Violation> check() {
        submissions.values().forEach(this::checkSubmission);
        evidence.rows().values().forEach(this::checkJob);
        checkOncePerPlan();
        effects.forEach((id, seen) -> {
            if (!evidence.rows().containsKey(id)) {
                report(Invariant.I3, id, "ran, and is not in PostgreSQL");
            }
        });
        return violations;
    }

    Figures figures() {
        Map<JobState, Long> states = evidence.rows().values().stream()
                .collect(Collectors.groupingBy(Row::state, Collectors.counting()));
        int lost = (int) evidence.attempts().values().stream().flatMap(List::stream)
                .filter(attempt -> LOST.contains(attempt.outcome())).count();
        Set<Integer> stored = evidence.rows().values().stream().map(Row::seq).collect(Collectors.toSet());
        int unclear = (int) submissions.values().stream().filter(s -> !s.isAccepted() && stored.contains(s.plan().seq()))
                .count();
        return new Figures(count(states, JobState.COMPLETED), count(states, JobState.FAILED), count(states, JobState.CANCELLED),
                lost, rawDuplicates, innocents, unclear);
    }

    /** @param listed ids as the API lists them, page by page */
    void checkDeadLetters(List<UUID> listed) {
        Set<UUID> failed = evidence.rows().values().stream().filter(row -> row.state() == JobState.FAILED).map(Row::id)
                .collect(Collectors.toSet());
        if (new HashSet<>(listed).size() != listed.size()) {
            report(Invariant.I8, null, "the list of dead letters names a job twice");
        }
        if (!failed.equals(Set.copyOf(listed))) {
            report(Invariant.I8, null, failed.size() + " jobs failed, the API lists " + listed.size());
        }
    }

    private static int count(Map<JobState, Long> states, JobState state) {
        return states.getOrDefault(state, 0L).intValue();
    }

    private void report(Invariant invariant, UUID jobId, String text) {
        violations.add(new Violation(invariant, jobId, text));
    }

    private void checkSubmission(Load.Submission submission) {
        if (submission.isAccepted() && !evidence.rows().containsKey(submission.id())) {
            report(Invariant.I1, submission.id(), "accepted, and not in PostgreSQL");
        }
    }

    private void checkOncePerPlan() {
        Map<Integer, Integer> rowsOfPlan = new HashMap<>();
        evidence.rows().values().forEach(row -> rowsOfPlan.merge(row.seq(), 1, Integer::sum));
        rowsOfPlan.forEach((seq, count) -> {
            if (count > 1) {
                report(Invariant.I10, null, "handed in once, there " + count + " times: number " + seq);
            }
        });
    }

    private void checkJob(Row row) {
        Load.Submission submission = submissions.get(row.seq());
        if (submission == null) {
            report(Invariant.I10, row.id(), "is there, and nobody handed it in");
            return;
        }
        Plan plan = submission.plan();
        List<Change> changes = evidence.changesOf(row.id());
        checkEnd(row, plan);
        checkChanges(row.id(), plan, changes);
        checkEffects(row, submission, changes);
        checkAccounts(row, plan, changes);
    }

    /** I1, and what the answers to cancellations and replays promised. */
    private void checkEnd(Row row, Plan plan) {
        if (!row.state().isTerminal()) {
            report(Invariant.I1, row.id(), plan.kind() + " never ended: " + row.state() + ", epoch " + row.epoch());
            return;
        }
        boolean isWorkerLost = "WORKER_LOST".equals(row.reason()) && row.state() == JobState.FAILED;
        if (isWorkerLost) {
            if (row.lost() < LOST_LIMIT) {
                report(Invariant.I7, row.id(), "given up after " + row.lost() + " lost workers");
            }
            innocents += plan.kind() == Plan.Kind.POISON ? 0 : 1;
        } else if (plan.kind() == Plan.Kind.POISON) {
            report(Invariant.I1, row.id(), "kills its workers, and ended as " + row.state());
        } else if (plan.kind() == Plan.Kind.REPLAYED) {
            checkReplayed(row);
        } else if (!plan.kind().ends().contains(row.state())) {
            report(Invariant.I1, row.id(), plan.kind() + " ended as " + row.state() + " " + row.reason());
        }
        int cancelled = cancels.getOrDefault(row.id(), 0);
        if (cancelled == 200 && row.state() != JobState.CANCELLED) {
            report(Invariant.I1, row.id(), "answered as cancelled, and ended as " + row.state());
        }
        checkReason(row, plan);
    }

    private void checkReason(Row row, Plan plan) {
        String expected = plan.kind() == Plan.Kind.EXHAUSTED
                ? "ATTEMPTS_EXHAUSTED"
                : plan.kind() == Plan.Kind.REJECTED ? "REJECTED" : null;
        if (expected != null && row.state() == JobState.FAILED && !expected.equals(row.reason())
                && !"WORKER_LOST".equals(row.reason())) {
            report(Invariant.I3, row.id(), plan.kind() + " failed as " + row.reason());
        }
    }

    private void checkReplayed(Row row) {
        Load.Replay replay = replays.get(row.id());
        long replayed = evidence.changesOf(row.id()).stream().filter(Change::isReplay).count();
        int granted = replay == null ? 0 : replay.granted();
        int unclear = replay == null ? 0 : replay.unclear();
        if (granted > 1 || replayed > granted + unclear || replayed < granted) {
            report(Invariant.I2, row.id(), granted + " replays granted, " + unclear + " unclear, " + replayed + " took place");
        }
        JobState expected = replayed > 0 ? JobState.COMPLETED : JobState.FAILED;
        if (row.state() != expected) {
            report(Invariant.I1, row.id(), "after " + replayed + " replays it is " + row.state());
        }
    }

    /** I2, I5, I6, I9: every change by itself, and with the one before. */
    private void checkChanges(UUID id, Plan plan, List<Change> changes) {
        for (Change change : changes) {
            if (change.oldState() == null) {
                continue;
            }
            boolean wasReplayed = change.isReplay() && plan.kind() == Plan.Kind.REPLAYED;
            if (change.oldState().isTerminal() && !wasReplayed) {
                report(Invariant.I2, id, "had ended as " + change.oldState() + " and was changed to " + change.newState());
            } else if (change.oldState() != change.newState() && !JobTransition.isLegal(change.oldState(), change.newState())) {
                report(Invariant.I9, id, change.oldState() + " -> " + change.newState());
            }
            if (change.isClaim()) {
                checkClaim(id, change);
            } else if (change.newEpoch() != change.oldEpoch()) {
                report(Invariant.I5, id, "epoch " + change.oldEpoch() + " -> " + change.newEpoch() + " without a claim");
            }
        }
    }

    private void checkClaim(UUID id, Change change) {
        if (change.newEpoch() != change.oldEpoch() + 1) {
            report(Invariant.I5, id, "claimed, with epoch " + change.oldEpoch() + " -> " + change.newEpoch());
        }
        if (change.oldState() == JobState.PROCESSING && change.oldUntil().isAfter(change.at())) {
            report(Invariant.I5, id, "claimed by " + change.owner() + " at " + change.at() + ", leased until "
                    + change.oldUntil());
        }
        boolean waited = change.oldState() == JobState.SCHEDULED || change.oldState() == JobState.RETRYING;
        if (waited && change.at().isBefore(change.oldRunAt())) {
            report(Invariant.I6, id, "claimed at " + change.at() + ", due at " + change.oldRunAt());
        }
    }

    /** I3, I4, I5 and I6 at the sink. */
    private void checkEffects(Row row, Load.Submission submission, List<Change> changes) {
        List<Effect> seen = effects.getOrDefault(row.id(), List.of());
        Set<Integer> epochs = new HashSet<>();
        Map<Integer, Change> claims = changes.stream().filter(Change::isClaim)
                .collect(Collectors.toMap(Change::newEpoch, change -> change, (a, b) -> a));
        for (Effect effect : seen) {
            if (!epochs.add(effect.epoch())) {
                report(Invariant.I4, row.id(), "ran twice in epoch " + effect.epoch());
            }
            Change claim = claims.get(effect.epoch());
            if (claim == null) {
                report(Invariant.I5, row.id(), "ran in epoch " + effect.epoch() + ", which nobody claimed");
            }
        }
        Plan plan = submission.plan();
        if (plan.kind() == Plan.Kind.SCHEDULED && !seen.isEmpty()) {
            Instant earliest = submission.sent().plusMillis(plan.number()).minus(CLOCK_SLACK);
            seen.stream().filter(effect -> effect.at().isBefore(earliest)).forEach(effect -> report(Invariant.I6, row.id(),
                    "ran at " + effect.at() + ", asked for not before " + earliest));
        }
        if (row.state() == JobState.COMPLETED) {
            checkCompleted(row, plan, changes, epochs);
        }
        checkDuplicates(row, changes, claims, seen);
    }

    private void checkCompleted(Row row, Plan plan, List<Change> changes, Set<Integer> epochs) {
        Change end = changes.get(changes.size() - 1);
        if (!epochs.contains(end.newEpoch())) {
            report(Invariant.I3, row.id(), "completed in epoch " + end.newEpoch() + ", in which it never ran");
        }
        String expected = switch (plan.kind()) {
            case OK, SCHEDULED -> "{\"n\":" + plan.number() + "}";
            case SLOW, LONG, CANCELLED -> "{\"sleptMs\":" + plan.number() + "}";
            case FLAKY -> "{\"succeededOnAttempt\":" + (plan.number() + 1) + "}";
            case REPLAYED -> "{\"succeededOnAttempt\":1}";
            default -> null;
        };
        if (!String.valueOf(expected).equals(row.result())) {
            report(Invariant.I3, row.id(), plan.kind() + " has the result " + row.result() + ", not " + expected);
        }
    }

    /** An effect whose attempt did not come to an end of its own has to have a fault beside it. */
    private void checkDuplicates(Row row, List<Change> changes, Map<Integer, Change> claims, List<Effect> seen) {
        for (Effect effect : seen) {
            Change claim = claims.get(effect.epoch());
            Change over = changes.stream().filter(c -> c.oldState() == JobState.PROCESSING && c.oldEpoch() == effect.epoch())
                    .findFirst().orElse(null);
            boolean isLost = over != null
                    && (over.newState() == JobState.PENDING || over.newState() == JobState.PROCESSING);
            if (claim == null || !isLost) {
                continue;
            }
            rawDuplicates++;
            if (faults.stream().noneMatch(fault -> fault.touches(claim.at(), over.at(), AFTERMATH))) {
                report(Invariant.I4, row.id(),
                        "ran in epoch " + effect.epoch() + ", whose worker was lost between " + claim.at()
                                + " and " + over.at() + " without a fault");
            }
        }
    }

    /** I7: what the row counts is what was written down. */
    private void checkAccounts(Row row, Plan plan, List<Change> changes) {
        long claims = changes.stream().filter(Change::isClaim).count();
        if (claims != row.epoch()) {
            report(Invariant.I7, row.id(), "epoch " + row.epoch() + " after " + claims + " claims");
        }
        if (row.failures() > row.maxAttempts()) {
            report(Invariant.I7, row.id(), row.failures() + " failures of " + row.maxAttempts());
        }
        int lastReplayEpoch = changes.stream().filter(Change::isReplay).mapToInt(Change::newEpoch).max().orElse(0);
        List<Attempt> attempts = evidence.attemptsOf(row.id()).stream().filter(a -> a.epoch() > lastReplayEpoch).toList();
        long counted = attempts.stream().filter(attempt -> COUNTED.contains(attempt.outcome())).count();
        long lost = attempts.stream().filter(attempt -> LOST.contains(attempt.outcome())).count();
        if (counted != row.failures() || lost != row.lost()) {
            report(Invariant.I7, row.id(), row.failures() + " failures and " + row.lost() + " lost workers, with attempts "
                    + attempts);
        }
        int handlerFailures = lastReplayEpoch > 0 ? 0 : plan.failures();
        boolean isFull = row.state().isTerminal() && row.state() != JobState.CANCELLED && !"WORKER_LOST".equals(row.reason());
        if (isFull && row.failures() != handlerFailures) {
            report(Invariant.I7, row.id(), plan.kind() + " failed " + row.failures() + " times, not " + handlerFailures);
        }
    }
}
