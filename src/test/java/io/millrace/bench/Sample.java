package io.millrace.bench;

/**
 * One run of a scenario.
 *
 * @param jobs how many jobs (rows, entries, requests) it did
 * @param walBytes what PostgreSQL wrote to its log meanwhile, for whatever reason
 * @param fullPages images of whole pages in there: of those that were changed first after a checkpoint. What connections did in
 *        their last second is counted a little later
 */
record Sample(long jobs, double seconds, Cpu cpu, long walBytes, long fullPages) {

    double perSecond() {
        return jobs / seconds;
    }

    double walBytesPerJob() {
        return (double) walBytes / jobs;
    }

    double fullPagesPerJob() {
        return (double) fullPages / jobs;
    }

    /** The same work, timed by a better clock. */
    Sample in(double otherSeconds) {
        return new Sample(jobs, otherSeconds, cpu, walBytes, fullPages);
    }
}
