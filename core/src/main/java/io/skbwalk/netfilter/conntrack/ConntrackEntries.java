// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import static io.skbwalk.netfilter.conntrack.ConntrackInfo.REPLY;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_CONFIRMED;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_DYING;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_NAT_CLASH;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_TEMPLATE;

import io.skbwalk.kernel.Clock;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.Net;

/**
 * Plays struct nf_conn with its accessors (nf_conntrack.h, nf_conntrack_zones.h,
 * nf_conntrack_acct.h, nf_conntrack_timestamp.h): what is known of each connection.
 *
 * <p>An entry is an {@code int} handle, 0 for none. Most accessors take the handle and a direction,
 * {@link ConntrackInfo#ORIGINAL} or {@link ConntrackInfo#REPLY}. Addresses are {@link
 * io.skbwalk.lib.Ip4} ints, ports 0 to 65535.
 */
public abstract sealed class ConntrackEntries permits Conntrack {
  /** Zone directions of a zone for both, NF_CT_DEFAULT_ZONE_DIR. */
  public static final int ZONE_DIR_BOTH = 3;

  /** NF_CT_ZONE_DIR_ORIG: the zone is that of the original direction only. */
  public static final int ZONE_DIR_ORIGINAL = 1;

  /** NF_CT_ZONE_DIR_REPL: the zone is that of the reply direction only. */
  public static final int ZONE_DIR_REPLY = 2;

  static final int IPPROTO_SCTP = 132;

  final Net net;
  final ConntrackMemory memory = new ConntrackMemory();
  final ConntrackExtensions extensions = new ConntrackExtensions();
  final ConntrackSynproxy synproxies = new ConntrackSynproxy();

  ConntrackEntries(Net net) {
    this.net = net;
  }

  /** IP protocol number. */
  public final int protocol(int ct) {
    return memory.get(ct, ConntrackMemory.META) & 0xFF;
  }

  /** Source address of a direction's tuple. */
  public final int source(int ct, int direction) {
    return memory.get(ct, direction * 3);
  }

  /** Destination address of a direction's tuple. */
  public final int destination(int ct, int direction) {
    return memory.get(ct, direction * 3 + ConntrackMemory.DESTINATION);
  }

  /** Source port (ICMP: identifier) of a direction's tuple. */
  public final int sourcePort(int ct, int direction) {
    return memory.get(ct, direction * 3 + ConntrackMemory.PORTS) >>> 16;
  }

  /** Destination port (ICMP: type times 256 plus code) of a direction's tuple. */
  public final int destinationPort(int ct, int direction) {
    return memory.get(ct, direction * 3 + ConntrackMemory.PORTS) & 0xFFFF;
  }

  /** ICMP type of a direction's tuple. */
  public final int icmpType(int ct, int direction) {
    return destinationPort(ct, direction) >>> 8;
  }

  /** ICMP code of a direction's tuple. */
  public final int icmpCode(int ct, int direction) {
    return destinationPort(ct, direction) & 0xFF;
  }

  /** ICMP identifier of a direction's tuple. */
  public final int icmpId(int ct, int direction) {
    return sourcePort(ct, direction);
  }

  /** Plays nf_ct_tuple: fills {@code tuple} with a direction's. */
  public final void tuple(int ct, int direction, ConntrackTuple tuple) {
    int[] words = memory.chunk(ct);
    int at = ConntrackMemory.offset(ct);
    tuple.source = words[at + direction * 3];
    tuple.destination = words[at + direction * 3 + ConntrackMemory.DESTINATION];
    tuple.ports(words[at + direction * 3 + ConntrackMemory.PORTS]);
    tuple.protocol = words[at + ConntrackMemory.META] & 0xFF;
  }

  final void setTuple(int ct, int direction, ConntrackTuple tuple) {
    int[] words = memory.chunk(ct);
    int at = ConntrackMemory.offset(ct) + direction * 3;
    words[at] = tuple.source;
    words[at + ConntrackMemory.DESTINATION] = tuple.destination;
    words[at + ConntrackMemory.PORTS] = tuple.ports();
  }

  /**
   * Plays nf_conntrack_alter_reply: NAT has chosen the reply tuple of an unconfirmed entry.
   *
   * @throws IllegalStateException when the entry is in the table already
   */
  public final void setReplyTuple(int ct, ConntrackTuple tuple) {
    if (has(ct, IPS_CONFIRMED)) {
      throw new IllegalStateException("the reply tuple of a confirmed entry cannot change");
    }
    setTuple(ct, REPLY, tuple);
  }

  /** The bits of {@link ConntrackStatus}. */
  public final int status(int ct) {
    return memory.get(ct, ConntrackMemory.STATUS);
  }

  /** Is any of {@code bits} set? */
  public final boolean has(int ct, int bits) {
    return (memory.get(ct, ConntrackMemory.STATUS) & bits) != 0;
  }

