// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.nat;

import static io.skbwalk.netfilter.conntrack.ConntrackInfo.ORIGINAL;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.REPLY;

import io.skbwalk.kernel.Prandom;
import io.skbwalk.lib.Jhash;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackStatus;
import io.skbwalk.netfilter.conntrack.ConntrackTuple;
import io.skbwalk.skb.IpHeader;

/**
 * Plays get_unique_tuple of nf_nat_core.c: what a new connection is translated to, so that its
 * replies can be told from those of all others.
 *
 * <p>A port is kept when it can be. Otherwise the search begins at a random place for source NAT
 * and at the first port of the range for destination NAT, and gives up after a few hundred tries;
 * the packet is then dropped when its connection is confirmed.
 */
final class UniqueTuple {
  private static final int IPPROTO_GRE = 47;
  private static final int IPPROTO_SCTP = 132;
  private static final int IPPROTO_UDPLITE = 136;

  private static final int RANDOM_ALL = NatRange.PROTO_RANDOM | NatRange.PROTO_RANDOM_FULLY;

  /** NF_NAT_MAX_ATTEMPTS: ports tried in the first round. */
  private static final int MAX_ATTEMPTS = 128;

  /** NF_NAT_HARDER_THRESH: with as few attempts left, a closed TCP connection must give way. */
  private static final int HARDER = MAX_ATTEMPTS / 4;

  private static final int FEWEST_ATTEMPTS = 16;

  /** TCP_CONNTRACK_SYN_SENT. */
  private static final int SYN_SENT = 1;

  /** TCP_CONNTRACK_TIME_WAIT; CLOSE and SYN_SENT2 lie above it. */
  private static final int TIME_WAIT = 7;

  private final Conntrack conntrack;
  private final Prandom random;
  private final ConntrackTuple reply = new ConntrackTuple();

  /** What was chosen. */
  final ConntrackTuple chosen = new ConntrackTuple();

  private int ct;
  private boolean destination;
  private int flags;
  private int minAddress;
  private int maxAddress;
  private int minPort;
  private int maxPort;
  private int basePort;

  UniqueTuple(Conntrack conntrack, Prandom random) {
    this.conntrack = conntrack;
    this.random = random;
  }

  /** Sets the range that {@link #choose} chooses from; as in {@link NatRange}. */
  void range(int flags, int minAddress, int maxAddress, int minPort, int maxPort, int basePort) {
    this.flags = flags;
    this.minAddress = minAddress;
    this.maxAddress = maxAddress;
    this.minPort = minPort;
    this.maxPort = maxPort;
    this.basePort = basePort;
  }

  /**
   * Leaves in {@link #chosen} what {@code current}, the inverse of the reply tuple of {@code ct},
   * becomes.
   */
  void choose(int ct, ConntrackTuple current, boolean destination) {
    this.ct = ct;
    this.destination = destination;
    boolean random = has(RANDOM_ALL);
    if (!destination && !random && (keeps(current) || reuses(current))) {
      return;
    }
    chosen.set(current);
    chooseAddress();
    if (!random && portWillDo()) {
      return;
    }
    choosePort();
  }

  private boolean has(int flag) {
    return (flags & flag) != 0;
  }

  /** May the source stay as it is? */
  private boolean keeps(ConntrackTuple current) {
    chosen.set(current);
    return inRange(current) && !takenUnchanged();
  }

  /**
   * Plays find_appropriate_src: another connection from the same source has a mapping in the range
   * that serves this destination as well.
   */
  private boolean reuses(ConntrackTuple current) {
    if (inRange(current)) {
      return false;
    }
    int other =
        conntrack.firstBySource(
            current.protocol, current.source, current.sourcePort, conntrack.zone(ct, ORIGINAL));
    for (; other != 0; other = conntrack.nextBySource(other)) {
      conntrack.tuple(other, REPLY, chosen);
      chosen.invert(chosen);
      chosen.destination = current.destination;
      chosen.destinationPort = current.destinationPort;
      if (inRange(chosen)) {
        return !taken();
      }
    }
    return false;
  }

