// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import static io.skbwalk.netfilter.conntrack.ConntrackInfo.ORIGINAL;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.REPLY;

import io.skbwalk.kernel.Clock;
import io.skbwalk.lib.TextBytes;
import io.skbwalk.skb.IpHeader;

/**
 * Plays conntrack(8) of conntrack-tools 1.4.7: entries and events as its lines, without newline.
 */
public final class ConntrackPrinter {
  private static final int IPPROTO_GRE = 47;

  /** Flags of an expectation, by bit. */
  private static final String[] FLAGS = {"PERMANENT", "INACTIVE", "USERSPACE"};

  /** SECINITSID_UNLABELED, as the policies of distributions have it. */
  private static final String UNLABELED = "system_u:object_r:unlabeled_t:s0";

  private ConntrackPrinter() {}

  /** A protocol's name as conntrack prints it; {@code unknown} for those without a tracker. */
  public static String protocolName(int protocol) {
    switch (protocol) {
      case IpHeader.IPPROTO_ICMP:
        return "icmp";
      case IpHeader.IPPROTO_TCP:
        return "tcp";
      case IpHeader.IPPROTO_UDP:
        return "udp";
      case 33:
        return "dccp";
      case IPPROTO_GRE:
        return "gre";
      case 58:
        return "icmpv6";
      case 132:
        return "sctp";
      case 136:
        return "udplite";
      default:
        return "unknown";
    }
  }

  /** The line of {@code conntrack -L}. */
  public static String list(Conntrack conntrack, int ct) {
    return list(conntrack, ct, false);
  }

  /** The line of {@code conntrack -L -o labels}. */
  public static String listWithLabels(Conntrack conntrack, int ct) {
    return list(conntrack, ct, true);
  }

  private static String list(Conntrack conntrack, int ct, boolean labels) {
    TextBytes line = new TextBytes(160);
    entry(line, conntrack, ct, true, true, true);
    line.append(" mark=").append(Integer.toUnsignedString(conntrack.mark(ct)));
    securityContext(line, conntrack, ct);
    zone(line, conntrack, ct);
    age(line, conntrack, ct);
    helper(line, conntrack, ct);
    line.append(" use=").append(conntrack.use(ct));
    String named = labels ? conntrack.labels().text(ct) : "";
    if (!named.isEmpty()) {
      line.append(" labels=").append(named);
    }
    return line.toString();
  }

  /** The line of {@code conntrack -E}. */
  public static String event(
      ConntrackEventListener.Type type, Conntrack conntrack, int ct, int events) {
    TextBytes line = new TextBytes(160);
    event(line, type, conntrack, ct, events);
    return line.toString();
  }

  /** Appends the same. */
  public static void event(
      TextBytes line, ConntrackEventListener.Type type, Conntrack conntrack, int ct, int events) {
    switch (type) {
      case NEW:
        line.append("    [NEW] ");
        break;
      case UPDATE:
        line.append(" [UPDATE] ");
        break;
      default:
        line.append("[DESTROY] ");
        break;
    }
    boolean destroyed = type == ConntrackEventListener.Type.DESTROY;
    entry(
        line,
        conntrack,
        ct,
        !destroyed || conntrack.timeoutSeconds(ct) != 0,
        destroyed || (events & ConntrackEvents.PROTOINFO) != 0,
        destroyed);
    if (conntrack.mark(ct) != 0 || (events & ConntrackEvents.MARK) != 0) {
      line.append(" mark=").append(Integer.toUnsignedString(conntrack.mark(ct)));
    }
    if (!destroyed && (events & ConntrackEvents.SECMARK | conntrack.secmark(ct)) != 0) {
      securityContext(line, conntrack, ct);
    }
    zone(line, conntrack, ct);
    if (destroyed) {
      age(line, conntrack, ct);
    } else {
      helper(line, conntrack, ct);
    }
  }

  /** The line of {@code conntrack -L expect}; Linux tells it no zone. */
  public static String expectation(Conntrack conntrack, ConntrackExpect expect) {
    TextBytes line = new TextBytes(200);
    line.append(conntrack.expectations().timeoutSeconds(expect));
    ConntrackTuple tuple = expect.tuple;
    line.append(" proto=").append(tuple.protocol);
    line.append(" src=").address(tuple.source);
    line.append(" dst=").address(tuple.destination);
    keys(line, tuple.protocol, tuple.sourcePort, tuple.destinationPort);
    line.append(" mask-src=").address(expect.maskSource);
    line.append(" mask-dst=255.255.255.255");
    keys(line, tuple.protocol, expect.maskSourcePort, 0xFFFF);
    int master = expect.master;
    line.append(" master-src=").address(conntrack.source(master, ORIGINAL));
    line.append(" master-dst=").address(conntrack.destination(master, ORIGINAL));
    keys(
        line,
        conntrack.protocol(master),
        conntrack.sourcePort(master, ORIGINAL),
        conntrack.destinationPort(master, ORIGINAL));
    String separator = " ";
    for (int i = 0; i < FLAGS.length; i++) {
      if ((expect.flags & 1 << i) != 0) {
        line.append(separator).append(FLAGS[i]);
        separator = ",";
      }
    }
    line.append(" class=").append(expect.expectClass);
    if (expect.helper != null) {
      line.append(" helper=").append(expect.helper.name);
    }
    return line.toString();
  }