  /** Sets {@code bits} too. */
  public final void addStatus(int ct, int bits) {
    memory.set(ct, ConntrackMemory.STATUS, memory.get(ct, ConntrackMemory.STATUS) | bits);
  }

  /** The connection's mark. */
  public final int mark(int ct) {
    return memory.get(ct, ConntrackMemory.MARK);
  }

  /** Sets the mark as CONNMARK does: an event when it changes. */
  public final void setMark(int ct, int mark) {
    if (memory.get(ct, ConntrackMemory.MARK) != mark) {
      memory.set(ct, ConntrackMemory.MARK, mark);
      cacheEvent(ct, ConntrackEvents.MARK);
    }
  }

  /** The connection's security mark, 0 for none. */
  public final int secmark(int ct) {
    return extension(ct, ConntrackExtensions.SECMARK);
  }

  /** Sets the security mark, which is told as an event. */
  public final void setSecmark(int ct, int secmark) {
    setExtension(ct, ConntrackExtensions.SECMARK, secmark);
    cacheEvent(ct, ConntrackEvents.SECMARK);
  }

  /** Plays nf_conntrack_event_cache: told with the packet's other events when it is confirmed. */
  public final void cacheEvent(int ct, int event) {
    if ((memory.get(ct, ConntrackMemory.META) & ConntrackMemory.META_EVENTS) != 0) {
      memory.set(
          ct, ConntrackMemory.REFERENCES, memory.get(ct, ConntrackMemory.REFERENCES) | event << 16);
    }
  }

  /** Plays nf_ct_zone_id: the zone that a direction's tuple lies in; 0 by default. */
  public final int zone(int ct, int direction) {
    int meta = memory.get(ct, ConntrackMemory.META);
    return (meta >>> ConntrackMemory.META_DIR_SHIFT & 1 << direction) == 0
        ? 0
        : meta >>> ConntrackMemory.META_ZONE_SHIFT & 0xFFFF;
  }

  /** The zone as it was assigned, whichever directions it holds for. */
  public final int zoneId(int ct) {
    return memory.get(ct, ConntrackMemory.META) >>> ConntrackMemory.META_ZONE_SHIFT & 0xFFFF;
  }

  /** ZONE_DIR_ bits: the directions that {@link #zoneId} holds for. */
  public final int zoneDirections(int ct) {
    return memory.get(ct, ConntrackMemory.META) >>> ConntrackMemory.META_DIR_SHIFT & ZONE_DIR_BOTH;
  }

  /** Plays nf_ct_expires: ticks of {@link Clock#HZ} until it runs out, at least 0. */
  public final int expires(int ct) {
    int ticks = memory.get(ct, ConntrackMemory.TIMEOUT);
    if ((status(ct) & (IPS_CONFIRMED | IPS_TEMPLATE)) == IPS_CONFIRMED) {
      ticks -= (int) net.clock.jiffies();
    }
    return Math.max(ticks, 0);
  }

  /** Whole seconds until it runs out, as conntrack -L prints them. */
  public final int timeoutSeconds(int ct) {
    return expires(ct) / Clock.HZ;
  }

  /** A word of {@link ConntrackExtensions}; 0 when the entry has none. */
  final int extension(int ct, int word) {
    int extension = memory.get(ct, ConntrackMemory.EXTENSIONS);
    return extension == 0 ? 0 : extensions.get(extension, word);
  }

  /** Plays nf_ct_ext_add: sets a word of {@link ConntrackExtensions}, which come with the first. */
  final void setExtension(int ct, int word, int value) {
    extensions.set(extendedBy(ct), word, value);
  }

  /** The handle of the entry's extensions, which are made when it has none. */
  final int extendedBy(int ct) {
    int extension = memory.get(ct, ConntrackMemory.EXTENSIONS);
    if (extension == 0) {
      extension = extensions.allocate();
      memory.set(ct, ConntrackMemory.EXTENSIONS, extension);
    }
    return extension;
  }

  /** The connection that expected this one, 0 for none. */
  public final int master(int ct) {
    return extension(ct, ConntrackExtensions.MASTER);
  }

  /** Plays nfct_help: what the connection's helper remembers; null without a helper. */
  public final ConntrackHelp help(int ct) {
    return has(ct, ConntrackStatus.IPS_HELPER)
        ? extensions.help(memory.get(ct, ConntrackMemory.EXTENSIONS))
        : null;
  }

  /** Plays nfct_synproxy_ext_add: the connection, or template, is that of a SYNPROXY. */
  public final void addSynproxy(int ct) {
    setExtension(ct, ConntrackExtensions.SYNPROXY, synproxies.allocate());
  }

  /** Plays nfct_synproxy: is the connection that of a SYNPROXY? */
  public final boolean hasSynproxy(int ct) {
    return extension(ct, ConntrackExtensions.SYNPROXY) != 0;
  }

