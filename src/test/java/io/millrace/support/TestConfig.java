package io.millrace.support;

import java.util.Map;

import io.smallrye.config.SmallRyeConfigBuilder;

/** Reads a configuration interface from a map, with the converters and defaults of the real thing but without an application. */
public final class TestConfig {

    private TestConfig() {}

    /** @param values full keys */
    public static <C> C of(Class<C> mapping, Map<String, String> values) {
        SmallRyeConfigBuilder builder = new SmallRyeConfigBuilder().addDiscoveredConverters().withMapping(mapping);
        values.forEach(builder::withDefaultValue);
        return builder.build().getConfigMapping(mapping);
    }
}
