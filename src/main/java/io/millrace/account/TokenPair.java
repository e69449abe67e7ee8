package io.millrace.account;

/**
 * What a login gives.
 *
 * @param accessToken to show with each request, for a quarter of an hour
 * @param refreshToken to get the next pair with, once
 */
public record TokenPair(String accessToken, String refreshToken) {
    /** A record would print what it holds. */
    @Override
    public String toString() {
        return "TokenPair";
    }
}
