import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import io.netty.util.ResourceLeakDetector;
import io.vertx.core.AsyncResult;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpMethod;

/**
 * Hands jobs in at a constant rate and writes down what became of every request. No request is ever repeated, unlike with other load
 * generators, which send a request again over a new connection if the one that they kept turns out to be closed: just that would be
 * the request that a restart has lost. For rolling-restart.sh, which starts it with the libraries of the packaged application.
 *
 * <p>
 * Arguments: the address of the API; the tag of all jobs; jobs a second; the ms that a long job takes, and of how many jobs one is
 * long; the file to write; a file whose appearance ends the sending. The token, if any, is in the environment as TOKEN.
 *
 * <p>
 * Each line of the file, with tabs between: when the request was due (epoch ms), who sent it, ms from then to the whole answer, its
 * status (0: none), the id of the job or what went wrong, the ms that the job takes.
 */
public final class Callers {
    /** A job takes so long, evenly spread. */
    private static final int LEAST_MS = 200;
    private static final int MOST_MS = 2_000;
    /** In a hundred requests, so many come over a connection of their own. */
    private static final int STRANGERS = 30;
    private static final int PERIOD_MS = 1_000;
    /** These come so rarely that their connection is idle through a whole stop. */
    private static final int SELDOM = 24;
    private static final int SELDOM_PERIOD_MS = 12_000;
    /** These follow a job to its end, and then hand in the next. */
    private static final int FOLLOWERS = 4;
    private static final int FOLLOW_S = 20;
    /** A request that is not answered within so long has failed. */
    private static final int PATIENCE_MS = 30_000;
    /** A caller that waits for answers sends no more than so many. */
    private static final int MOST_QUEUED = 100;
    private static final int LOOK_EVERY_MS = 100;
    private static final Pattern ID = Pattern.compile("^\\{\"id\":\"([0-9a-f-]{36})\"");
    private static final Pattern ENDED = Pattern.compile("\"state\":\"(COMPLETED|FAILED|CANCELLED)\"");

    private final Vertx vertx = Vertx.vertx();
    private final URI api;
    private final String tag;
    private final int longMs;
    private final int longEvery;
    private final PrintWriter answers;
    private final String token = System.getenv("TOKEN");
    private final AtomicInteger handedIn = new AtomicInteger();
    private final AtomicInteger underWay = new AtomicInteger();
    private volatile boolean isOver;

    private Callers(URI api, String tag, int longMs, int longEvery, PrintWriter answers) {
        this.api = api;
        this.tag = tag;
        this.longMs = longMs;
        this.longEvery = longEvery;
        this.answers = answers;
    }

    private record Answer(int status, String body) {}

