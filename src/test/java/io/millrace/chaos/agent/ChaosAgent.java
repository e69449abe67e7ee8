package io.millrace.chaos.agent;

import static net.bytebuddy.matcher.ElementMatchers.named;
import static net.bytebuddy.matcher.ElementMatchers.namedOneOf;

import java.io.IOException;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.instrument.Instrumentation;
import java.util.Arrays;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import net.bytebuddy.agent.builder.AgentBuilder;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.asm.AsmVisitorWrapper;
import net.bytebuddy.description.method.MethodDescription;
import net.bytebuddy.description.type.TypeDescription;
import net.bytebuddy.dynamic.DynamicType;
import net.bytebuddy.implementation.Implementation;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.pool.TypePool;
import net.bytebuddy.utility.OpenedClassReader;

/**
 * Weaves {@link Point}s and {@link Mutation}s into the packaged application while it is loaded. The jar under test
 * is the jar that ships: it holds none of this.
 */
public final class ChaosAgent {
    private static final String SQL_FILE = "io.millrace.store.SqlFile";
    private static final String LUA_SCRIPT = "io.millrace.stream.LuaScript";
    private static final String STREAM_READER = "io.millrace.stream.StreamReader";
    private static final String SETTLER = "io.millrace.settle.Settler";

    private ChaosAgent() {}

    /** @param arguments {@code <port of the conductor>,<name of this process>[,<mutation>...]} */
    public static void premain(String arguments, Instrumentation instrumentation) throws IOException {
        String[] words = arguments.split(",");
        Set<Mutation> mutations = Arrays.stream(words).skip(2).map(Mutation::valueOf).collect(Collectors.toSet());
        Woven.start(new Wire(Integer.parseInt(words[0]), words[1]), mutations);

        AgentBuilder agent = new AgentBuilder.Default().disableClassFormatChanges()
                .with(new AgentBuilder.Listener.StreamWriting(System.err).withErrorsOnly());
        agent.type(namedOneOf(types())).transform(
                (builder, type, loader, module, domain) -> weave(builder, type.getName(), mutations))
                .installOn(instrumentation);
    }

    private static String[] types() {
        return Stream.concat(Arrays.stream(Point.values()).map(Point::type).filter(Objects::nonNull),
                Stream.of(SQL_FILE, LUA_SCRIPT, STREAM_READER)).distinct().toArray(String[]::new);
    }

    private static DynamicType.Builder<?> weave(DynamicType.Builder<?> builder, String type, Set<Mutation> mutations) {
        DynamicType.Builder<?> woven = builder;
        for (Point point : Point.values()) {
            if (type.equals(point.type())) {
                woven = woven.visit(Advice.withCustomMapping().bind(PointIndex.class, point.ordinal()).to(Entry.class)
                        .on(named(point.method())));
            }
        }
        return switch (type) {
            case SQL_FILE, LUA_SCRIPT -> woven
                    .visit(Advice.to(TextRead.class).on(named("read")));
            case SETTLER -> woven.visit(Advice.to(SettleEntry.class).on(named("settle")));
            case STREAM_READER -> mutations.contains(Mutation.GROUP_AT_END)
                    ? woven.visit(new AsmVisitorWrapper.ForDeclaredMethods().method(named("withGroups"), new ZeroBecomesEnd()))
                    : woven;
            default -> woven;
        };
    }

    @Retention(RetentionPolicy.RUNTIME)
    @interface PointIndex {
    }

    /** Inlined at the entry of each point's method. */
    static final class Entry {
        private Entry() {}

        @Advice.OnMethodEnter(skipOn = Advice.OnNonDefaultValue.class)
        static boolean enter(@PointIndex int point, @Advice.This(optional = true) Object self,
                @Advice.AllArguments Object[] arguments) {
            return Woven.enter(point, self, arguments);
        }
    }

    static final class SettleEntry {
        private SettleEntry() {}

        @Advice.OnMethodEnter
        static void enter(@Advice.This Object settler, @Advice.Argument(0) Object attempt) {
            Woven.beforeSettle(settler, attempt);
        }
    }

    static final class TextRead {
        private TextRead() {}

        @Advice.OnMethodExit
        static void exit(@Advice.Argument(0) String name, @Advice.Return(readOnly = false) String text) {
            text = Woven.text(name, text);
        }
    }

    /** For {@link Mutation#GROUP_AT_END}: the id that a new group starts behind. */
    private static final class ZeroBecomesEnd implements AsmVisitorWrapper.ForDeclaredMethods.MethodVisitorWrapper {
        @Override
        public MethodVisitor wrap(TypeDescription type, MethodDescription method, MethodVisitor visitor,
                Implementation.Context context, TypePool pool, int writerFlags, int readerFlags) {
            return new MethodVisitor(OpenedClassReader.ASM_API, visitor) {
                @Override
                public void visitLdcInsn(Object value) {
                    super.visitLdcInsn("0".equals(value) ? "$" : value);
                }
            };
        }
    }
}
