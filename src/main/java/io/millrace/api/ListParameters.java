package io.millrace.api;

import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Base64;
import java.util.List;
import java.util.UUID;
import java.util.regex.Pattern;

import io.millrace.job.JobIds;

/** Query parameters that all lists have: how many, from where on, and what to look for. Newest first, by ids that are ordered by time. */
final class ListParameters {
    private static final UUID HIGHEST = new UUID(-1, -1);
    private static final UUID LOWEST = new UUID(0, 0);
    private static final int DEFAULT_LIMIT = 50;
    private static final int MOST = 200;
    private static final char NUL = 0;
    private static final Pattern LIMIT = Pattern.compile("\\d{1,3}");

    private ListParameters() {}

    /** Read here: of a number that is none, the framework would say that there is nothing at this path. */
    static int limit(String text) {
        if (text == null) {
            return DEFAULT_LIMIT;
        }
        int limit = LIMIT.matcher(text).matches() ? Integer.parseInt(text) : 0;
        if (limit < 1 || limit > MOST) {
            throw invalid("limit", "must be 1 to " + MOST);
        }
        return limit;
    }

    /** PostgreSQL refuses to look for such a name, with an error that speaks of a job to be stored. */
    static String name(String parameter, String text) {
        if (text != null && text.indexOf(NUL) >= 0) {
            throw invalid(parameter, "must not hold the character NUL");
        }
        return text;
    }

    /** @return the lowest id that is not older; the lowest of all if there is no such parameter */
    static UUID notBefore(String parameter, String text) {
        return text == null ? LOWEST : JobIds.lowestAt(time(parameter, text));
    }

    /** @return the lowest id that is not older; the highest of all if there is no such parameter */
    static UUID before(String parameter, String text) {
        return text == null ? HIGHEST : JobIds.lowestAt(time(parameter, text));
    }

    private static Instant time(String parameter, String text) {
        try {
            return OffsetDateTime.parse(text.replace(' ', '+')).toInstant(); // a + that was not encoded arrives as a blank
        } catch (DateTimeException e) {
            throw invalid(parameter, "must be an RFC 3339 time with a zone, for example 2030-01-31T08:00:00Z");
        }
    }

    /**
     * Where the next page starts. It names no tenant and opens none: a list is always that of the caller.
     *
     * @param last of this page
     */
    static String cursor(UUID last) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(last.toString().getBytes(StandardCharsets.US_ASCII));
    }

    /** @return the id that a page starts behind; the highest of all for the first page */
    static UUID behind(String cursor) {
        if (cursor == null) {
            return HIGHEST;
        }
        try {
            return UUID.fromString(new String(Base64.getUrlDecoder().decode(cursor), StandardCharsets.US_ASCII));
        } catch (IllegalArgumentException e) {
            throw invalid("cursor", "must be the nextCursor of an earlier answer");
        }
    }

    /** As PostgreSQL compares them; {@link UUID#compareTo} takes the halves for signed numbers. */
    static UUID lesser(UUID a, UUID b) {
        int order = Long.compareUnsigned(a.getMostSignificantBits(), b.getMostSignificantBits());
        if (order == 0) {
            order = Long.compareUnsigned(a.getLeastSignificantBits(), b.getLeastSignificantBits());
        }
        return order < 0 ? a : b;
    }

    static ProblemException invalid(String parameter, String message) {
        return ProblemException.invalid(List.of(new Problem.FieldError("?" + parameter, "invalid-parameter", message)));
    }
}
