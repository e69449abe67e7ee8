package io.millrace.handler;

import java.util.List;
import java.util.Map;
import java.util.Optional;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithParentName;

import jakarta.validation.constraints.AssertTrue;

/** What is said of single job types. */
@ConfigMapping(prefix = "millrace.types")
public interface TypesConfig {
    /** By the name of the type. */
    @WithParentName
    Map<String, OfType> types();

    /** One type. */
    interface OfType {
        /** JSON Pointers, with commas between them, into payload and result, with {@code *} for any member or element: shown as {@code ***}. */
        Optional<List<String>> sensitive();
    }

    @AssertTrue(message = "millrace.types.<type>.sensitive must be JSON Pointers such as /card/number,/headers/*, with commas "
            + "between them, 100 at most")
    default boolean isEveryPathUsable() {
        return types().values().stream().map(type -> type.sensitive().orElse(List.of()))
                .allMatch(paths -> paths.size() <= SensitivePaths.MOST_POINTERS
                        && paths.stream().allMatch(SensitivePaths::isPointer));
    }
}
