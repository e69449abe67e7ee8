package io.millrace.observe;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(ReplaceUnderscores.class)
class ByLabelTest {
    private final List<String> created = new ArrayList<>();
    private final ByLabel<String, StringBuilder> meters = new ByLabel<>(2, "other", label -> {
        created.add(label);
        return new StringBuilder(label);
    });

    @Test
    void each_label_has_one_meter() {
        assertThat(meters.get("a")).isSameAs(meters.get("a")).isNotSameAs(meters.get("b"));
        assertThat(created).containsExactly("a", "b");
    }

    @Test
    void beyond_the_bound_all_further_labels_share_one_and_the_known_keep_theirs() {
        StringBuilder a = meters.get("a");
        meters.get("b");
        assertThat(meters.get("c")).isSameAs(meters.get("d"));
        assertThat(meters.get("a")).isSameAs(a);
        assertThat(created).containsExactly("a", "b", "other");
    }
}
