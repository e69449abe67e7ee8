package io.millrace.account;

import java.util.Arrays;

/** Where a request comes from, for counting. */
final class Address {
    private static final int PREFIX_GROUPS = 4;

    private Address() {}

    /** @return an IPv6 address without its last 64 bits, which whoever has one such address may choose; others as they are */
    static String network(String address) {
        if (address == null || address.indexOf(':') < 0) {
            return String.valueOf(address);
        }
        try {
            byte[] bytes = java.net.InetAddress.getByName(address).getAddress(); // a literal: nothing is looked up
            return bytes.length == 16 ? Arrays.toString(Arrays.copyOf(bytes, 2 * PREFIX_GROUPS)) : address;
        } catch (java.net.UnknownHostException notLiteral) {
            return address;
        }
    }
}
