package io.millrace.account;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

import io.millrace.egress.EgressClient;
import io.millrace.egress.EgressRefusedException;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.smallrye.config.WithParentName;

import jakarta.validation.constraints.AssertTrue;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;

/** Who may use the API, and how they prove it. */
@ConfigMapping(prefix = "millrace.auth")
public interface AuthConfig {
    /** {@code required} or {@code open}. Default: open with embedded servers, required with others. */
    @WithParentName
    @WithDefault("required")
    AuthMode mode();

    /** Lets {@code millrace.auth=open} listen on other addresses than loopback: for whoever keeps others away by other means. */
    @WithDefault("false")
    boolean openAnywhere();

    /** PEM file with the key that access tokens are signed with: EC, P-256, PKCS#8. */
    Optional<Path> privateKey();

    /** PEM files with the public keys of tokens that are accepted. One belongs to the private key; others are for a rotation. */
    Optional<List<Path>> publicKey();

    /** The claim {@code iss} of access tokens; those of any other issuer are refused. */
    @WithDefault("millrace")
    String issuer();

    /** The claim {@code aud} of access tokens; those for anybody else are refused. */
    @WithDefault("millrace")
    String audience();

    /** How long an access token is valid, and so the longest that a session lives on which was ended. 1 min to 1 h. */
    @WithDefault("15m")
    Duration accessLifetime();

    /** How long a refresh token is valid; each use brings a new one. 1 h to 90 d. */
    @WithDefault("7d")
    Duration refreshLifetime();

    /** By how much clocks may differ. 0 to 1 min. */
    @WithDefault("30s")
    Duration leeway();

    /** Sessions that an account may have; one more ends the oldest. 1 to 100. */
    @WithDefault("5")
    @Min(1)
    @Max(100)
    int sessions();

    /** Whether anybody may make an account with {@code POST /signup}; else an admin does. */
    @WithDefault("true")
    boolean signUp();

    /** Failed logins with one username, in one {@link #tryWindow}, before further ones are refused. 1 to 1,000. */
    @WithDefault("10")
    @Min(1)
    @Max(1_000)
    int triesPerUser();

    /** Failed logins, sign-ups and refreshes from one address, in one {@link #tryWindow}, before further ones are refused. 1 to 100,000. */
    @WithDefault("100")
    @Min(1)
    @Max(100_000)
    int triesPerAddress();

    /** How long a failed try is remembered. 1 s to 1 d. */
    @WithDefault("5m")
    Duration tryWindow();

    /** Passwords checked at a time; each takes 19 MB and about 75 ms. 1 to 64. */
    @WithDefault("2")
    @Min(1)
    @Max(64)
    int passwordThreads();

    /** An account of this name is made at the start if there is none: in the tenant {@code default}, in the group {@code admin}. */
    Optional<String> admin();

    /** File with the password of that account, read only to make it. */
    Optional<Path> adminPassword();

    /** Other issuers whose tokens are accepted, each under a name of your choice. */
    Map<String, Issuer> issuers();

    /** An identity provider. */
    interface Issuer {
        /** The claim {@code iss} of its tokens. */
        String issuer();

        /**
         * Where its keys are: a JWK Set, read every 5 min, and once a minute at most if a token names an unknown one. Calls go out as
         * {@code millrace.egress} says: a host inside your own network, or another port than 80 and 443, works if it is listed in
         * {@code millrace.egress.open-hosts}.
         */
        String jwksUrl();

        /** The claim {@code aud} that its tokens must have. */
        String audience();

        /** {@code ES256}, {@code RS256} or both. */
        @WithDefault("ES256,RS256")
        List<String> algorithms();

        /** The tenant of all its users; without it, the claim {@code tenant} of each token says which. */
        Optional<String> tenant();

        /** The claim with the groups. */
        @WithDefault("groups")
        String groupsClaim();
    }

    @AssertTrue(message = "millrace.auth.access-lifetime must be 1m to 1h, refresh-lifetime 1h to 90d, try-window 1s to 1d, "
            + "leeway at most 1m")
    default boolean isEveryTimeInBounds() {
        return isWithin(accessLifetime(), Duration.ofMinutes(1), Duration.ofHours(1))
                && isWithin(refreshLifetime(), Duration.ofHours(1), Duration.ofDays(90))
                && isWithin(tryWindow(), Duration.ofSeconds(1), Duration.ofDays(1))
                && isWithin(leeway(), Duration.ZERO, Duration.ofMinutes(1));
    }

    private static boolean isWithin(Duration time, Duration least, Duration most) {
        return time.compareTo(least) >= 0 && time.compareTo(most) <= 0;
    }

    @AssertTrue(message = "millrace.auth.issuers: every issuer needs a name (iss) of its own, an http(s) jwks-url, and algorithms "
            + "among ES256 and RS256")
    default boolean isEveryIssuerUsable() {
        Stream<String> names = Stream.concat(Stream.of(issuer()), issuers().values().stream().map(Issuer::issuer));
        return names.distinct().count() == issuers().size() + 1 && issuers().values().stream()
                .allMatch(other -> isHttp(other.jwksUrl()) && !other.algorithms().isEmpty()
                        && List.of("ES256", "RS256").containsAll(other.algorithms()));
    }

    private static boolean isHttp(String url) {
        try {
            return url.matches("https?://.+") && EgressClient.parse(url).getHost() != null;
        } catch (EgressRefusedException notAUrl) {
            return false;
        }
    }
}
