package io.millrace.api;

import java.util.Collection;
import java.util.Comparator;

/** Guesses which name was meant. */
final class NearestName {
    private NearestName() {}

    /** @return the known name that takes the fewest single-character changes to get to from {@code name} */
    static String of(String name, Collection<String> known) {
        return known.stream().min(Comparator.comparingInt((String candidate) -> distance(name, candidate))
                .thenComparing(Comparator.naturalOrder())).orElse("");
    }

    /** Levenshtein's distance, in any case; long names are compared by their beginnings. */
    private static int distance(String a, String b) {
        String from = a.substring(0, Math.min(a.length(), 64)).toLowerCase(java.util.Locale.ROOT);
        String to = b.toLowerCase(java.util.Locale.ROOT);
        int[] row = new int[to.length() + 1];
        for (int j = 0; j <= to.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= from.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= to.length(); j++) {
                int substituted = diagonal + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(substituted, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[to.length()];
    }
}
