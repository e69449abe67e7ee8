package io.millrace.bench;

/** Something to measure that is no rate of its own and has no floor. */
interface Part {

    String name();

    /** @throws IllegalStateException if what was done is not found to be done */
    void run(Report report) throws Exception;
}
