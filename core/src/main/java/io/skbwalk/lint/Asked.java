// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import io.skbwalk.netfilter.tables.BasicMatch;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.Rule;
import io.skbwalk.netfilter.tables.matches.CommentMatch;
import io.skbwalk.netfilter.tables.matches.ConntrackMatch;
import io.skbwalk.netfilter.tables.matches.IcmpMatch;
import io.skbwalk.netfilter.tables.matches.IprangeMatch;
import io.skbwalk.netfilter.tables.matches.MarkMatch;
import io.skbwalk.netfilter.tables.matches.MarkValue;
import io.skbwalk.netfilter.tables.matches.MultiportMatch;
import io.skbwalk.netfilter.tables.matches.PortRange;
import io.skbwalk.netfilter.tables.matches.SetMatch;
import io.skbwalk.netfilter.tables.matches.StateMatch;
import io.skbwalk.netfilter.tables.matches.TcpMatch;
import io.skbwalk.netfilter.tables.matches.UdpMatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** What a rule asks for, as sets of packets: reads each match that is understood. */
final class Asked {
  /**
   * One thing that a rule asks for.
   *
   * @param text as iptables-save prints it
   * @param set the packets that have it
   * @param sure they do, each time; else each of them may have it or not
   * @param noted that it was asked is remembered somewhere
   */
  record Part(String text, int set, boolean sure, boolean noted) {
    Part(String text, int set, boolean sure) {
      this(text, set, sure, !sure);
    }
  }

  /**
   * Matches that look only at the packet and its connection, so that the same words find the same
   * in a packet that nothing has changed.
   */
  private static final Set<String> SAME_AGAIN =
      Set.of(
          "addrtype",
          "ah",
          "bpf",
          "connbytes",
          "connmark",
          "dccp",
          "devgroup",
          "dscp",
          "ecn",
          "esp",
          "helper",
          "ipcomp",
          "length",
          "mac",
          "owner",
          "physdev",
          "pkttype",
          "policy",
          "realm",
          "sctp",
          "string",
          "tcpmss",
          "tos",
          "ttl",
          "u32");

  private static final List<ConntrackMatch.Network> NO_ADDRESSES =
      List.of(
          ConntrackMatch.Network.NONE,
          ConntrackMatch.Network.NONE,
          ConntrackMatch.Network.NONE,
          ConntrackMatch.Network.NONE);
  private static final List<ConntrackMatch.Range> NO_PORTS =
      List.of(
          ConntrackMatch.Range.NONE,
          ConntrackMatch.Range.NONE,
          ConntrackMatch.Range.NONE,
          ConntrackMatch.Range.NONE);

  private final PacketFields fields;
  private final PacketSets sets;

  Asked(PacketFields fields) {
    this.fields = fields;
    this.sets = fields.sets;
  }

  /** Everything that {@code rule} asks for; comments are nothing. */
  List<Part> parts(Rule rule) {
    List<Part> parts = new ArrayList<>();
    basic(rule.basic(), parts);
    for (Match match : rule.matches()) {
      if (!(match instanceof CommentMatch)) {
        parts.add(part(match));
      }
    }
    return parts;
  }

  // ---- without -m -------------------------------------------------------------------------------

  private void basic(BasicMatch asked, List<Part> parts) {
    int source = fields.masked(PacketFields.SOURCE, asked.source(), asked.sourceMask());
    add(
        parts,
        inverted(source, asked.notSource()),
        addresses(asked.source(), asked.sourceMask(), asked.notSource(), 0, 0, false));
    int destination =
        fields.masked(PacketFields.DESTINATION, asked.destination(), asked.destinationMask());
    add(
        parts,
        inverted(destination, asked.notDestination()),
        addresses(
            0, 0, false, asked.destination(), asked.destinationMask(), asked.notDestination()));
    if (asksFor(asked.in())) {
      int in = fields.interfaceIs(PacketFields.IN, asked.in());
      parts.add(
          new Part(
              (asked.notIn() ? "! -i " : "-i ") + asked.in(), inverted(in, asked.notIn()), true));
    }
    if (asksFor(asked.out())) {
      int out = fields.interfaceIs(PacketFields.OUT, asked.out());
      parts.add(
          new Part(
              (asked.notOut() ? "! -o " : "-o ") + asked.out(),
              inverted(out, asked.notOut()),
              true));
    }
    if (asked.protocol() != 0) {
      BasicMatch protocol =
          new BasicMatch(
              0,
              0,
              false,
              0,
              0,
              false,
              "",
              false,
              "",
              false,
              asked.protocol(),
              asked.notProtocol(),
              false,
              false);
      int set = fields.is(PacketFields.PROTOCOL, asked.protocol());
      add(parts, inverted(set, asked.notProtocol()), protocol);
    }
    if (asked.fragment() || asked.notFragment()) {
      int later = fields.is(PacketFields.FRAGMENT, 1);
      parts.add(
          new Part(
              asked.notFragment() ? "! -f" : "-f", inverted(later, asked.notFragment()), true));
    }
  }

  /** "+" alone asks nothing, inverted or not. */
  private static boolean asksFor(String device) {
    return !device.isEmpty() && !device.equals("+");
  }

  private static BasicMatch addresses(
      int source, int sourceMask, boolean notSource, int to, int toMask, boolean notTo) {
    return new BasicMatch(
        source,
        sourceMask,
        notSource,
        to,
        toMask,
        notTo,
        "",
        false,
        "",
        false,
        0,
        false,
        false,
        false);
  }

