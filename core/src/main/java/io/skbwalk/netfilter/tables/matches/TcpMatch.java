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
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;
import java.util.List;
import java.util.Locale;

/**
 * Plays xt_tcpudp's TCP match: ports, flags under a mask, presence of an option.
 *
 * @param option kind of the TCP option asked for, 0 for none
 */
public record TcpMatch(
    PortRange source,
    PortRange destination,
    int flagsMask,
    int flagsSet,
    boolean notFlags,
    int option,
    boolean notOption)
    implements StatelessMatch {
  private static final List<String> FLAGS = List.of("FIN", "SYN", "RST", "PSH", "ACK", "URG");
  private static final int ALL = 0x3F;
  private static final int SYN_MASK = TcpHeader.FIN | TcpHeader.SYN | TcpHeader.RST | TcpHeader.ACK;

  /** {@code -m tcp}. */
  public static final MatchType TYPE =
      new MatchType(
          "tcp",
          "TCP's ports, flags and options; needs protocol: tcp.",
          IpHeader.IPPROTO_TCP,
          PortRange.source(),
          PortRange.destination(),
          OptionSpec.pair("mask", "set", "tcp-flags")
              .inverted()
              .about("TCP flags under a mask, as {mask: [...], set: [...]}."),
          OptionSpec.flag("syn")
              .inverted()
              .about("A connection's first segment: SYN without ACK, RST and FIN."),
          OptionSpec.value("tcp-option")
              .inverted()
              .about("A TCP option of this kind is there.", "2")) {
        @Override
        public Match parse(Options options, int protocol) {
          String flags = options.oneOf(false, "tcp-flags", "syn");
          int mask = 0;
          int set = 0;
          if ("syn".equals(flags)) {
            mask = SYN_MASK;
            set = TcpHeader.SYN;
          } else if (flags != null) {
            mask = flags(options, options.text("tcp-flags", 0));
            set = flags(options, options.text("tcp-flags", 1));
          }
          return new TcpMatch(
              PortRange.parse(options, "source-port", IpHeader.IPPROTO_TCP),
              PortRange.parse(options, "destination-port", IpHeader.IPPROTO_TCP),
              mask,
              set,
              flags != null && options.inverted(flags),
              (int) options.number("tcp-option", 1, 255, 0),
              options.inverted("tcp-option"));
        }
      };

  private static int flags(Options options, String text) {
    int flags = 0;
    for (String name : text.split(",", -1)) {
      int index = FLAGS.indexOf(name.toUpperCase(Locale.ROOT));
      if (index >= 0) {
        flags |= 1 << index;
      } else if (name.equalsIgnoreCase("ALL")) {
        flags = ALL;
      } else if (!name.isEmpty() && !name.equalsIgnoreCase("NONE")) {
        throw options.error(
            "tcp-flags",
            "--tcp-flags takes two lists of "
                + String.join(",", FLAGS)
                + ",ALL,NONE, not \""
                + name
                + "\"");
      }
    }
    return flags;
  }

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    source.save(out, "--sport");
    destination.save(out, "--dport");
    if (option != 0 || notOption) {
      out.append(notOption ? " ! --tcp-option " : " --tcp-option ").append(option);
    }
    if (flagsMask != 0 || notFlags) {
      out.append(notFlags ? " ! --tcp-flags " : " --tcp-flags ");
      out.append(flagNames(flagsMask)).append(' ').append(flagNames(flagsSet));
    }
  }

  private static String flagNames(int flags) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < FLAGS.size(); i++) {
      if ((flags & 1 << i) != 0) {
        out.append(out.length() == 0 ? "" : ",").append(FLAGS.get(i));
      }
    }
    return out.length() == 0 ? "NONE" : out.toString();
  }

  @Override
  public Conditions.Beyond asks(Conditions conditions) {
    conditions.hasTransport();
    source.ask(PacketKey.SOURCE_PORT, conditions);
    destination.ask(PacketKey.DESTINATION_PORT, conditions);
    conditions.masked(PacketKey.TCP_FLAGS, flagsSet, flagsMask, notFlags);
    return option == 0 ? Conditions.Beyond.NOTHING : Conditions.Beyond.ACTS;
  }

  @Override
  public boolean matches(SkBuff skb, PacketContext context) {
    int fragment = context.fragmentOffset;
    if (fragment != 0) {
      // A fragment at offset 1 would overwrite the flags: an old attack, so it is dropped.
      context.hotdrop |= fragment == 1;
      return false;
    }
    int tcp = context.transport;
    if (skb.tail - tcp < TcpHeader.MIN_LENGTH) {
      context.hotdrop = true;
      return false;
    }
    if (!source.matches(skb.u16(tcp))
        || !destination.matches(skb.u16(tcp + 2))
        || ((TcpHeader.flags(skb, tcp) & flagsMask) == flagsSet) == notFlags) {
      return false;
    }
    if (option == 0) {
      return true;
    }
    int length = TcpHeader.headerLength(skb, tcp);
    if (length < TcpHeader.MIN_LENGTH) {
      context.hotdrop = true;
      return false;
    }
    if (length > TcpHeader.MIN_LENGTH && skb.tail - tcp < length) {
      context.hotdrop = true;
      return false;
    }
    return hasOption(skb, tcp + TcpHeader.MIN_LENGTH, tcp + length) != notOption;
  }

  private boolean hasOption(SkBuff skb, int from, int to) {
    for (int at = from; at < to; at = TcpHeader.nextOption(skb, at, to)) {
      if (skb.u8(at) == option) {
        return true;
      }
    }
    return false;
  }

  @Override
  public String explain(SkBuff skb, PacketContext context) {
    int tcp = context.transport;
    if (context.fragmentOffset != 0) {
      return "a later fragment has no TCP header";
    }
    if (context.hotdrop) {
      return "truncated TCP header";
    }
    if (!source.matches(skb.u16(tcp))) {
      return "source port is " + skb.u16(tcp);
    }
    if (!destination.matches(skb.u16(tcp + 2))) {
      return "destination port is " + skb.u16(tcp + 2);
    }
    if (((TcpHeader.flags(skb, tcp) & flagsMask) == flagsSet) == notFlags) {
      return "flags are " + flagNames(TcpHeader.flags(skb, tcp) & ALL);
    }
    return "TCP option " + option + (notOption ? " is there" : " is not there");
  }
}
