package io.millrace.observe;

import org.jboss.logging.Logger;

import io.millrace.job.ClaimedJob;
import io.millrace.job.NewJob;
import io.millrace.job.Settlement;

/** One line for each change of a job, at debug. Problems are told where they are met, at warn. */
final class JobLog {
    private static final Logger LOG = Logger.getLogger(JobLog.class);

    private JobLog() {}

    static void accepted(NewJob job) {
        if (LOG.isDebugEnabled()) {
            LOG.debugf("job %s of type %s: ACCEPTED for queue %s", job.id(), job.type(), job.queue());
        }
    }

    static void claimed(ClaimedJob job) {
        if (LOG.isDebugEnabled()) {
            LOG.debugf("job %s of type %s, epoch %d: CLAIMED from queue %s", job.id(), job.type(), job.lease().epoch(),
                    job.queue());
        }
    }

    static void recorded(ClaimedJob job, Settlement settlement) {
        if (LOG.isDebugEnabled()) {
            LOG.debugf("job %s of type %s, epoch %d: %s", job.id(), job.type(), job.lease().epoch(), settlement.transition());
        }
    }
}
