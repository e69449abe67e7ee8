package io.millrace.app;

import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntSupplier;

import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.exception.FlywayValidateException;
import org.jboss.logging.Logger;

import io.millrace.store.DatabaseUrl;
import io.millrace.store.Migrations;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import io.vertx.redis.client.impl.types.ErrorType;

/** Checks, before anything is started, what the process cannot do without; each failure is one line that says what to do. */
final class Preflight {
    private static final Logger LOG = Logger.getLogger(Preflight.class);
    private static final int ANSWER_SECONDS = 10;
    private static final int OLDEST_REDIS = 7;
    private static final Duration BETWEEN_CHECKS = Duration.ofSeconds(1);
    /** SQLSTATE: a class, and what PostgreSQL says while it starts. */
    private static final String CONNECTION_EXCEPTION = "08";
    private static final String CANNOT_CONNECT_NOW = "57P03";

    private Preflight() {}

    /**
     * Repeats a check that fails because something does not answer, so that processes and servers may be started in any order, and
     * a process that is started in an outage is there when it is over.
     *
     * @throws StartFailure if it still fails after {@code patience}, or with what no waiting mends
     */
    static void patiently(Duration patience, Runnable check) {
        long giveUpNanos = System.nanoTime() + patience.toNanos();
        while (true) {
            try {
                check.run();
                return;
            } catch (StartFailure failure) {
                long leftNanos = giveUpNanos - System.nanoTime();
                if (!failure.mayPass() || leftNanos <= 0) {
                    throw failure;
                }
                // Not by the log: that keeps its lines to itself until Quarkus has read how it is to be written.
                System.err.printf("millrace waits, at most %d s more: %s%n", TimeUnit.NANOSECONDS.toSeconds(leftNanos) + 1,
                        failure.getMessage());
                LockSupport.parkNanos(Math.min(leftNanos, BETWEEN_CHECKS.toNanos()));
            }
        }
    }

    /** @throws StartFailure if another process has the port */
    static void checkPortIsFree(String variable, int port) {
        if (port == 0) {
            return; // any free one
        }
        try (ServerSocket probe = new ServerSocket()) {
            probe.setReuseAddress(true);
            probe.bind(new InetSocketAddress(port));
        } catch (BindException e) {
            throw StartFailure.environment("port " + port + " is in use by another process: stop it, or set " + variable
                    + " to a free port");
        } catch (IOException e) {
            throw StartFailure.environment("port " + port + " cannot be used (" + e.getMessage() + "): set " + variable
                    + " to another port");
        }
    }

    /**
     * Brings the schema up to date, which needs a database that answers.
     *
     * @param otherDatabase how to get an empty database
     * @return how many migrations it took
     * @throws StartFailure if it does not, or holds another version's schema
     */
    static int migrate(String databaseUrl, String otherDatabase) {
        return onSchema(databaseUrl, otherDatabase, () -> Migrations.run(databaseUrl));
    }

    /**
     * For a process that leaves the schema to others.
     *
     * @param otherDatabase how to get an empty database
     * @throws StartFailure as {@link #migrate}, or if the schema is older than this version: then waiting may mend it
     */
    static void checkSchema(String databaseUrl, String otherDatabase) {
        int missing = onSchema(databaseUrl, otherDatabase, () -> Migrations.countMissing(databaseUrl));
        if (missing > 0) {
            throw StartFailure.unanswered(where(databaseUrl) + " lacks " + missing + " migrations of this version: run "
                    + "`java -jar quarkus-run.jar migrate`, or leave MILLRACE_MIGRATE out");
        }
    }

    private static int onSchema(String databaseUrl, String otherDatabase, IntSupplier step) {
        try {
            return step.getAsInt();
        } catch (FlywayValidateException e) {
            throw StartFailure.environment(where(databaseUrl) + " holds a schema that this version of Millrace did not make ("
                    + e.getMessage().lines().skip(1).findFirst().orElse(e.getMessage())
                    + "): start the version that made it, or " + otherDatabase);
        } catch (FlywayException e) {
            String message = where(databaseUrl) + " cannot be used: " + reason(e)
                    + "; check that it runs and that MILLRACE_DATABASE_URL is right";
            throw isAway(e) ? StartFailure.unanswered(message) : StartFailure.environment(message);
        }
    }

    /** @return true if PostgreSQL could not be reached, or is just starting */
    private static boolean isAway(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException sql && sql.getSQLState() != null
                    && (sql.getSQLState().startsWith(CONNECTION_EXCEPTION) || sql.getSQLState().equals(CANNOT_CONNECT_NOW))) {
                return true;
            }
        }
        return false;
    }

    private static String where(String databaseUrl) {
        DatabaseUrl database = DatabaseUrl.parse(databaseUrl);
        return "PostgreSQL at " + database.host() + ":" + database.port() + "/" + database.database();
    }

    /** @throws StartFailure if Redis does not answer or is too old */
    static void checkRedis(String redisUrl) {
        URI uri = URI.create(redisUrl);
        String where = "Redis at " + uri.getHost() + ":" + (uri.getPort() < 0 ? 6379 : uri.getPort());
        Vertx vertx = Vertx
                .vertx(new VertxOptions().setEventLoopPoolSize(1).setWorkerPoolSize(1).setInternalBlockingPoolSize(1));
        Redis client = Redis.createClient(vertx, redisUrl);
        try {
            Response info = client.send(Request.cmd(Command.INFO)).toCompletionStage().toCompletableFuture()
                    .get(ANSWER_SECONDS, TimeUnit.SECONDS);
            checkInfo(where, info.toString());
        } catch (StartFailure e) {
            throw e;
        } catch (Exception e) {
            String message = where + " cannot be used: " + reason(e)
                    + "; check that it runs and that MILLRACE_REDIS_URL is right";
            boolean isRefusal = e.getCause() instanceof ErrorType && !reason(e).startsWith("LOADING");
            throw isRefusal ? StartFailure.environment(message) : StartFailure.unanswered(message);
        } finally {
            client.close();
            vertx.close();
        }
    }

    private static void checkInfo(String where, String info) {
        String version = field(info, "redis_version");
        if (Integer.parseInt(version.split("\\.")[0]) < OLDEST_REDIS) {
            throw StartFailure.environment(where + " is version " + version + ": Millrace needs Redis " + OLDEST_REDIS
                    + ".0 or newer, or Valkey");
        }
        String policy = field(info, "maxmemory_policy");
        if (!"noeviction".equals(policy)) {
            LOG.warnf("%s evicts keys when it is full (maxmemory-policy %s): no job is lost by it, but jobs may start late; "
                    + "set it to noeviction", where, policy);
        }
    }

    private static String field(String info, String name) {
        return info.lines().filter(line -> line.startsWith(name + ":")).map(line -> line.substring(name.length() + 1).strip())
                .findFirst().orElse("0");
    }

    /** @return the first line of the deepest cause that says something */
    private static String reason(Throwable failure) {
        String reason = failure.getClass().getSimpleName();
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause.getMessage() != null && !cause.getMessage().isBlank()) {
                reason = cause.getMessage().strip().lines().findFirst().orElse(reason);
            }
        }
        return reason;
    }
}