  /** Plays nf_in_range for a source. */
  private boolean inRange(ConntrackTuple tuple) {
    if (has(NatRange.MAP_IPS)
        && (Integer.compareUnsigned(tuple.source, minAddress) < 0
            || Integer.compareUnsigned(tuple.source, maxAddress) > 0)) {
      return false;
    }
    return !has(NatRange.PROTO_SPECIFIED) || portInRange(tuple, false);
  }

  /** Plays l4proto_in_range. */
  private boolean portInRange(ConntrackTuple tuple, boolean destination) {
    int port;
    switch (tuple.protocol) {
      case IpHeader.IPPROTO_ICMP:
        port = tuple.sourcePort;
        break;
      case IPPROTO_GRE:
      case IpHeader.IPPROTO_TCP:
      case IpHeader.IPPROTO_UDP:
      case IPPROTO_UDPLITE:
      case IPPROTO_SCTP:
        port = destination ? tuple.destinationPort : tuple.sourcePort;
        break;
      default:
        return true;
    }
    return port >= minPort && port <= maxPort;
  }

  /**
   * Plays find_best_ips_proto: the address is a hash of source and destination, so that a server
   * sees a client come from one address; with --persistent of the source alone.
   */
  private void chooseAddress() {
    if (!has(NatRange.MAP_IPS)) {
      return;
    }
    int address = minAddress;
    if (minAddress != maxAddress) {
      // The kernel hashes addresses as they lie in memory, so these are a little-endian machine's.
      int seed =
          has(NatRange.PERSISTENT)
              ? 0
              : Integer.reverseBytes(chosen.destination) ^ conntrack.zoneId(ct);
      long hash = hash(Integer.reverseBytes(chosen.source), seed) & 0xFFFFFFFFL;
      long size = maxAddress - minAddress + 1 & 0xFFFFFFFFL;
      address += (int) (hash * size >>> 32);
    }
    if (destination) {
      chosen.destination = address;
    } else {
      chosen.source = address;
    }
  }

  /** The hash of an address, which fills the first of four words. */
  static int hash(int word, int seed) {
    return Jhash.words(word, 0, 0, 0, seed);
  }

  /** Is the tuple with its new address right as it is? */
  private boolean portWillDo() {
    if (!has(NatRange.PROTO_SPECIFIED)) {
      return !taken();
    }
    return !has(NatRange.PROTO_OFFSET)
        && portInRange(chosen, destination)
        && (minPort == maxPort || !taken());
  }

  /** Plays nf_nat_l4proto_unique_tuple. */
  private void choosePort() {
    int min;
    int size;
    boolean icmp = false;
    switch (chosen.protocol) {
      case IpHeader.IPPROTO_ICMP:
        icmp = true;
        min = has(NatRange.PROTO_SPECIFIED) ? minPort : 0;
        size = has(NatRange.PROTO_SPECIFIED) ? maxPort - minPort + 1 : 65_536;
        break;
      case IPPROTO_GRE:
        // Only PPTP's has keys that may change.
        if (conntrack.master(ct) == 0) {
          return;
        }
        min = has(NatRange.PROTO_SPECIFIED) ? minPort : 1;
        size = has(NatRange.PROTO_SPECIFIED) ? maxPort - minPort + 1 : 65_535;
        break;
      case IpHeader.IPPROTO_TCP:
      case IpHeader.IPPROTO_UDP:
      case IPPROTO_UDPLITE:
      case IPPROTO_SCTP:
        if (has(NatRange.PROTO_SPECIFIED)) {
          min = Math.min(minPort, maxPort);
          size = Math.max(minPort, maxPort) - min + 1;
        } else if (destination) {
          return;
        } else if (chosen.sourcePort < 512) {
          min = 1;
          size = 511;
        } else if (chosen.sourcePort < 1024) {
          min = 600;
          size = 424;
        } else {
          min = 1024;
          size = 64_512;
        }
        break;
      default:
        return;
    }
    boolean inSource = icmp || !destination;
    int port = inSource ? chosen.sourcePort : chosen.destinationPort;
    int offset;
    if (has(NatRange.PROTO_OFFSET)) {
      offset = port - basePort & 0xFFFF;
    } else if (has(RANDOM_ALL) || !destination) {
      offset = random.nextInt() & 0xFFFF;
    } else {
      offset = 0;
    }
    search(inSource, min, size, offset);
  }

