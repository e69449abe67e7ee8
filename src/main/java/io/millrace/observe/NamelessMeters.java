package io.millrace.observe;

import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;

import io.micrometer.core.instrument.config.MeterFilter;

/**
 * Leaves out what Vert.x measures of clients whose pool has no type: {@code _queue_size} would be shown as {@code m__queue_size}, and
 * nobody could tell of what. Our own figures of the pools say more.
 */
final class NamelessMeters {
    private NamelessMeters() {}

    @Produces
    @Singleton
    static MeterFilter leaveOut() {
        return MeterFilter.deny(meter -> !Character.isLetter(meter.getName().charAt(0)));
    }
}
