package io.millrace.api.compat;

import java.time.ZoneId;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/** The paths of the systems that Millrace replaces. */
@ConfigMapping(prefix = "millrace.compat")
public interface CompatConfig {
    /** The zone of a {@code scheduled_time} that names none, an IANA id. */
    @WithDefault("Asia/Kolkata")
    ZoneId zone();
}
