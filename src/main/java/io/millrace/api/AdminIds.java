package io.millrace.api;

import java.util.UUID;

import jakarta.ws.rs.core.Response;

/** Ids of rows that an admin looks after. */
final class AdminIds {
    private AdminIds() {}

    /** What is no id at all names nothing either. */
    static UUID parse(String text, String what) {
        try {
            return UUID.fromString(text);
        } catch (IllegalArgumentException notAnId) {
            throw unknown(text, what);
        }
    }

    static Response deleted(boolean wasThere, String id, String what) {
        if (!wasThere) {
            throw unknown(id, what);
        }
        return Response.noContent().build();
    }

    private static ProblemException unknown(String id, String what) {
        return ProblemException.notFound("there is no " + what + " " + id);
    }
}
