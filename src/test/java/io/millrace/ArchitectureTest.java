package io.millrace;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaModifier.ABSTRACT;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static java.util.function.Predicate.not;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;

import io.smallrye.config.ConfigMapping;

/** The floor plan: which part of Millrace may know which. */
@DisplayNameGeneration(ReplaceUnderscores.class)
class ArchitectureTest {

    static final String ROOT = "io.millrace";

    /** A package, and the packages it may use. It is the flow of data: the further down, the more it knows. */
    static final Map<String, Set<String>> MAY_USE = Map.ofEntries(
            Map.entry("job", Set.of()),
            Map.entry("batch", Set.of()),
            Map.entry("pool", Set.of()),
            Map.entry("egress", Set.of()),
            Map.entry("local", Set.of()),
            Map.entry("audit", Set.of("job")),
            Map.entry("tracing", Set.of("job")),
            Map.entry("account", Set.of("audit", "egress")), // the keys of other issuers are fetched where everything is that goes out
            Map.entry("store", Set.of("job", "audit", "pool")),
            Map.entry("stream", Set.of("job", "pool")),
            Map.entry("rate", Set.of("stream")),
            Map.entry("effect", Set.of("job", "store", "stream")),
            Map.entry("handler", Set.of("job", "egress", "stream", "effect")),
            Map.entry("intake", Set.of("job", "audit", "batch", "store", "stream")),
            Map.entry("settle", Set.of("job", "batch", "store", "stream")),
            Map.entry("worker", Set.of("job", "batch", "store", "stream", "handler", "settle")),
            Map.entry("maintenance", Set.of("job", "audit", "batch", "store", "worker", "stream", "settle")),
            Map.entry("api", Set.of("account", "audit", "job", "batch", "store", "handler", "intake", "rate", "tracing")),
            Map.entry("observe",
                    Set.of("job", "audit", "batch", "pool", "store", "stream", "effect", "intake", "settle", "worker",
                            "maintenance", "api", "rate", "tracing")),
            Map.entry("app", Set.of("job", "batch", "store", "stream", "handler", "intake", "settle", "worker", "maintenance",
                    "account", "api", "observe", "local", "rate")));

    static final Set<String> BOTH_STORES = Set.of("intake", "effect", "settle", "worker", "maintenance", "observe", "app");

    static final JavaClasses MAIN = new ClassFileImporter().withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages(ROOT);

    static final JavaClasses ALL = new ClassFileImporter().importPackages(ROOT);

    /** @return the first name below the root, or null for a class of somebody else */
    static String part(JavaClass type) {
        String name = type.getPackageName();
        return name.startsWith(ROOT + ".") ? name.substring(ROOT.length() + 1).split("\\.")[0] : null;
    }

    @Test
    void a_package_uses_only_those_it_may() {
        Map<String, Set<String>> broken = new TreeMap<>();
        for (JavaClass type : MAIN) {
            Set<String> allowed = MAY_USE.get(part(type));
            assertThat(allowed).as("%s belongs to a package that MAY_USE does not know", type.getName()).isNotNull();
            type.getDirectDependenciesFromSelf().stream().map(Dependency::getTargetClass).map(JavaClass::getBaseComponentType)
                    .filter(target -> part(target) != null && !part(target).equals(part(type))
                            && !allowed.contains(part(target)))
                    .forEach(target -> broken.computeIfAbsent(type.getName(), name -> new TreeSet<>()).add(target.getName()));
        }
        assertThat(broken).as("classes and what they may not use").isEmpty();
    }

    @Test
    void the_two_stores_never_see_each_other_and_few_see_both() {
        assertThat(MAY_USE.get("store")).doesNotContain("stream");
        assertThat(MAY_USE.get("stream")).doesNotContain("store");
        assertThat(MAY_USE).allSatisfy((part, allowed) -> assertThat(allowed.containsAll(Set.of("store", "stream"))).as(part)
                .isEqualTo(BOTH_STORES.contains(part)));
    }

    /** What is not traced must not even ask: the engine carries where a job belongs, and knows nothing of the rest. */
    @Test
    void only_requests_and_the_ends_of_attempts_know_of_tracing() {
        noClasses().that().resideOutsideOfPackage(ROOT + ".tracing").and()
                .haveNameNotMatching(".*\\.(api\\.RequestTraces|observe\\.AttemptSpans).*").should()
                .dependOnClassesThat().resideInAnyPackage("io.opentelemetry..").check(MAIN);
    }

    @Test
    void nobody_uses_app() {
        assertThat(MAY_USE.values()).allSatisfy(allowed -> assertThat(allowed).doesNotContain("app"));
    }

    @Test
    void the_domain_needs_the_JDK_alone() {
        classes().that().resideInAPackage(ROOT + ".job").should().onlyDependOnClassesThat()
                .resideInAnyPackage(ROOT + ".job", "java..").check(MAIN);
    }

    @Test
    void job_types_do_not_see_each_other() {
        slices().matching(ROOT + ".handler.(*)..").should().notDependOnEachOther().check(MAIN);
    }

    @Test
    void a_package_is_named_for_a_duty() {
        assertThat(MAIN.stream().map(JavaClass::getPackageName).flatMap(name -> List.of(name.split("\\.")).stream()))
                .doesNotContain("util", "utils", "common", "helper", "misc", "model", "dto", "service", "impl");
    }

