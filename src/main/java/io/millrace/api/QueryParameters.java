package io.millrace.api;

import java.util.List;
import java.util.stream.Stream;

import jakarta.ws.rs.core.UriInfo;

/** Query parameters of a request. */
final class QueryParameters {
    private static final int MOST_ERRORS = 20;

    private QueryParameters() {}

    /**
     * A filter with a typing error, or without a value, would list everything, and an option that is ignored would be trusted.
     *
     * @throws ProblemException if there is a parameter that is not known here, has no value, or is there twice; it names all of them
     */
    static void refuseUnknown(UriInfo uri, List<String> known) {
        Stream<Problem.FieldError> unclear = uri.getQueryParameters().entrySet().stream()
                .filter(given -> given.getValue().size() > 1 || given.getValue().get(0).isEmpty())
                .map(given -> new Problem.FieldError("?" + given.getKey(), "invalid-parameter", given.getValue().size() > 1
                        ? "is there " + given.getValue().size() + " times; send it once"
                        : "is empty; give it a value or leave it out"));
        Stream<Problem.FieldError> unknown = uri.getQueryParameters().keySet().stream().filter(name -> !known.contains(name))
                .map(name -> new Problem.FieldError("?" + name, "unknown-parameter", known.isEmpty()
                        ? "is no known parameter; there are none here"
                        : "is no known parameter; did you mean " + NearestName.of(name, known) + "?"));
        List<Problem.FieldError> errors = Stream.concat(unknown, unclear).limit(MOST_ERRORS).toList();
        if (!errors.isEmpty()) {
            throw ProblemException.invalid(errors);
        }
    }
}
