// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.ipset;

import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.Ip6;
import io.skbwalk.lib.Mac;
import io.skbwalk.lib.Protocols;
import io.skbwalk.skb.IpHeader;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** Plays ipset_print_elem: an element as {@code ipset save} prints it. */
public final class ElementText {
  static final int IPPROTO_ICMPV6 = 58;

  /** Names of ICMP types and codes as ipset has them; the first of several is printed. */
  private static final Map<String, Integer> ICMP = new LinkedHashMap<>();

  private static final Map<String, Integer> ICMPV6 = new LinkedHashMap<>();

  static {
    String[] icmp = {
      "0/0 echo-reply pong",
      "3/0 network-unreachable",
      "3/1 host-unreachable",
      "3/2 protocol-unreachable",
      "3/3 port-unreachable",
      "3/4 fragmentation-needed",
      "3/5 source-route-failed",
      "3/6 network-unknown",
      "3/7 host-unknown",
      "3/9 network-prohibited",
      "3/10 host-prohibited",
      "3/11 TOS-network-unreachable",
      "3/12 TOS-host-unreachable",
      "3/13 communication-prohibited",
      "3/14 host-precedence-violation",
      "3/15 precedence-cutoff",
      "4/0 source-quench",
      "5/0 network-redirect",
      "5/1 host-redirect",
      "5/2 TOS-network-redirect",
      "5/3 TOS-host-redirect",
      "8/0 echo-request ping",
      "9/0 router-advertisement",
      "10/0 router-solicitation",
      "11/0 ttl-zero-during-transit",
      "11/1 ttl-zero-during-reassembly",
      "12/0 ip-header-bad",
      "12/1 required-option-missing",
      "13/0 timestamp-request",
      "14/0 timestamp-reply",
      "17/0 address-mask-request",
      "18/0 address-mask-reply",
    };
    String[] icmpv6 = {
      "1/0 no-route",
      "1/1 communication-prohibited",
      "1/3 address-unreachable",
      "1/4 port-unreachable",
      "2/0 packet-too-big",
      "3/0 ttl-zero-during-transit",
      "3/1 ttl-zero-during-reassembly",
      "4/0 bad-header",
      "4/1 unknown-header-type",
      "4/2 unknown-option",
      "128/0 echo-request ping",
      "129/0 echo-reply pong",
      "133/0 router-solicitation",
      "134/0 router-advertisement",
      "135/0 neighbour-solicitation neigbour-solicitation",
      "136/0 neighbour-advertisement neigbour-advertisement",
      "137/0 redirect",
    };
    put(icmp, ICMP);
    put(icmpv6, ICMPV6);
  }

  private ElementText() {}

  private static void put(String[] lines, Map<String, Integer> names) {
    for (String line : lines) {
      String[] words = line.split("[/ ]");
      for (int i = 2; i < words.length; i++) {
        names.put(words[i], Integer.parseInt(words[0]) << 8 | Integer.parseInt(words[1]));
      }
    }
  }

  /**
   * The type and code called {@code name}, or by a beginning of its name, in any case; -1 for none.
   */
  public static int icmp(String name, boolean v6) {
    for (Map.Entry<String, Integer> one : (v6 ? ICMPV6 : ICMP).entrySet()) {
      if (one.getKey().toLowerCase(Locale.ROOT).startsWith(name.toLowerCase(Locale.ROOT))) {
        return one.getValue();
      }
    }
    return -1;
  }

  /** The parts of an element with commas between them. */
  static String of(SetType type, SetEntry entry, boolean inet6) {
    StringBuilder out = new StringBuilder();
    boolean second = false;
    for (SetType.Part part : type.parts) {
      out.append(out.length() == 0 ? "" : ",");
      switch (part) {
        case IP, NET -> {
          int cidr = part == SetType.Part.IP ? -1 : second ? entry.cidr2 : entry.cidr;
          appendAddress(out, second ? entry.ip2 : entry.ip, cidr, inet6);
          second = true;
        }
        case PORT -> {
          if (type != SetType.BITMAP_PORT) {
            out.append(Protocols.name(entry.protocol)).append(':');
          }
          appendPort(out, entry.protocol, entry.port);
        }
        case MAC -> out.append(Mac.format(entry.mac).toUpperCase(Locale.ROOT));
        case MARK -> out.append(String.format("0x%08x", entry.mark));
        case IFACE -> out.append(entry.physdev ? "physdev:" : "").append(entry.iface);
        case NAME -> out.append(entry.set);
      }
    }
    return out.toString();
  }

  private static void appendAddress(StringBuilder out, int[] address, int cidr, boolean inet6) {
    out.append(inet6 ? Ip6.format(address) : Ip4.format(address[0]));
    if (cidr >= 0 && cidr != (inet6 ? 128 : 32)) {
      out.append('/').append(cidr);
    }
  }

  private static void appendPort(StringBuilder out, int protocol, int port) {
    boolean v6 = protocol == IPPROTO_ICMPV6;
    if (protocol != IpHeader.IPPROTO_ICMP && !v6) {
      out.append(port);
      return;
    }
    for (Map.Entry<String, Integer> one : (v6 ? ICMPV6 : ICMP).entrySet()) {
      if (one.getValue() == port) {
        out.append(one.getKey());
        return;
      }
    }
    out.append(port >>> 8).append('/').append(port & 0xFF);
  }
}