  private static void add(List<Part> parts, int set, BasicMatch alone) {
    StringBuilder text = new StringBuilder();
    alone.save(text);
    if (text.length() > 0) {
      parts.add(new Part(text.substring(1), set, true));
    }
  }

  private int inverted(int set, boolean inverted) {
    return inverted ? sets.not(set) : set;
  }

  // ---- with -m ----------------------------------------------------------------------------------

  private Part part(Match match) {
    StringBuilder text = new StringBuilder("-m ").append(match.type().name);
    match.save(text);
    String words = text.toString();
    if (match instanceof TcpMatch tcp) {
      return new Part(words, tcp(tcp), true);
    }
    if (match instanceof UdpMatch udp) {
      int set = sets.and(whole(), ports(PacketFields.SOURCE_PORT, udp.source()));
      return new Part(
          words, sets.and(set, ports(PacketFields.DESTINATION_PORT, udp.destination())), true);
    }
    if (match instanceof MultiportMatch multiport) {
      return new Part(words, sets.and(whole(), multiport(multiport)), true);
    }
    if (match instanceof IcmpMatch icmp) {
      return new Part(words, sets.and(whole(), icmp(icmp)), true);
    }
    if (match instanceof IprangeMatch range) {
      int from = addresses(PacketFields.SOURCE, range.source());
      int to = addresses(PacketFields.DESTINATION, range.destination());
      return new Part(words, sets.and(from, to), true);
    }
    if (match instanceof MarkMatch mark) {
      return new Part(words, mark(mark.wanted()), true);
    }
    if (match instanceof StateMatch state) {
      return new Part(words, inverted(fields.states(state.states()), state.inverted()), true);
    }
    if (match instanceof ConntrackMatch conntrack) {
      return conntrack(conntrack, words);
    }
    if (match instanceof SetMatch set && set.comparesNothing()) {
      // The set may count what it matches.
      return new Part(words, fields.opaque(words), true, true);
    }
    boolean same = SAME_AGAIN.contains(match.type().name);
    return new Part(words, same ? fields.opaque(words) : PacketSets.ALL, same);
  }

  /** Packets whose transport header is there: not later fragments. */
  private int whole() {
    return fields.is(PacketFields.FRAGMENT, 0);
  }

  private int ports(PacketFields.Field field, PortRange range) {
    return inverted(fields.between(field, range.low(), range.high()), range.inverted());
  }

  private int tcp(TcpMatch asked) {
    int set = sets.and(whole(), ports(PacketFields.SOURCE_PORT, asked.source()));
    set = sets.and(set, ports(PacketFields.DESTINATION_PORT, asked.destination()));
    int flags =
        (asked.flagsSet() & ~asked.flagsMask()) != 0
            ? PacketSets.NONE
            : fields.masked(PacketFields.FLAGS, asked.flagsSet(), asked.flagsMask());
    set = sets.and(set, inverted(flags, asked.notFlags()));
    if (asked.option() == 0) {
      return set;
    }
    int option = fields.opaque("--tcp-option " + asked.option());
    return sets.and(set, inverted(option, asked.notOption()));
  }

  private int multiport(MultiportMatch asked) {
    int set = PacketSets.NONE;
    for (MultiportMatch.Range range : asked.ranges()) {
      if (asked.side() != MultiportMatch.Side.DESTINATION) {
        set = sets.or(set, fields.between(PacketFields.SOURCE_PORT, range.low(), range.high()));
      }
      if (asked.side() != MultiportMatch.Side.SOURCE) {
        set =
            sets.or(set, fields.between(PacketFields.DESTINATION_PORT, range.low(), range.high()));
      }
    }
    return inverted(set, asked.inverted());
  }

  private int icmp(IcmpMatch asked) {
    int set = PacketSets.ALL;
    if (asked.icmpType() != 0xFF) {
      set =
          sets.and(
              fields.is(PacketFields.ICMP_TYPE, asked.icmpType()),
              fields.between(PacketFields.ICMP_CODE, asked.lowCode(), asked.highCode()));
    }
    return inverted(set, asked.inverted());
  }

  private int addresses(PacketFields.Field field, IprangeMatch.Range range) {
    return range == null
        ? PacketSets.ALL
        : inverted(
            fields.between(
                field, Integer.toUnsignedLong(range.low()), Integer.toUnsignedLong(range.high())),
            range.inverted());
  }

  private int mark(MarkValue asked) {
    int set =
        (asked.value() & ~asked.mask()) != 0
            ? PacketSets.NONE
            : fields.masked(PacketFields.MARK, asked.value(), asked.mask());
    return inverted(set, asked.inverted());
  }

  private Part conntrack(ConntrackMatch asked, String words) {
    int set =
        asked.states() == 0
            ? PacketSets.ALL
            : inverted(fields.states(asked.states()), asked.notStates());
    boolean more =
        asked.protocol() >= 0
            || !asked.addresses().equals(NO_ADDRESSES)
            || !asked.ports().equals(NO_PORTS)
            || asked.asksStatus()
            || asked.direction() >= 0;
    if (asked.expire() != ConntrackMatch.Range.NONE) {
      return new Part(words, set, false);
    }
    return new Part(words, more ? sets.and(set, fields.opaque(words)) : set, true);
  }
}
