package io.millrace.bench;

/**
 * One run of a scenario.
 *
 * @param jobs how many jobs (rows, entries, requests) it did
 * @param walBytes what PostgreSQL wrote to its log meanwhile, for whatever reason
 */
record Sample(long jobs, double seconds, Cpu cpu, long walBytes) {

    double perSecond() {
        return jobs / seconds;
    }

    double walBytesPerJob() {
        return (double) walBytes / jobs;
    }

    /** The same work, timed by a better clock. */
    Sample in(double otherSeconds) {
        return new Sample(jobs, otherSeconds, cpu, walBytes);
    }
}
