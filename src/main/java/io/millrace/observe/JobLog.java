package io.millrace.observe;

import java.util.List;
import java.util.UUID;

import org.jboss.logging.Logger;

import io.millrace.job.ClaimedJob;
import io.millrace.job.JobState;
import io.millrace.job.NewJob;
import io.millrace.job.Settlement;
import io.millrace.store.RepairStore.Reaped;

/**
 * One line for each change of a job, and one for each batch that only moves, at debug: docs/operations.md lists them. Problems are
 * told where they are met, at warn. A job is a parameter of its line, so that it is put into words only if the line is written.
 */
final class JobLog {
    private static final Logger LOG = Logger.getLogger(JobLog.class);

    private JobLog() {}

    static void accepted(NewJob job) {
        LOG.debugf("%s: ACCEPTED", job);
    }

    static void claimed(ClaimedJob job) {
        if (job.lost() == 0) {
            LOG.debugf("%s: CLAIMED", job);
        } else if (LOG.isDebugEnabled()) {
            LOG.debugf("%s: CLAIMED, %d leases of it ran out before", job, job.lost());
        }
    }

    static void recorded(ClaimedJob job, Settlement settlement) {
        if (LOG.isDebugEnabled()) {
            LOG.debugf("%s: %s", job, settlement.transition());
        }
    }

    /** @param state CANCELLED, or PROCESSING if its worker will be told */
    static void cancelled(UUID id, JobState state) {
        if (state == JobState.PROCESSING) {
            LOG.debugf("job %s: to be cancelled, its worker will be told", id);
        } else {
            LOG.debugf("job %s: CANCELLED", id);
        }
    }

    static void replayed(UUID id, String queue) {
        LOG.debugf("job %s of queue %s: REPLAYED", id, queue);
    }

    static void reaped(List<Reaped> jobs) {
        if (LOG.isDebugEnabled()) {
            jobs.forEach(job -> LOG.debugf("job %s of queue %s: REAPED, now %s", job.id(), job.queue(), job.state()));
        }
    }

    static void relayed(String queue, int count) {
        if (LOG.isDebugEnabled()) {
            LOG.debugf("queue %s: %d jobs relayed to the stream", queue, count);
        }
    }

    static void promoted(String queue, int count) {
        if (LOG.isDebugEnabled()) {
            LOG.debugf("queue %s: %d jobs were due and promoted to the stream", queue, count);
        }
    }
}
