package io.millrace.settle;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.UUID;

import jakarta.inject.Singleton;

/**
 * What this process is called in leases and in the consumer groups: host and boot id. New at every start, so that nobody takes
 * it for the process that was here before.
 */
@Singleton
public class WorkerName {
    private final String value = host() + "-" + UUID.randomUUID().toString().substring(0, 8);

    public String value() {
        return value;
    }

    private static String host() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "unknown-host";
        }
    }
}
