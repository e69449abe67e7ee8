package io.millrace.api;

import java.util.List;

import jakarta.ws.rs.core.UriInfo;

/** Query parameters of a request. */
final class QueryParameters {
    private QueryParameters() {}

    /**
     * A filter with a typing error would list everything, and an option that is ignored would be trusted.
     *
     * @throws ProblemException if there is a parameter that is not known here; it names all of them
     */
    static void refuseUnknown(UriInfo uri, List<String> known) {
        List<Problem.FieldError> errors = uri.getQueryParameters().keySet().stream().filter(name -> !known.contains(name))
                .map(name -> new Problem.FieldError("?" + name, "unknown-parameter", known.isEmpty()
                        ? "is no known parameter; there are none here"
                        : "is no known parameter; did you mean " + NearestName.of(name, known) + "?"))
                .toList();
        if (!errors.isEmpty()) {
            throw ProblemException.invalid(errors);
        }
    }
}
