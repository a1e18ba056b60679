// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.Ip6;
import io.skbwalk.lib.Mac;
import io.skbwalk.lib.SourceException;
import io.skbwalk.lib.SourcePosition;
import io.skbwalk.netfilter.ipset.ElementText;
import io.skbwalk.netfilter.ipset.IpSets;
import io.skbwalk.netfilter.ipset.SetEntry;
import io.skbwalk.netfilter.ipset.SetType;
import io.skbwalk.netfilter.tables.Names;

/** Plays libipset's parse.c: the text of one element, with its ranges, into a {@link SetEntry}. */
final class IpsetElement {
  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final int ICMP = 1;
  private static final int ICMPV6 = 58;
  private static final int SCTP = 132;
  private static final int UDPLITE = 136;

  private IpsetElement() {}

  /**
   * Reads an element.
   *
   * @param at where it stands
   * @throws SourceException when it is none of this type
   */
  static void parse(String text, SourcePosition at, SetType type, boolean inet6, SetEntry entry) {
    if (type == SetType.LIST_SET) {
      name(text, at, entry);
      return;
    }
    int parts = type.parts.size();
    int start = 0;
    boolean second = false;
    for (int i = 0; i < parts; i++) {
      int comma = text.indexOf(',', start);
      boolean last = i == parts - 1;
      if (comma < 0 && !last && !(type == SetType.BITMAP_IPMAC && i == 0)) {
        throw new SourceException(
            at, "an element of " + type + " has " + parts + " parts, and \"" + text + "\" fewer");
      }
      if (comma >= 0 && last) {
        throw new SourceException(
            at,
            "an element of " + type + " has not more than " + parts + " parts: \"" + text + '"');
      }
      String part = text.substring(start, comma < 0 ? text.length() : comma);
      SourcePosition place = start == 0 ? at : moved(at, start);
      switch (type.parts.get(i)) {
        case IP, NET -> {
          address(part, place, type, i, second, inet6, entry);
          second = true;
        }
        case PORT -> port(part, place, type == SetType.BITMAP_PORT, inet6, entry);
        case MAC -> entry.mac = mac(part, place);
        case MARK -> entry.mark = (int) number(part, place, 0, 0xFFFFFFFFL);
        default -> iface(part, place, entry);
      }
      if (comma < 0) {
        return;
      }
      start = comma + 1;
    }
  }

  private static SourcePosition moved(SourcePosition at, int columns) {
    return new SourcePosition(at.file(), at.line(), at.column() + columns);
  }

  // ---- sets in lists ----------------------------------------------------------------------------

  /** {@code NAME}, or as of old {@code NAME,before|after,OTHER}. */
  private static void name(String text, SourcePosition at, SetEntry entry) {
    String[] words = text.split(",", -1);
    if (words.length != 1
        && (words.length != 3 || !words[1].equals("before") && !words[1].equals("after"))) {
      throw new SourceException(
          at, "an element of list:set is a set's name, or NAME,before|after,NAME: \"" + text + '"');
    }
    entry.set = setName(words[0], at);
    if (words.length == 3) {
      entry.reference = setName(words[2], at);
      entry.before = words[1].equals("before");
    }
  }

  static String setName(String text, SourcePosition at) {
    if (text.isEmpty() || text.length() > IpSets.LONGEST_NAME) {
      throw new SourceException(
          at, "a set's name has 1 to " + IpSets.LONGEST_NAME + " characters: \"" + text + '"');
    }
    return text;
  }

  // ---- addresses --------------------------------------------------------------------------------

  private static void address(
      String text,
      SourcePosition at,
      SetType type,
      int index,
      boolean second,
      boolean inet6,
      SetEntry entry) {
    int slash = text.indexOf('/');
    int dash = slash < 0 ? text.indexOf('-', 1) : -1;
    boolean net = type.parts.get(index) == SetType.Part.NET;
    // The second address of ip,port,ip and the one of bitmap:ip,mac are single ones.
    boolean plain = type == SetType.BITMAP_IPMAC || type == SetType.HASH_IPPORTIP && second;
    int host = inet6 ? 128 : 32;
    int length = -1;
    if (slash >= 0) {
      length = (int) number(text.substring(slash + 1), moved(at, slash + 1), 0, host);
    }
    if ((plain || inet6 && !net) && (dash > 0 || slash >= 0 && length != host)) {
      throw new SourceException(at, "one address is expected here, not \"" + text + '"');
    }
    if (inet6 && dash > 0) {
      throw new SourceException(at, "a range of IPv6 addresses is not possible: \"" + text + '"');
    }
    int[] into = second ? entry.ip2 : entry.ip;
    String first = text.substring(0, slash >= 0 ? slash : dash > 0 ? dash : text.length());
    if (inet6) {
      System.arraycopy(ip6(first, at), 0, into, 0, 4);
    } else {
      into[0] = ip4(first, at);
    }
    long to =
        dash > 0
            ? Integer.toUnsignedLong(ip4(text.substring(dash + 1), moved(at, dash + 1)))
            : SetEntry.NONE;
    length = plain ? -1 : length;
    if (second) {
      entry.ip2To = to;
      entry.cidr2 = length;
    } else {
      entry.ipTo = to;
      entry.cidr = length;
    }
  }

