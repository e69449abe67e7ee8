package io.millrace.handler;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Pattern;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.io.JsonStringEncoder;

import io.millrace.job.Failure;

/**
 * What of the payloads and results of a job type nobody is shown. Handlers get the real values; whoever else is shown a payload, a
 * result or a failure, gets them through here.
 */
public final class SensitivePaths {
    /** What is shown instead. */
    public static final String MASK = "***";
    static final int MOST_POINTERS = 100;

    private static final Pattern POINTER = Pattern.compile("(/([^~/]|~[01])*+)++");
    private static final String ANY = "*";
    private static final String QUOTED_MASK = '"' + MASK + '"';
    /** A shorter value is part of too many other words to be struck out of them. */
    private static final int SHORTEST_VALUE = 4;
    /** Looking for more in a long text would hold up an event loop. */
    private static final int MOST_VALUES = 100;
    private static final JsonFactory JSON = new JsonFactory();

    /** A step of the pointers. */
    private static final class Node {
        private final Map<String, Node> children = new HashMap<>();
        private boolean isSensitive;

        private static Node sensitive() {
            Node node = new Node();
            node.isSensitive = true;
            return node;
        }
    }

    private static final List<Node> EVERYTHING = List.of(Node.sensitive());
    public static final SensitivePaths NONE = new SensitivePaths(List.of());

    private final List<String> pointers;
    private final Node root = new Node();

    /** A value in a JSON text. @param pointer where it is; @param text of a scalar, else null */
    private record Value(int start, int end, String pointer, String text) {}

    private SensitivePaths(List<String> pointers) {
        this.pointers = List.copyOf(pointers);
        pointers.forEach(this::add);
    }

    /** @throws IllegalArgumentException if one is no JSON Pointer */
    public static SensitivePaths of(List<String> pointers) {
        return pointers.isEmpty() ? NONE : new SensitivePaths(pointers);
    }

    static boolean isPointer(String text) {
        return POINTER.matcher(text).matches();
    }

    private void add(String pointer) {
        if (!isPointer(pointer)) {
            throw new IllegalArgumentException("not a JSON Pointer: " + pointer);
        }
        Node node = root;
        for (String step : pointer.substring(1).split("/", -1)) {
            node = node.children.computeIfAbsent(step.replace("~1", "/").replace("~0", "~"), name -> new Node());
        }
        node.isSensitive = true;
    }

    public List<String> pointers() {
        return pointers;
    }

    /**
     * @param json well-formed, or null
     * @return the same text with the mask for each sensitive value, whatever it is
     */
    public String mask(String json) {
        return json == null || this == NONE ? json : splice(json, List.of(root), false, value -> QUOTED_MASK);
    }

    /** @return false if there is surely no mask in the text */
    public static boolean mayHoldMask(String json) {
        return json.contains(MASK);
    }

    /** @return the pointers of sensitive values that are the mask: they were copied from an answer */
    public List<String> findMasks(String json) {
        List<String> found = new ArrayList<>(0);
        if (this != NONE && mayHoldMask(json)) {
            splice(json, List.of(root), true, value -> {
                if (MASK.equals(value.text())) {
                    found.add(value.pointer());
                }
                return null;
            });
        }
        return found;
    }

    /**
     * Strikes the sensitive values of a payload out of a failure of its job. Values of less than four characters, and other forms of
     * a value than its own (cut, encoded, hashed), stay. Of a payload with more than 100 of them, nothing is said but that it failed.
     */
    public Failure strike(String payload, Failure failure) {
        if (this == NONE) {
            return failure;
        }
        Set<String> found = new HashSet<>();
        splice(payload, List.of(root), true, value -> {
            if (value.text().length() >= SHORTEST_VALUE) {
                found.add(value.text());
            }
            return null;
        });
        if (found.size() > MOST_VALUES) {
            return new Failure(failure.reason(), failure.error(), MASK, null, null);
        }
        List<String> values = new ArrayList<>(found);
        values.sort(Comparator.comparing(String::length).reversed()); // one may be part of another
        return new Failure(failure.reason(), failure.error(), strike(values, failure.message()),
                strike(values, failure.stack()), strikeJson(values, failure.detail()));
    }

    private static String strike(List<String> values, String text) {
        String struck = text;
        for (String value : values) {
            struck = struck == null ? null : struck.replace(value, MASK);
        }
        return struck;
    }

    private static String strikeJson(List<String> values, String json) {
        return json == null ? null : splice(json, EVERYTHING, true, value -> {
            String struck = strike(values, value.text());
            return struck.equals(value.text()) ? null : '"' + quoted(struck) + '"';
        });
    }

    private static String quoted(String text) {
        return new String(JsonStringEncoder.getInstance().quoteAsString(text));
    }

    /**
     * @param scalars true for the scalars in sensitive values, false for those values themselves
     * @param other what to write for a value; null for the value
     * @return the text with other values; the mask alone if it cannot be read: what is not understood is not shown
     */
    private static String splice(String json, List<Node> from, boolean scalars, Function<Value, String> other) {
        StringBuilder spliced = new StringBuilder(json.length());
        int[] copied = {0};
        try (JsonParser parser = JSON.createParser(json)) {
            parser.nextToken();
            new Walk(parser, scalars, value -> {
                String instead = other.apply(value);
                if (instead != null) {
                    spliced.append(json, copied[0], value.start()).append(instead);
                    copied[0] = value.end();
                }
            }).value(from, false, "");
            return spliced.append(json, copied[0], json.length()).toString();
        } catch (IOException notUnderstood) {
            return QUOTED_MASK;
        }
    }

    /** One pass over a text, with the steps of all pointers that lead to where it is. */
    private record Walk(JsonParser parser, boolean scalars, Consumer<Value> found) {

        /** The parser stands on the start of the value, and afterwards on its end. */
        void value(List<Node> at, boolean isInside, String pointer) throws IOException {
            boolean isSensitive = isInside || at.stream().anyMatch(node -> node.isSensitive);
            if (isSensitive && !scalars) {
                report(pointer, null);
            } else if (parser.currentToken().isScalarValue()) {
                if (isSensitive) {
                    report(pointer, parser.getText());
                }
            } else if (at.isEmpty() && !isSensitive) {
                parser.skipChildren();
            } else {
                children(at, isSensitive, pointer);
            }
        }

        private void children(List<Node> at, boolean isInside, String pointer) throws IOException {
            boolean isArray = parser.currentToken() == JsonToken.START_ARRAY;
            for (int i = 0; !parser.nextToken().isStructEnd(); i++) {
                String step = isArray ? Integer.toString(i) : parser.currentName();
                if (!isArray) {
                    parser.nextToken();
                }
                value(next(at, step), isInside, pointer + "/" + step.replace("~", "~0").replace("/", "~1"));
            }
        }

        private static List<Node> next(List<Node> at, String step) {
            List<Node> next = new ArrayList<>(at.size());
            for (Node node : at) {
                for (String name : List.of(step, ANY)) {
                    Node child = node.children.get(name);
                    if (child != null && !next.contains(child)) {
                        next.add(child);
                    }
                }
            }
            return next;
        }

        private void report(String pointer, String text) throws IOException {
            int start = (int) parser.currentTokenLocation().getCharOffset();
            if (parser.currentToken().isScalarValue()) {
                parser.finishToken();
            } else {
                parser.skipChildren();
            }
            found.accept(new Value(start, (int) parser.currentLocation().getCharOffset(), pointer, text));
        }
    }
}
