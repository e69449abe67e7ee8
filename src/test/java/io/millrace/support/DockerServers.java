package io.millrace.support;

import java.time.Duration;

import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.utility.DockerImageName;

/** Both servers as containers of the images {@code test.postgres.image} and {@code test.redis.image}. */
final class DockerServers {

    private static final int POSTGRES_PORT = 5432;
    private static final int REDIS_PORT = 6379;
    private static final Duration START_LIMIT = Duration.ofMinutes(2);

    private DockerServers() {}

    /** Nobody stops them: Testcontainers removes them when this JVM is gone. */
    @SuppressWarnings("resource")
    static TestServers start() {
        GenericContainer<?> postgres = container("test.postgres.image", "postgres:17", POSTGRES_PORT)
                .withEnv("POSTGRES_USER", "millrace")
                .withEnv("POSTGRES_PASSWORD", "millrace")
                // the first time is a server that only sets up the database, and it stops again
                .waitingFor(Wait.forLogMessage(".*ready to accept connections.*", 2).withStartupTimeout(START_LIMIT));
        GenericContainer<?> redis = container("test.redis.image", "redis:7.2", REDIS_PORT);
        postgres.start();
        redis.start();
        return new TestServers("postgresql://millrace:millrace@" + address(postgres, POSTGRES_PORT) + "/millrace",
                "redis://" + address(redis, REDIS_PORT));
    }

    private static GenericContainer<?> container(String property, String image, int port) {
        return new GenericContainer<>(DockerImageName.parse(System.getProperty(property, image))).withExposedPorts(port);
    }

    private static String address(GenericContainer<?> container, int port) {
        return container.getHost() + ":" + container.getMappedPort(port);
    }
}
