package io.millrace.observe;

import java.time.Duration;

import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Readiness;

import io.millrace.store.Database;
import io.millrace.worker.Worker;
import io.smallrye.health.api.AsyncHealthCheck;
import io.smallrye.mutiny.Uni;

/**
 * Ready while PostgreSQL answers and the worker is not draining; while the API drains, a check of Quarkus says no. Redis is not
 * asked: without it jobs are still accepted, and a Redis that is away must not take every process out of service. Liveness has no
 * check of its own for the same reason.
 */
@Readiness
public class ProcessReadiness implements AsyncHealthCheck {
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    private final Database database;
    private final Worker worker;

    ProcessReadiness(Database database, Worker worker) {
        this.database = database;
        this.worker = worker;
    }

    @Override
    public Uni<HealthCheckResponse> call() {
        if (worker.isDraining()) {
            return Uni.createFrom().item(down("draining"));
        }
        return database.ping().ifNoItem().after(PATIENCE).fail()
                .map(answered -> HealthCheckResponse.up("millrace"))
                .onFailure().recoverWithItem(failure -> down("PostgreSQL does not answer"));
    }

    private static HealthCheckResponse down(String why) {
        return HealthCheckResponse.named("millrace").down().withData("reason", why).build();
    }
}
