package io.millrace.chaos;

/** What must hold in every run, whatever dies. The names are those of docs/guarantees.md. */
enum Invariant {
    I1("no loss: every accepted job reaches its expected end"),
    I2("one end: a job that has ended does not change, unless it is replayed"),
    I3("an end has a cause: a completed job was run by the attempt that completed it, with the result of its payload"),
    I4("no attempt has its effect twice, and every raw duplicate is explained by a fault"),
    I5("fencing: epochs rise by one with each claim, and no lease is taken while another holds"),
    I6("not early: no attempt starts before the job is due"),
    I7("accounting: epochs, failures, lost leases and attempts agree"),
    I8("dead letters are exact: those the API lists are the jobs that failed, each once"),
    I9("only legal changes of state"),
    I10("a job that was handed in once is there once"),
    I12("bounded: streams, pending entries, delayed sets, consumers, memory, threads and files return to where they were"),
    I13("liveness: every process works again within the limit, and none ends by itself");

    private final String text;

    Invariant(String text) {
        this.text = text;
    }

    String text() {
        return text;
    }
}