  private static void keys(TextBytes line, int protocol, int source, int destination) {
    if (protocol == IPPROTO_GRE) {
      line.append(" srckey=0x").append(Integer.toHexString(source));
      line.append(" dstkey=0x").append(Integer.toHexString(destination));
    } else {
      line.append(" sport=").append(source).append(" dport=").append(destination);
    }
  }

  /** With SELinux every connection has a context, if only that of what has no label. */
  private static void securityContext(TextBytes line, Conntrack conntrack, int ct) {
    if (!conntrack.securityContexts().isEmpty()) {
      int secmark = conntrack.secmark(ct);
      line.append(" secctx=")
          .append(secmark == 0 ? UNLABELED : conntrack.securityContexts().get(secmark - 1));
    }
  }

  private static void helper(TextBytes line, Conntrack conntrack, int ct) {
    ConntrackHelp help = conntrack.help(ct);
    if (help != null) {
      line.append(" helper=").append(help.helper().name);
    }
  }

  private static void entry(
      TextBytes line,
      Conntrack conntrack,
      int ct,
      boolean timeout,
      boolean state,
      boolean counters) {
    int protocol = conntrack.protocol(ct);
    String name = protocolName(protocol);
    line.append(name);
    for (int i = name.length(); i < 8; i++) {
      line.append(' ');
    }
    line.append(' ').append(protocol);
    if (timeout) {
      line.append(' ').append(conntrack.timeoutSeconds(ct));
    }
    String stateName = state ? conntrack.protocolStateName(ct) : "";
    if (!stateName.isEmpty()) {
      line.append(' ').append(stateName);
    }
    tuple(line, conntrack, ct, ORIGINAL, counters);
    if (!conntrack.has(ct, ConntrackStatus.IPS_SEEN_REPLY)) {
      line.append(" [UNREPLIED]");
    }
    tuple(line, conntrack, ct, REPLY, counters);
    if (conntrack.has(ct, ConntrackStatus.IPS_ASSURED)) {
      line.append(" [ASSURED]");
    }
  }

  private static void tuple(
      TextBytes line, Conntrack conntrack, int ct, int direction, boolean counters) {
    line.append(" src=").address(conntrack.source(ct, direction));
    line.append(" dst=").address(conntrack.destination(ct, direction));
    switch (conntrack.protocol(ct)) {
      case IpHeader.IPPROTO_ICMP:
        line.append(" type=").append(conntrack.icmpType(ct, direction));
        line.append(" code=").append(conntrack.icmpCode(ct, direction));
        line.append(" id=").append(conntrack.icmpId(ct, direction));
        break;
      case IPPROTO_GRE:
        line.append(" srckey=0x").append(Integer.toHexString(conntrack.sourcePort(ct, direction)));
        line.append(" dstkey=0x")
            .append(Integer.toHexString(conntrack.destinationPort(ct, direction)));
        break;
      case IpHeader.IPPROTO_TCP:
      case IpHeader.IPPROTO_UDP:
      case 33: // DCCP has no tracker any more, but conntrack still prints its ports, all 0.
      case 132:
      case 136:
        line.append(" sport=").append(conntrack.sourcePort(ct, direction));
        line.append(" dport=").append(conntrack.destinationPort(ct, direction));
        break;
      default:
        break;
    }
    if (conntrack.zoneId(ct) != 0 && conntrack.zoneDirections(ct) == 1 << direction) {
      line.append(direction == ORIGINAL ? " zone-orig=" : " zone-reply=");
      line.append(conntrack.zoneId(ct));
    }
    if (counters && conntrack.accounted(ct)) {
      line.append(" packets=").append(conntrack.packets(ct, direction));
      line.append(" bytes=").append(conntrack.bytes(ct, direction));
    }
  }

  private static void zone(TextBytes line, Conntrack conntrack, int ct) {
    int zone = conntrack.zoneId(ct);
    if (zone != 0 && conntrack.zoneDirections(ct) == Conntrack.ZONE_DIR_BOTH) {
      line.append(" zone=").append(zone);
    }
  }

  /** From the second in which it began to this one, so that a moment may be a second. */
  private static void age(TextBytes line, Conntrack conntrack, int ct) {
    long start = conntrack.start(ct);
    if (start != 0) {
      line.append(" delta-time=")
          .append(conntrack.net.clock.now() / Clock.SECOND - start / Clock.SECOND);
    }
  }
}