  /** A word of {@link ConntrackSynproxy} of an entry that {@link #hasSynproxy}. */
  public final int synproxy(int ct, int word) {
    return synproxies.get(extension(ct, ConntrackExtensions.SYNPROXY), word);
  }

  /** Sets what {@link #synproxy} reads. */
  public final void setSynproxy(int ct, int word, int value) {
    synproxies.set(extension(ct, ConntrackExtensions.SYNPROXY), word, value);
  }

  /** Clock, packets, randomness. */
  public final Net net() {
    return net;
  }

  /** The protocol's state: TCP and SCTP by the kernel's numbers; 0 for others. */
  public final int protocolState(int ct) {
    int protocol = protocol(ct);
    if (protocol == IpHeader.IPPROTO_TCP) {
      return TcpConnection.state(memory, ct);
    }
    return protocol == IPPROTO_SCTP ? SctpTracker.state(memory, ct) : 0;
  }

  /** The name of {@link #protocolState}, such as SYN_SENT; empty for protocols without states. */
  public final String protocolStateName(int ct) {
    int protocol = protocol(ct);
    if (protocol == IpHeader.IPPROTO_TCP) {
      return TcpStates.NAMES[TcpConnection.state(memory, ct)];
    }
    return protocol == IPPROTO_SCTP ? SctpTracker.NAMES[SctpTracker.state(memory, ct)] : "";
  }

  /** td_end: behind the last sequence number that a side of a TCP connection has sent. */
  public final int tcpEnd(int ct, int direction) {
    return TcpConnection.end(memory, ct, direction);
  }

  /** td_maxwin: the largest window that a side of a TCP connection has announced, scaled. */
  public final int tcpMaxWindow(int ct, int direction) {
    return TcpConnection.maxWindow(memory, ct, direction);
  }

  /** Does the entry count (nf_conntrack_acct was on when it was made)? */
  public final boolean accounted(int ct) {
    return (memory.get(ct, ConntrackMemory.META) & ConntrackMemory.META_ACCT) != 0;
  }

  /** Packets of a direction; 0 when not {@link #accounted}. */
  public final long packets(int ct, int direction) {
    return accounted(ct) ? memory.packets(ct, direction) : 0;
  }

  /** Bytes of a direction, from the IP header on; 0 when not {@link #accounted}. */
  public final long bytes(int ct, int direction) {
    return accounted(ct) ? memory.bytes(ct, direction) : 0;
  }

  /** When it was confirmed, nanoseconds since the epoch; 0 without nf_conntrack_timestamp. */
  public final long start(int ct) {
    return (memory.get(ct, ConntrackMemory.META) & ConntrackMemory.META_START) != 0
        ? memory.start(ct)
        : 0;
  }

  /** References: 1 of the table and 1 of each packet. */
  public final int use(int ct) {
    return memory.get(ct, ConntrackMemory.REFERENCES) & 0xFFFF;
  }

  /** Index of the interface that MASQUERADE chose the address of, 0 for none. */
  public final int masqueradeIndex(int ct) {
    return memory.masqueradeIndex(ct);
  }

  /** See {@link #masqueradeIndex}. */
  public final void setMasqueradeIndex(int ct, int ifindex) {
    memory.setMasqueradeIndex(ct, ifindex);
  }

  /** The first confirmed entry for a listing, 0 for none; go on with {@link #next}. */
  public final int first() {
    return next(0);
  }

  /**
   * The confirmed entry after {@code ct}, 0 at the end. Entries that lost a clash are not listed,
   * as in Linux. Entries may be deleted meanwhile.
   */
  public final int next(int ct) {
    for (int at = ct + 1; at <= memory.highest(); at++) {
      if (use(at) != 0 && isListed(at)) {
        return at;
      }
    }
    return 0;
  }

  /** Is the entry in the table, so that a listing has it? */
  public final boolean isListed(int ct) {
    int unlisted = IPS_TEMPLATE | IPS_DYING | IPS_NAT_CLASH;
    return (status(ct) & (IPS_CONFIRMED | unlisted)) == IPS_CONFIRMED;
  }

  /** Have both the same tuple in {@code direction}? Zones do not count. */
  final boolean sameTuple(int a, int b, int direction) {
    return sameTuple(a, direction, b, direction);
  }

  /** Is one tuple of {@code a} the same as one of {@code b}? Zones do not count. */
  final boolean sameTuple(int a, int directionOfA, int b, int directionOfB) {
    return source(a, directionOfA) == source(b, directionOfB)
        && destination(a, directionOfA) == destination(b, directionOfB)
        && memory.get(a, directionOfA * 3 + ConntrackMemory.PORTS)
            == memory.get(b, directionOfB * 3 + ConntrackMemory.PORTS)
        && protocol(a) == protocol(b);
  }
}
