package io.millrace.handler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Singleton;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;

import io.quarkus.runtime.annotations.RegisterForReflection;

/** What every job type keeps, found by itself: a new one needs no line here. */
@DisplayNameGeneration(ReplaceUnderscores.class)
class JobHandlerContractTest {

    /** As the application reads payloads. */
    static final ObjectMapper JSON = new ObjectMapper().findAndRegisterModules()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);

    static final List<Class<?>> HANDLERS = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests()).importPackages("io.millrace").stream()
            .filter(type -> type.isAssignableTo(JobHandler.class) && !type.isInterface())
            .<Class<?>>map(JavaClass::reflect).toList();

    static List<Class<?>> handlers() {
        return HANDLERS;
    }

    /** A handler keeps its type in a static field, so that it can be looked at without what the handler needs to run. */
    static JobType<?> typeOf(Class<?> handler) throws IllegalAccessException {
        List<Field> fields = Arrays.stream(handler.getDeclaredFields())
                .filter(field -> field.getType() == JobType.class && Modifier.isStatic(field.getModifiers())).toList();
        assertThat(fields).as("static JobType fields of %s", handler.getSimpleName()).hasSize(1);
        fields.get(0).setAccessible(true);
        return (JobType<?>) fields.get(0).get(null);
    }

    static Stream<JobType<?>> types() throws IllegalAccessException {
        Stream.Builder<JobType<?>> types = Stream.builder();
        for (Class<?> handler : handlers()) {
            types.add(typeOf(handler));
        }
        return types.build();
    }

    @Test
    void the_types_that_ship_are_found_and_no_two_share_a_name() throws Exception {
        assertThat(types().map(JobType::name)).contains("echo", "clock", "fail", "flaky", "sleep", "image", "email")
                .doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @MethodSource("handlers")
    void a_handler_is_a_bean_that_exists_once(Class<?> handler) {
        assertThat(handler.isAnnotationPresent(Singleton.class) || handler.isAnnotationPresent(ApplicationScoped.class))
                .isTrue();
    }

    @ParameterizedTest
    @MethodSource("handlers")
    void its_name_says_what_it_handles(Class<?> handler) throws Exception {
        assertThat(handler.getSimpleName().replace("Handler", ""))
                .isEqualToIgnoringCase(typeOf(handler).name().replace("-", ""));
    }

    @ParameterizedTest
    @MethodSource("types")
    void a_type_can_be_named_and_described(JobType<?> type) {
        assertThat(type.name()).matches(JobType.NAME);
        assertThat(type.queue()).matches(JobType.NAME);
        assertThat(type.description()).isNotBlank().endsWith(".").doesNotContain("\n");
        assertThat(type.timeout()).isPositive();
    }

    @ParameterizedTest
    @MethodSource("types")
    void its_example_is_a_payload_it_can_read_to_the_last_field(JobType<?> type) throws Exception {
        assertThatCode(() -> JSON.reader().with(JsonParser.Feature.STRICT_DUPLICATE_DETECTION).readTree(type.example()))
                .doesNotThrowAnyException();
        if (type.payload() != RawJson.class) {
            assertThat((Object) JSON.readValue(type.example(), type.payload())).isNotNull();
            assertThatCode(() -> JSON.readerFor(type.payload()).with(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                    .readValue(type.example())).doesNotThrowAnyException();
        }
    }

    /** In a native image only what is registered can be read. */
    @ParameterizedTest
    @MethodSource("types")
    void its_payload_is_registered_for_reflection(JobType<?> type) {
        assertThat(type.payload()).hasAnnotation(RegisterForReflection.class);
    }
}
