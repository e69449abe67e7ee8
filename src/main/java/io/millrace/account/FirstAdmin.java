package io.millrace.account;

import java.io.IOException;
import java.nio.file.Files;

import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;

import org.eclipse.microprofile.config.inject.ConfigProperty;

import io.quarkus.runtime.StartupEvent;
import io.quarkus.vertx.VertxContextSupport;

/** Makes the account that {@code millrace.auth.admin} names, if there is none. */
@Singleton
class FirstAdmin {
    private final AuthConfig config;
    private final Accounts accounts;
    private final boolean isServing;

    FirstAdmin(AuthConfig config, Accounts accounts, @ConfigProperty(name = "quarkus.hibernate-orm.active") boolean isServing) {
        this.config = config;
        this.accounts = accounts;
        this.isServing = isServing;
    }

    void make(@Observes StartupEvent event) throws Throwable {
        if (isServing && config.admin().isPresent() && config.adminPassword().isPresent()) {
            String password = password();
            VertxContextSupport.subscribeAndAwait(() -> accounts.makeFirstAdmin(config.admin().get(), password));
        }
    }

    private String password() throws IOException {
        return Files.readString(config.adminPassword().get()).strip();
    }
}
