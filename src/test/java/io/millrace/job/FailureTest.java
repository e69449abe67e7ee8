package io.millrace.job;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(ReplaceUnderscores.class)
class FailureTest {

    static Failure failure(String message, String stack) {
        return new Failure(null, "Error", message, stack, null);
    }

    @Test
    void what_fits_is_kept_as_it_is() {
        String longest = "m".repeat(Failure.MAX_MESSAGE);
        assertThat(failure(longest, null).message()).isEqualTo(longest);
        assertThat(failure(null, null)).extracting(Failure::message, Failure::stack).containsOnlyNulls();
    }

    @Test
    void a_longer_text_is_cut_to_its_bound_and_shows_that_it_was() {
        Failure failure = failure("m".repeat(Failure.MAX_MESSAGE + 1), "s".repeat(1_000_000));

        assertThat(failure.message()).hasSize(Failure.MAX_MESSAGE).endsWith("m...");
        assertThat(failure.stack()).hasSize(Failure.MAX_STACK).endsWith("s...");
    }

    @Test
    void a_cut_leaves_no_half_of_a_character() {
        String text = "m".repeat(Failure.MAX_MESSAGE - 4) + "\ud83d\ude00" + "m".repeat(10);
        assertThat(failure(text, null).message()).hasSize(Failure.MAX_MESSAGE - 1).endsWith("m...");
    }

    @Test
    void a_reason_changes_nothing_else() {
        Failure failure = failure("m".repeat(5_000), "s".repeat(10_000));
        assertThat(failure.withReason(FailureReason.REJECTED)).usingRecursiveComparison().ignoringFields("reason")
                .isEqualTo(failure);
    }
}
