package io.millrace.rate;

import java.time.Duration;

/**
 * Whether something is within its limit.
 *
 * @param left what the tenant may do after it, as far as this process knows
 * @param pause how long until it would be allowed; zero if it is
 */
public record Verdict(Limit limit, boolean isAllowed, long left, Duration pause) {}
