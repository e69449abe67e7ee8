package io.millrace.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import java.util.stream.IntStream;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import io.vertx.core.json.JsonObject;

@DisplayNameGeneration(ReplaceUnderscores.class)
class AuditEntryTest {
    private static final UUID ID = UUID.randomUUID();

    private static Actor named(String name) {
        return new Actor("a-tenant", Actor.Kind.API_KEY, name, ID, new Origin("192.0.2.1", "trace"));
    }

    @Test
    void the_row_has_a_column_for_everything_and_none_for_what_is_not_known() {
        Instant before = Instant.now().minusMillis(2);
        AuditEntry entry = named("key:importer").did(AuditAction.JOB_CANCEL, ID).with("count", 3L).with("all", true);
        assertThat(entry.at()).isBetween(before, Instant.now().plusMillis(2));
        assertThat(new JsonObject(entry.json()).getMap()).isEqualTo(new JsonObject()
                .put("id", entry.id().toString()).put("tenant", "a-tenant").put("at", entry.at().toString())
                .put("actor_kind", "api-key").put("actor", "key:importer").put("actor_id", ID.toString())
                .put("action", "job-cancel").put("target", ID.toString()).put("outcome", "done").put("address", "192.0.2.1")
                .put("request_id", "trace").put("details", Map.of("all", true, "count", 3)).getMap());

        JsonObject least = new JsonObject(Actor.anybody(null, Origin.NONE).wasRefused(AuditAction.LOGIN, null).json());
        assertThat(least.getString("outcome")).isEqualTo("refused");
        assertThat(least.getMap()).containsEntry("tenant", null).containsEntry("target", null).doesNotContainKey("details");
    }

    @Test
    void a_name_that_somebody_else_chose_is_cut_and_keeps_no_row_from_being_written() {
        String nasty = "a\u0000b\ud800c\n\u2028\ud83d\ude00" + "x".repeat(500);
        AuditEntry entry = named(nasty).did(AuditAction.JOB_RETRY, nasty).with("name", nasty);
        for (String text : new String[]{entry.actorName(), entry.target(), (String) entry.details().get("name")}) {
            assertThat(text).startsWith("a?b?c\n\u2028\ud83d\ude00xxx");
            assertThat(text.codePointCount(0, text.length())).isEqualTo(200);
        }
        assertThat(AuditEntry.bounded("x".repeat(199) + "\ud83d\ude00tail")).endsWith("x\ud83d\ude00");
    }

    @Test
    void there_is_no_room_for_many_details() {
        assertThatIllegalArgumentException().isThrownBy(() -> {
            AuditEntry entry = named("a").did(AuditAction.LOGIN, null);
            for (int i : IntStream.rangeClosed(1, 11).toArray()) {
                entry = entry.with("detail-" + i, i);
            }
        });
    }

    @ParameterizedTest
    @CsvSource(nullValues = "-", value = {
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01,r1,0af7651916cd43dd8448eb211c80319c",
            "00-short-b7ad6b7169203331-01,r1,r1", "-,r1:2._-,r1:2._-", "-,with blank,-", "-,'a\nb',-", "-,-,-"})
    void a_request_id_is_that_of_the_trace_or_else_one_that_can_be_searched_for(String traceparent, String requestId,
            String expected) {
        assertThat(Origin.requestId(traceparent, requestId)).isEqualTo(expected);
    }

    @Test
    void every_action_is_found_by_its_label() {
        for (AuditAction action : AuditAction.values()) {
            assertThat(AuditAction.labelled(action.label())).contains(action);
        }
        assertThat(AuditAction.labelled("LOGIN")).isEmpty();
    }
}
