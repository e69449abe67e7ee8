package io.millrace.support;

import java.util.List;

/** The job streams of a queue, looked at and written to behind the application's back. */
public final class Streams {

    private static final List<String> PRIORITIES = List.of("high", "normal", "low");

    private final String redisUrl;

    public Streams(String redisUrl) {
        this.redisUrl = redisUrl;
    }

    /** Puts an entry on the normal stream of a queue. */
    public void add(String queue, String field, String value) {
        PlainRedis.ask(redisUrl, "XADD " + key(queue, "normal") + " * " + field + " " + value);
    }

    /** @return how many entries stand on all streams of the queue, delivered or not */
    public int length(String queue) {
        return PRIORITIES.stream().mapToInt(priority -> number("XLEN " + key(queue, priority))).sum();
    }

    /** @return how many entries are delivered to somebody and not acknowledged */
    public int pending(String queue) {
        return PRIORITIES.stream().map(priority -> key(queue, priority))
                .filter(stream -> number("EXISTS " + stream) == 1)
                // the summary: first of its lines after the length of the array is the count
                .mapToInt(stream -> Integer.parseInt(
                        PlainRedis.ask(redisUrl, "XPENDING " + stream + " workers").get(1).substring(1)))
                .sum();
    }

    /** @return how many consumers the group of any stream of the queue has */
    public int consumers(String queue) {
        return PRIORITIES.stream().map(priority -> key(queue, priority)).filter(stream -> number("EXISTS " + stream) == 1)
                .mapToInt(stream -> (int) PlainRedis.ask(redisUrl, "XINFO CONSUMERS " + stream + " workers").stream()
                        .filter("name"::equals).count())
                .max().orElse(0);
    }

    public int delayed(String queue) {
        return number("ZCARD " + key(queue, "delayed"));
    }

    /** Redis forgets everything, scripts included. */
    public void flush() {
        PlainRedis.ask(redisUrl, "FLUSHDB", "SCRIPT FLUSH");
    }

    private int number(String command) {
        return Integer.parseInt(PlainRedis.ask(redisUrl, command).get(0).substring(1));
    }

    private static String key(String queue, String what) {
        return "{" + queue + "}:" + what;
    }
}
