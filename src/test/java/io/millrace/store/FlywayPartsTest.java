package io.millrace.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;

import org.flywaydb.core.extensibility.Plugin;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

import io.quarkus.runtime.annotations.RegisterForReflection;

/** A native image is not built with every build; what it needs to migrate is held against Flyway here. */
@DisplayNameGeneration(ReplaceUnderscores.class)
class FlywayPartsTest {
    private static final List<String> LISTED = List
            .of(FlywayParts.class.getAnnotation(RegisterForReflection.class).classNames());

    @Test
    void every_plug_in_of_Flyway_is_listed() {
        List<String> plugins = ServiceLoader.load(Plugin.class).stream().map(plugin -> plugin.type().getName())
                .collect(Collectors.toList());
        assertThat(plugins).isNotEmpty();
        assertThat(LISTED).containsAll(plugins);
    }

    @Test
    void everything_that_is_listed_is_there() {
        assertThat(LISTED).doesNotHaveDuplicates().allSatisfy(name -> assertThat(Class.forName(name)).isNotNull());
    }
}