    public static void main(String[] args) throws IOException, InterruptedException {
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.DISABLED);
        try (PrintWriter answers = new PrintWriter(Files.newBufferedWriter(Path.of(args[5])))) {
            Callers callers = new Callers(URI.create(args[0]), args[1], Integer.parseInt(args[3]), Integer.parseInt(args[4]), answers);
            callers.begin(Integer.parseInt(args[2]));
            callers.end(Path.of(args[6]));
        }
    }

    private void begin(int rate) {
        int strangers = rate * STRANGERS / 100;
        int seldom = Math.min(SELDOM, rate);
        int regulars = rate - strangers - seldom * PERIOD_MS / SELDOM_PERIOD_MS;
        IntStream.range(0, strangers).forEach(n -> beginCaller("new", false, PERIOD_MS, n, strangers));
        IntStream.range(0, regulars).forEach(n -> beginCaller("kept", true, PERIOD_MS, n, regulars));
        IntStream.range(0, seldom).forEach(n -> beginCaller("seldom", true, SELDOM_PERIOD_MS, n, seldom));
        IntStream.range(0, FOLLOWERS).forEach(n -> follow(connection(true)));
    }

    /** At its times, whatever became of the request before: a system that gets slow gets no less to do. */
    private void beginCaller(String name, boolean isKept, int periodMs, int n, int of) {
        HttpClient connection = connection(isKept);
        // Spread over the period, so that all of them together come evenly.
        vertx.setTimer(1 + (long) periodMs * n / of, first -> {
            long begin = System.currentTimeMillis();
            int[] sent = {0};
            handIn(connection, name, begin, null);
            vertx.setPeriodic(periodMs, fired -> {
                if (!isOver) {
                    handIn(connection, name, begin + (long) ++sent[0] * periodMs, null);
                }
            });
        });
    }

    /** One connection, and no other before it is closed. */
    private HttpClient connection(boolean isKept) {
        return vertx.createHttpClient(new HttpClientOptions().setDefaultHost(api.getHost()).setDefaultPort(api.getPort())
                .setKeepAlive(isKept).setKeepAliveTimeout(0).setMaxPoolSize(1).setMaxWaitQueueSize(MOST_QUEUED)
                .setConnectTimeout(PATIENCE_MS));
    }

    /** @param then gets the id of the job, if it was accepted; null for nobody */
    private void handIn(HttpClient connection, String name, long due, Consumer<String> then) {
        boolean isLong = handedIn.incrementAndGet() % longEvery == 0;
        int ms = isLong ? longMs : ThreadLocalRandom.current().nextInt(LEAST_MS, MOST_MS + 1);
        String job = String.format(Locale.ROOT, "{\"type\":\"sleep\",\"tags\":[\"%s\"],\"timeout\":\"PT10M\",\"payload\":{\"ms\":%d}}",
                tag, ms);
        send(connection, HttpMethod.POST, "/v1/jobs", job, answer -> {
            Matcher id = ID.matcher(answer.body());
            boolean isAccepted = answer.status() == 201 && id.find();
            write(due, name, answer.status(), isAccepted ? id.group(1) : answer.body(), ms);
            if (then != null && isAccepted) {
                then.accept(id.group(1));
            } else if (then != null && !isOver) {
                vertx.setTimer(PERIOD_MS, fired -> follow(connection)); // what failed is written down
            }
        });
    }

    private void follow(HttpClient connection) {
        if (!isOver) {
            handIn(connection, "follower", System.currentTimeMillis(), id -> ask(connection, id));
        }
    }

    private void ask(HttpClient connection, String id) {
        if (isOver) {
            return;
        }
        long due = System.currentTimeMillis();
        send(connection, HttpMethod.GET, "/v1/jobs/" + id + "?wait=" + FOLLOW_S + "s", null, answer -> {
            boolean isAnswered = answer.status() == 200;
            write(due, "wait", answer.status(), isAnswered ? id : answer.body(), 0);
            if (isAnswered && ENDED.matcher(answer.body()).find()) {
                follow(connection);
            } else {
                vertx.setTimer(isAnswered ? 1 : PERIOD_MS, fired -> ask(connection, id));
            }
        });
    }

    private void send(HttpClient connection, HttpMethod method, String path, String body, Consumer<Answer> then) {
        underWay.incrementAndGet();
        connection.request(method, path).compose(request -> {
            request.setTimeout(PATIENCE_MS);
            if (token != null && !token.isEmpty()) {
                request.putHeader("Authorization", "Bearer " + token);
            }
            return body == null ? request.send() : request.putHeader("Content-Type", "application/json").send(body);
        }).compose(response -> response.body().map(read -> new Answer(response.statusCode(), read.toString())))
                .onComplete(result -> {
                    then.accept(answer(result));
                    underWay.decrementAndGet();
                });
    }

    private static Answer answer(AsyncResult<Answer> result) {
        return result.succeeded() ? result.result() : new Answer(0, String.valueOf(result.cause()));
    }

    private synchronized void write(long due, String name, int status, String idOrFault, int ms) {
        String oneLine = idOrFault.lines().collect(Collectors.joining(" ")).replace('\t', ' ');
        answers.println(String.join("\t", Long.toString(due), name, Long.toString(System.currentTimeMillis() - due),
                Integer.toString(status), oneLine, Integer.toString(ms)));
        answers.flush();
    }

    /** Sends until the file is there, and then waits for the answers to what was sent. */
    private void end(Path file) throws InterruptedException {
        CountDownLatch done = new CountDownLatch(1);
        vertx.setPeriodic(LOOK_EVERY_MS, look -> {
            if (isOver && underWay.get() == 0) {
                done.countDown();
            }
            isOver |= Files.exists(file);
        });
        done.await(1, TimeUnit.HOURS);
        vertx.close();
    }
}
