package io.millrace.support;

import java.lang.reflect.Method;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

import org.hibernate.validator.messageinterpolation.ParameterMessageInterpolator;

import io.smallrye.config.SmallRyeConfigBuilder;

import jakarta.validation.ConstraintViolation;
import jakarta.validation.Validation;
import jakarta.validation.ValidatorFactory;

/** Reads a configuration interface from a map, with the converters and defaults of the real thing but without an application. */
public final class TestConfig {

    private TestConfig() {}

    /** @param values full keys */
    public static <C> C of(Class<C> mapping, Map<String, String> values) {
        SmallRyeConfigBuilder builder = new SmallRyeConfigBuilder().addDiscoveredConverters().withMapping(mapping);
        values.forEach(builder::withDefaultValue);
        return builder.build().getConfigMapping(mapping);
    }

    /** @return what the bounds and rules of the interface say against the values */
    public static <C> List<String> faults(Class<C> mapping, Map<String, String> values) {
        C config = of(mapping, values);
        try (ValidatorFactory factory = Validation.byDefaultProvider().configure()
                .messageInterpolator(new ParameterMessageInterpolator()).buildValidatorFactory()) {
            Set<ConstraintViolation<C>> violations = new HashSet<>(factory.getValidator().validate(config));
            for (Method setting : mapping.getMethods()) {
                if (!setting.isDefault()) { // those are the rules, which are looked at already
                    violations.addAll(factory.getValidator().forExecutables().validateReturnValue(config, setting,
                            setting.invoke(config)));
                }
            }
            return violations.stream().map(ConstraintViolation::getMessage).toList();
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }
}