  static int ip4(String text, SourcePosition at) {
    try {
      return Ip4.parse(text);
    } catch (IllegalArgumentException e) {
      throw new SourceException(
          at, "an IPv4 address is expected (names are not asked for), not \"" + text + '"');
    }
  }

  static int[] ip6(String text, SourcePosition at) {
    try {
      return Ip6.parse(text);
    } catch (IllegalArgumentException e) {
      throw new SourceException(
          at, "an IPv6 address is expected (names are not asked for), not \"" + text + '"');
    }
  }

  // ---- ports ------------------------------------------------------------------------------------

  /** {@code [PROTOCOL:]PORT[-PORT]}, {@code icmp:TYPE/CODE} or {@code PROTOCOL:0}. */
  static void port(
      String text, SourcePosition at, boolean tcpOrUdp, boolean inet6, SetEntry entry) {
    int colon = text.indexOf(':');
    String rest = text.substring(colon + 1);
    SourcePosition place = colon < 0 ? at : moved(at, colon + 1);
    entry.protocol = colon < 0 ? TCP : protocol(text.substring(0, colon), at);
    if (tcpOrUdp && entry.protocol != TCP && entry.protocol != UDP) {
      throw new SourceException(at, "only tcp and udp are possible here: \"" + text + '"');
    }
    switch (entry.protocol) {
      case TCP, UDP, SCTP, UDPLITE -> {
        int dash = dash(rest);
        if (dash > 0) {
          entry.portTo = onePort(rest.substring(dash + 1), moved(place, dash + 1), entry.protocol);
        }
        entry.port = onePort(dash > 0 ? rest.substring(0, dash) : rest, place, entry.protocol);
      }
      case ICMP, ICMPV6 -> {
        boolean v6 = entry.protocol == ICMPV6;
        if (v6 != inet6) {
          throw new SourceException(
              at, (v6 ? "icmpv6 is for family inet6" : "icmp is for family inet") + " only");
        }
        entry.port = icmp(rest, place, v6);
      }
      default -> {
        if (!rest.equals("0")) {
          throw new SourceException(
              place, "a protocol without ports takes 0 in place of one, not \"" + rest + '"');
        }
      }
    }
  }

  /** The dash between two ports, not one inside of {@code [name-with-dashes]}. */
  private static int dash(String text) {
    return text.indexOf('-', text.startsWith("[") ? Math.max(1, text.indexOf(']')) : 1);
  }

  static int protocol(String text, SourcePosition at) {
    if (!text.isEmpty() && Character.isDigit(text.charAt(0))) {
      return (int) number(text, at, 0, 255);
    }
    int protocol = text.equalsIgnoreCase("icmpv6") ? ICMPV6 : Names.protocol(text);
    if (protocol <= 0) {
      throw new SourceException(at, "there is no protocol called \"" + text + '"');
    }
    return protocol;
  }

  private static int onePort(String text, SourcePosition at, int protocol) {
    if (!text.isEmpty() && Character.isDigit(text.charAt(0))) {
      return (int) number(text, at, 0, 65_535);
    }
    boolean escaped = text.startsWith("[") && text.endsWith("]");
    String name = escaped ? text.substring(1, text.length() - 1) : text;
    int port = Names.service(name, protocol);
    if (port < 0) {
      throw new SourceException(
          at, "there is no service of " + Names.protocol(protocol) + " called \"" + name + '"');
    }
    return port;
  }

  private static int icmp(String text, SourcePosition at, boolean v6) {
    int named = text.isEmpty() ? -1 : ElementText.icmp(text, v6);
    if (named >= 0) {
      return named;
    }
    int slash = text.indexOf('/');
    if (slash < 0) {
      throw new SourceException(
          at, "an ICMP type is a name or TYPE/CODE in numbers, not \"" + text + '"');
    }
    return (int) number(text.substring(0, slash), at, 0, 255) << 8
        | (int) number(text.substring(slash + 1), moved(at, slash + 1), 0, 255);
  }

  // ---- the rest ---------------------------------------------------------------------------------

  private static long mac(String text, SourcePosition at) {
    try {
      return Mac.parse(text);
    } catch (IllegalArgumentException e) {
      throw new SourceException(at, e.getMessage());
    }
  }

  private static void iface(String text, SourcePosition at, SetEntry entry) {
    entry.physdev = text.startsWith("physdev:");
    entry.iface = entry.physdev ? text.substring("physdev:".length()) : text;
    if (entry.iface.isEmpty() || entry.iface.length() > 15) {
      throw new SourceException(
          at, "an interface's name has 1 to 15 characters: \"" + entry.iface + '"');
    }
  }

  /** Decimal, 0x hexadecimal or 0 octal. */
  static long number(String text, SourcePosition at, long min, long max) {
    long value = -1;
    try {
      boolean plain = !text.isEmpty() && Character.isDigit(text.charAt(0));
      value = plain ? decode(text) : -1;
    } catch (NumberFormatException e) {
      // Said below.
    }
    if (value < min || value > max) {
      throw new SourceException(
          at, "a number from " + min + " to " + max + " is expected, not \"" + text + '"');
    }
    return value;
  }

  private static long decode(String text) {
    return text.length() < 6 && text.charAt(0) != '0' ? Integer.parseInt(text) : Long.decode(text);
  }
}