    /** An interface earns its place by a second implementation: by a class, a lambda, a proxy or another build. */
    @Test
    void no_interface_has_exactly_one_implementation() {
        List<String> needless = MAIN.stream().filter(JavaClass::isInterface).filter(not(JavaClass::isAnnotation))
                .filter(type -> !type.isAnnotatedWith(ConfigMapping.class))
                .filter(type -> !"local".equals(part(type))) // found at run time, absent from the production image
                .filter(type -> type.getAllSubclasses().stream().filter(not(JavaClass::isInterface)).count() == 1)
                .map(JavaClass::getName).collect(Collectors.toList());
        assertThat(needless).isEmpty();
    }

    /** Main code waits on events, tests on conditions: both poll with a limit where they must. */
    @Test
    void nothing_sleeps() {
        noClasses().should().callMethod(Thread.class, "sleep", long.class)
                .orShould().callMethod(Thread.class, "sleep", long.class, int.class)
                .orShould().callMethod(TimeUnit.class, "sleep", long.class).check(ALL);
    }

    @Test
    void only_the_command_line_prints_and_exits() {
        noClasses().that().resideOutsideOfPackages(ROOT + ".app", ROOT + ".local").should().accessField(System.class, "out")
                .orShould().accessField(System.class, "err")
                .orShould().callMethod(System.class, "exit", int.class).check(MAIN);
    }

    /** A call to an address that somebody names goes where addresses are checked. The demo calls its own application. */
    @Test
    void only_egress_calls_out() {
        noClasses().that().resideOutsideOfPackage(ROOT + ".egress").and().doNotHaveFullyQualifiedName(ROOT + ".app.Demo")
                .should().dependOnClassesThat().resideInAnyPackage("java.net.http..", "io.vertx.ext.web.client..",
                        "io.quarkus.rest.client..", "org.eclipse.microprofile.rest.client..", "jakarta.ws.rs.client..",
                        "org.apache.http..", "okhttp3..")
                .orShould().dependOnClassesThat().areAssignableTo(URLConnection.class)
                .orShould()
                .callMethodWhere(
                        target(nameMatching("createHttpClient|createWebSocketClient|createNetClient|httpClientBuilder")))
                .check(MAIN);
        // A URL looks its host up to compare itself, and opens whatever its scheme says.
        noClasses().should().callConstructorWhere(target(owner(assignableTo(URL.class))))
                .orShould()
                .callMethodWhere(target(owner(assignableTo(URL.class))).and(target(nameMatching("open.*|getContent"))))
                .orShould().callMethod(URI.class, "toURL").check(MAIN);
    }

    /** What a statement or script is made of is read from a file; values are bound. Only tests write SQL beside Java. */
    @Test
    void statements_and_scripts_are_run_in_few_places() {
        noClasses().that().resideOutsideOfPackage(ROOT + ".store").should()
                .callMethodWhere(target(owner(nameMatching("io\\.vertx\\.(mutiny\\.)?(sqlclient|pgclient)\\..*")))
                        .and(target(nameMatching("query|preparedQuery|prepare.*"))))
                .check(MAIN);
        noClasses().that().haveNameNotMatching(".*\\.(store\\.(Migrations|AdminPool)|app\\.Preflight|local\\..*)").should()
                .dependOnClassesThat().resideInAnyPackage("java.sql..", "javax.sql..").check(MAIN);
        noClasses().should().callMethodWhere(target(nameMatching(
                "createNativeQuery|createNativeMutationQuery|createQuery|createMutationQuery|createSelectionQuery")))
                .check(MAIN);
        noClasses().that().haveNameNotMatching(".*\\.stream\\.(LuaScript|SharedRedis).*").should()
                .accessField("io.vertx.mutiny.redis.client.Command", "EVAL")
                .orShould().accessField("io.vertx.redis.client.Command", "EVAL")
                .orShould().accessField("io.vertx.redis.client.Command", "EVALSHA")
                .orShould().accessField("io.vertx.redis.client.Command", "SCRIPT").check(MAIN);
    }

    /**
     * Rules that name paths can be got around in this version of Quarkus (CVE-2026-39852, CVE-2026-50559); ours stand at the methods.
     */
    @Test
    void no_right_hangs_on_a_path() throws IOException {
        assertThat(Files.readString(Path.of("src/main/resources/application.properties")))
                .doesNotContain("quarkus.http.auth.permission", "quarkus.http.auth.policy",
                        "quarkus.management.auth.permission");
    }

    /** Whoever sets a value reads its unit, its bounds and what it is for beside its name. */
    @Test
    void every_setting_is_documented() throws IOException {
        List<String> undocumented = new ArrayList<>();
        for (JavaClass mapping : MAIN.stream().filter(type -> type.isAnnotatedWith(ConfigMapping.class)).toList()) {
            List<String> lines = Files.readAllLines(Path.of("src/main/java", mapping.getName().replace('.', '/') + ".java"));
            mapping.getMethods().stream().filter(method -> method.getModifiers().contains(ABSTRACT)).forEach(method -> {
                if (!hasJavadoc(lines, " " + method.getName() + "();")) {
                    undocumented.add(mapping.getSimpleName() + "." + method.getName());
                }
            });
            if (!hasJavadoc(lines, " interface " + mapping.getSimpleName() + " ")) {
                undocumented.add(mapping.getSimpleName());
            }
        }
        assertThat(undocumented).isEmpty();
    }

    /** @return true if a comment ends right above the declaration and its annotations */
    private static boolean hasJavadoc(List<String> lines, String declaration) {
        int line = 0;
        while (!lines.get(line).contains(declaration)) {
            line++;
        }
        do {
            line--;
        } while (lines.get(line).strip().startsWith("@"));
        return lines.get(line).strip().endsWith("*/");
    }
}
