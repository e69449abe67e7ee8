package io.millrace.egress;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;

/**
 * Tells public addresses from those that lead into our own network: the IANA special-purpose registries (RFC 6890 and what
 * came later) and the addresses that clouds use for themselves. The predicates of {@link InetAddress}
 * ({@code isSiteLocalAddress} and so on) know about half of them.
 */
public final class AddressGuard {

    /** @param bits how many leading bits of {@code prefix} count */
    private record Block(byte[] prefix, int bits) {

        static Block of(String cidr) {
            String[] parts = cidr.split("/");
            try {
                // A literal: nothing is looked up.
                return new Block(InetAddress.getByName(parts[0]).getAddress(), Integer.parseInt(parts[1]));
            } catch (UnknownHostException e) {
                throw new IllegalArgumentException(cidr, e);
            }
        }

        boolean contains(byte[] address) {
            if (address.length != prefix.length) {
                return false;
            }
            int whole = bits / 8;
            int rest = bits % 8;
            return Arrays.equals(address, 0, whole, prefix, 0, whole)
                    && (rest == 0 || (address[whole] ^ prefix[whole]) >> 8 - rest == 0);
        }
    }

    private static final List<Block> PRIVATE_V4 = blocks("0.0.0.0/8", // this network
            "10.0.0.0/8", // private use
            "100.64.0.0/10", // shared by carriers; some clouds answer metadata here
            "127.0.0.0/8", // loopback
            "168.63.129.16/32", // Azure's own services
            "169.254.0.0/16", // link local; most clouds answer metadata here
            "172.16.0.0/12", // private use
            "192.0.0.0/24", // IETF protocol assignments; Oracle answers metadata here
            "192.0.2.0/24", // documentation
            "192.88.99.0/24", // 6to4 relays, withdrawn
            "192.168.0.0/16", // private use
            "198.18.0.0/15", // benchmarks
            "198.51.100.0/24", // documentation
            "203.0.113.0/24", // documentation
            "224.0.0.0/4", // multicast
            "240.0.0.0/4"); // reserved, broadcast

    /** All that is given out to the public lies in here; whatever is outside needs no entry below. */
    private static final Block GLOBAL_V6 = Block.of("2000::/3");

    private static final List<Block> PRIVATE_V6 = blocks("2001::/23", // IETF protocol assignments, Teredo, ORCHID
            "2001:db8::/32", // documentation
            "3fff::/20"); // documentation

    /** NAT64: the last four bytes are the IPv4 address that a gateway connects to. */
    private static final Block NAT64 = Block.of("64:ff9b::/96");

    /** 6to4: bytes 2 to 5 are the IPv4 address of the router. */
    private static final Block SIX_TO_FOUR = Block.of("2002::/16");

    private AddressGuard() {}

    /** @return true if the address is one that anybody on the internet could reach too */
    public static boolean isPublic(InetAddress address) {
        byte[] bytes = address.getAddress();
        if (address instanceof Inet4Address) {
            return isPublicV4(bytes);
        }
        // ::ffff:0:0/96 needs no case of its own: the JDK makes an Inet4Address of it.
        if (NAT64.contains(bytes)) {
            return isPublicV4(Arrays.copyOfRange(bytes, 12, 16));
        }
        if (SIX_TO_FOUR.contains(bytes)) {
            return isPublicV4(Arrays.copyOfRange(bytes, 2, 6));
        }
        return GLOBAL_V6.contains(bytes) && PRIVATE_V6.stream().noneMatch(block -> block.contains(bytes));
    }

    private static boolean isPublicV4(byte[] bytes) {
        return PRIVATE_V4.stream().noneMatch(block -> block.contains(bytes));
    }

    private static List<Block> blocks(String... cidrs) {
        return Arrays.stream(cidrs).map(Block::of).toList();
    }
}
