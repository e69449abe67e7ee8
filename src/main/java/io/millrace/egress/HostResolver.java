package io.millrace.egress;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;

/** Looks up every address of a host; may block. */
@FunctionalInterface
public interface HostResolver {

    /** @param host a name, or an address literal without brackets */
    List<InetAddress> resolve(String host) throws UnknownHostException;

    /** The resolver of the operating system, through the cache of the JVM. */
    static HostResolver system() {
        return host -> List.of(InetAddress.getAllByName(host));
    }
}
