package io.millrace.component;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

import com.fasterxml.jackson.databind.JsonNode;

import io.millrace.support.Api;

/** The routes that the application says it has, so that a new one cannot be left out of a sweep over all of them. */
final class ApiDocument {
    private static final Set<String> METHODS = Set.of("get", "post", "put", "delete", "patch", "head", "options");

    private ApiDocument() {}

    /** @param path with its parameters in braces */
    record Route(String method, String path, List<String> queryParameters, List<String> headers) {
        String name() {
            return method + " " + path;
        }

        boolean hasBody() {
            return method.equals("POST") || method.equals("PUT") || method.equals("PATCH");
        }

        /** On the paths of the older systems, errors look as they did there. */
        boolean isOlder() {
            return !path.startsWith("/v1/");
        }
    }

    /** @return by their names, {@code POST /v1/jobs} */
    static Map<String, Route> routes() {
        Api management = new Api("http://localhost:" + RunningApp.setting("quarkus.management.test-port"));
        JsonNode paths = management.get("/q/openapi?format=json").json().path("paths");
        Map<String, Route> routes = new TreeMap<>();
        paths.fields().forEachRemaining(path -> path.getValue().fields().forEachRemaining(operation -> {
            if (METHODS.contains(operation.getKey())) {
                Route route = new Route(operation.getKey().toUpperCase(Locale.ROOT), path.getKey(),
                        parameters(path.getValue(), operation.getValue(), "query"),
                        parameters(path.getValue(), operation.getValue(), "header"));
                routes.put(route.name(), route);
            }
        }));
        return routes;
    }

    private static List<String> parameters(JsonNode path, JsonNode operation, String in) {
        return List.of(path, operation).stream()
                .flatMap(owner -> StreamSupport.stream(owner.path("parameters").spliterator(), false))
                .filter(parameter -> parameter.path("in").asText().equals(in))
                .map(parameter -> parameter.path("name").asText()).distinct().collect(Collectors.toList());
    }
}