  private void search(boolean inSource, int min, int size, int offset) {
    int attempts = Math.min(size, MAX_ATTEMPTS);
    while (true) {
      for (int i = 0; i < attempts; i++, offset = offset + 1 & 0xFFFF) {
        int port = min + offset % size & 0xFFFF;
        if (inSource) {
          chosen.sourcePort = port;
        } else {
          chosen.destinationPort = port;
        }
        if (!takenHarder(attempts - i)) {
          return;
        }
      }
      if (attempts >= size || attempts < FEWEST_ATTEMPTS) {
        return;
      }
      attempts /= 2;
      offset = random.nextInt() & 0xFFFF;
    }
  }

  /** Plays nf_nat_used_tuple: would replies to {@link #chosen} be taken for another's? */
  private boolean taken() {
    reply.invert(chosen);
    return conntrack.tupleTaken(reply, ct);
  }

  /**
   * Plays nf_nat_used_tuple_new: two connections that are each other's reverse, both without NAT,
   * are one whose first packets crossed; confirming it resolves that.
   */
  private boolean takenUnchanged() {
    if (!taken()) {
      return false;
    }
    switch (chosen.protocol) {
      case IpHeader.IPPROTO_TCP:
      case IpHeader.IPPROTO_ICMP:
      case IPPROTO_SCTP:
      case IPPROTO_GRE:
        return true; // no allow_clash
      default:
    }
    if (conntrack.has(ct, ConntrackStatus.IPS_NAT_MASK | ConntrackStatus.IPS_SEQ_ADJUST)) {
      return true;
    }
    int zone = conntrack.zoneId(ct);
    int directions = conntrack.zoneDirections(ct);
    int node = conntrack.find(chosen, zone, directions);
    if (node == 0) {
      node = conntrack.find(reply, zone, directions);
      if (node == 0) {
        return false;
      }
    }
    int other = node >>> 1;
    if (conntrack.has(other, ConntrackStatus.IPS_NAT_MASK | ConntrackStatus.IPS_SEQ_ADJUST)) {
      return true;
    }
    return conntrack.source(other, ORIGINAL) != conntrack.source(ct, REPLY)
        || conntrack.destination(other, ORIGINAL) != conntrack.destination(ct, REPLY)
        || conntrack.sourcePort(other, ORIGINAL) != conntrack.sourcePort(ct, REPLY)
        || conntrack.destinationPort(other, ORIGINAL) != conntrack.destinationPort(ct, REPLY);
  }

  /**
   * Plays nf_nat_used_tuple_harder: near the end of the search a TCP connection that is over gives
   * way to a SYN whose sequence number lies beyond it.
   */
  private boolean takenHarder(int attemptsLeft) {
    if (attemptsLeft > HARDER
        || chosen.protocol != IpHeader.IPPROTO_TCP
        || conntrack.protocolState(ct) != SYN_SENT) {
      return taken();
    }
    reply.invert(chosen);
    int node = conntrack.find(reply, conntrack.zoneId(ct), conntrack.zoneDirections(ct));
    if (node == 0) {
      return false;
    }
    int other = node >>> 1;
    int status = conntrack.status(other);
    boolean mayGo =
        (node & 1) == REPLY
            && conntrack.protocolState(other) >= TIME_WAIT
            && (status & (ConntrackStatus.IPS_FIXED_TIMEOUT | ConntrackStatus.IPS_DYING)) == 0
            && (status & ConntrackStatus.IPS_SRC_NAT) != 0
            && conntrack.tcpEnd(ct, ORIGINAL) - conntrack.tcpEnd(other, ORIGINAL) > 0;
    return !mayGo || !conntrack.delete(other);
  }
}
