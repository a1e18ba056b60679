// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.StatelessMatch;
import io.skbwalk.netfilter.tables.index.Conditions;
import io.skbwalk.netfilter.tables.index.PacketKey;
import io.skbwalk.skb.IcmpHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Plays the icmp match of ip_tables.c: type and code.
 *
 * @param icmpType 255 for any
 * @param lowCode first code
 * @param highCode last code
 */
public record IcmpMatch(int icmpType, int lowCode, int highCode, boolean inverted)
    implements StatelessMatch {
  private static final int ANY = 0xFF;

  private record Name(String name, int type, int lowCode, int highCode) {
    static Name type(String name, int type) {
      return new Name(name, type, 0, 0xFF);
    }

    static Name code(String name, int type, int code) {
      return new Name(name, type, code, code);
    }
  }

  private static final List<Name> NAMES =
      List.of(
          Name.type("any", ANY),
          Name.type("echo-reply", 0),
          Name.type("pong", 0),
          Name.type("destination-unreachable", 3),
          Name.code("network-unreachable", 3, 0),
          Name.code("host-unreachable", 3, 1),
          Name.code("protocol-unreachable", 3, 2),
          Name.code("port-unreachable", 3, 3),
          Name.code("fragmentation-needed", 3, 4),
          Name.code("source-route-failed", 3, 5),
          Name.code("network-unknown", 3, 6),
          Name.code("host-unknown", 3, 7),
          Name.code("network-prohibited", 3, 9),
          Name.code("host-prohibited", 3, 10),
          Name.code("TOS-network-unreachable", 3, 11),
          Name.code("TOS-host-unreachable", 3, 12),
          Name.code("communication-prohibited", 3, 13),
          Name.code("host-precedence-violation", 3, 14),
          Name.code("precedence-cutoff", 3, 15),
          Name.type("source-quench", 4),
          Name.type("redirect", 5),
          Name.code("network-redirect", 5, 0),
          Name.code("host-redirect", 5, 1),
          Name.code("TOS-network-redirect", 5, 2),
          Name.code("TOS-host-redirect", 5, 3),
          Name.type("echo-request", 8),
          Name.type("ping", 8),
          Name.type("router-advertisement", 9),
          Name.type("router-solicitation", 10),
          Name.type("time-exceeded", 11),
          Name.type("ttl-exceeded", 11),
          Name.code("ttl-zero-during-transit", 11, 0),
          Name.code("ttl-zero-during-reassembly", 11, 1),
          Name.type("parameter-problem", 12),
          Name.code("ip-header-bad", 12, 0),
          Name.code("required-option-missing", 12, 1),
          Name.type("timestamp-request", 13),
          Name.type("timestamp-reply", 14),
          Name.type("address-mask-request", 17),
          Name.type("address-mask-reply", 18));

  /** {@code -m icmp}. */
  public static final MatchType TYPE =
      new MatchType(
          "icmp",
          "ICMP's type and code.",
          IpHeader.IPPROTO_ICMP,
          OptionSpec.value("icmp-type")
              .inverted()
              .needed()
              .about(
                  "A type's name, type, type/code or type/code:code.",
                  "echo-request",
                  "3/4",
                  "any")) {
        @Override
        public Match parse(Options options, int protocol) {
          String text = options.text("icmp-type");
          boolean inverted = options.inverted("icmp-type");
          if (!text.isEmpty() && Character.isDigit(text.charAt(0))) {
            int slash = text.indexOf('/');
            int[] types = range(options, slash < 0 ? text : text.substring(0, slash));
            if (types[0] != types[1]) {
              throw options.error("icmp-type", "--icmp-type takes one type, not " + text);
            }
            int[] codes =
                slash < 0 ? new int[] {0, 0xFF} : range(options, text.substring(slash + 1));
            return new IcmpMatch(types[0], codes[0], codes[1], inverted);
          }
          Name name = named(options, text);
          return new IcmpMatch(name.type, name.lowCode, name.highCode, inverted);
        }
      };

  /** {@code N} or {@code N:M}. iptables-save forgets the second one. */
  private static int[] range(Options options, String text) {
    int colon = text.indexOf(':');
    int low =
        (int) options.number("icmp-type", colon < 0 ? text : text.substring(0, colon), 0, 0xFF);
    return new int[] {
      low, colon < 0 ? low : (int) options.number("icmp-type", text.substring(colon + 1), 0, 0xFF)
    };
  }

  /** The name that begins with {@code text}; the first when it is written in full. */
  private static Name named(Options options, String text) {
    List<Name> found = new ArrayList<>();
    for (Name name : NAMES) {
      if (name.name.equalsIgnoreCase(text)) {
        return name;
      }
      if (name.name.toLowerCase(Locale.ROOT).startsWith(text.toLowerCase(Locale.ROOT))) {
        found.add(name);
      }
    }
    if (found.size() != 1) {
      String names =
          String.join(", ", (found.isEmpty() ? NAMES : found).stream().map(Name::name).toList());
      throw options.error(
          "icmp-type",
          found.isEmpty()
              ? "\"" + text + "\" is no ICMP type; it is TYPE, TYPE/CODE or one of " + names
              : "\"" + text + "\" may be " + names);
    }
    return found.get(0);
  }

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(inverted ? " ! --icmp-type " : " --icmp-type ");
    if (icmpType == ANY) {
      out.append("any");
      return;
    }
    out.append(icmpType);
    if (lowCode != 0 || highCode != 0xFF) {
      out.append('/').append(lowCode);
    }
  }

  @Override
  public Conditions.Beyond asks(Conditions conditions) {
    conditions.hasTransport();
    if (icmpType == ANY) {
      return inverted ? Conditions.Beyond.READS : Conditions.Beyond.NOTHING;
    }
    if (lowCode == 0 && highCode == 0xFF) {
      conditions.range(PacketKey.ICMP_TYPE, icmpType, icmpType, inverted);
      return Conditions.Beyond.NOTHING;
    }
    if (!inverted) {
      conditions.range(PacketKey.ICMP_TYPE, icmpType, icmpType, false);
    }
    return Conditions.Beyond.READS;
  }

  @Override
  public boolean matches(SkBuff skb, PacketContext context) {
    if (context.fragmentOffset != 0) {
      return false;
    }
    int icmp = context.transport;
    if (skb.tail - icmp < IcmpHeader.LENGTH) {
      context.hotdrop = true;
      return false;
    }
    int code = skb.u8(icmp + IcmpHeader.CODE_OFFSET);
    boolean found =
        icmpType == ANY || skb.u8(icmp) == icmpType && code >= lowCode && code <= highCode;
    return found != inverted;
  }

  @Override
  public String explain(SkBuff skb, PacketContext context) {
    if (context.fragmentOffset != 0) {
      return "a later fragment has no ICMP header";
    }
    int icmp = context.transport;
    return context.hotdrop
        ? "truncated ICMP header"
        : "ICMP type is " + skb.u8(icmp) + "/" + skb.u8(icmp + IcmpHeader.CODE_OFFSET);
  }
}
