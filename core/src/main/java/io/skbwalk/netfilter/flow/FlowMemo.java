// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.flow;

import io.skbwalk.device.NetDevice;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;
import java.util.Arrays;
import java.util.Objects;

/**
 * What a packet met at one hook: what it looked like to the rules, the entries that matched it, and
 * what became of it. Many connections share one.
 */
final class FlowMemo {
  /** At this hook a packet of the connection must be judged anew each time. */
  static final FlowMemo NEVER = new FlowMemo();

  private static final int MOST_ENTRIES = 64;

  // What rules can see of the packet besides its tuple, which the connection has.
  private NetDevice in;
  private NetDevice out;
  private int tos;
  private int mark;

  /** The flags byte of a TCP segment, if rules tell ACK, with PSH, with FIN apart; else 0. */
  private int tcpFlags;

  // What they can see of its connection.
  int ctInfo;
  int status;
  int connmark;

  // What they did.
  int markAfter;
  boolean translates;
  private int count;

  /** So many of the entries were met before the packet's connection was known. */
  private int beforeTracking;

  private long[][] packetCounters = new long[8][];
  private long[][] byteCounters = new long[8][];
  private int[] entries = new int[8];

  // Packets since the entries' counters were last right.
  private long packets;
  private long bytes;

  /** Empties it for the next packet. */
  void open(SkBuff skb, NetDevice in, NetDevice out) {
    this.in = in;
    this.out = out;
    tos = IpHeader.tos(skb);
    mark = skb.mark;
    tcpFlags = 0;
    count = 0;
    beforeTracking = 0;
  }

  /** Rules tell segments with ACK apart by their other flags. */
  void tellFlagsApart(SkBuff skb) {
    tcpFlags = TcpHeader.flags(skb, transport(skb));
  }

  /** Have rules given the packet another mark? */
  boolean changesMark() {
    return markAfter != mark;
  }

  /** An entry of a table has matched; false when there are too many. */
  boolean add(long[] packets, long[] bytes, int entry, boolean tracked) {
    if (count == MOST_ENTRIES) {
      return false;
    }
    if (count == entries.length) {
      packetCounters = Arrays.copyOf(packetCounters, 2 * count);
      byteCounters = Arrays.copyOf(byteCounters, 2 * count);
      entries = Arrays.copyOf(entries, 2 * count);
    }
    packetCounters[count] = packets;
    byteCounters[count] = bytes;
    entries[count++] = entry;
    if (!tracked) {
      beforeTracking = count;
    }
    return true;
  }

  /** Does the packet look to the rules as that did which this was noted down of? */
  boolean isLike(SkBuff skb, NetDevice in, NetDevice out) {
    return in == this.in
        && out == this.out
        && skb.mark == mark
        && IpHeader.tos(skb) == tos
        && (tcpFlags == 0 || TcpHeader.flags(skb, transport(skb)) == tcpFlags);
  }

  private static int transport(SkBuff skb) {
    return skb.networkHeader + IpHeader.MIN_LENGTH;
  }

  /** One more packet has met all of it. */
  void count(SkBuff skb) {
    packets++;
    bytes += skb.length();
  }

  /** A packet has met only what comes before its connection is known. */
  void countBeforeTracking(SkBuff skb) {
    for (int i = 0; i < beforeTracking; i++) {
      packetCounters[i][entries[i]]++;
      byteCounters[i][entries[i]] += skb.length();
    }
  }

  /** Makes the counters of the entries right. */
  void settle() {
    for (int i = 0; i < count; i++) {
      packetCounters[i][entries[i]] += packets;
      byteCounters[i][entries[i]] += bytes;
    }
    packets = 0;
    bytes = 0;
  }

  /** One like it that stays. */
  FlowMemo copy() {
    FlowMemo copy = new FlowMemo();
    copy.in = in;
    copy.out = out;
    copy.tos = tos;
    copy.mark = mark;
    copy.tcpFlags = tcpFlags;
    copy.ctInfo = ctInfo;
    copy.status = status;
    copy.connmark = connmark;
    copy.markAfter = markAfter;
    copy.translates = translates;
    copy.count = count;
    copy.beforeTracking = beforeTracking;
    copy.packetCounters = Arrays.copyOf(packetCounters, count);
    copy.byteCounters = Arrays.copyOf(byteCounters, count);
    copy.entries = Arrays.copyOf(entries, count);
    return copy;
  }

  @Override
  public boolean equals(Object object) {
    if (!(object instanceof FlowMemo memo)
        || in != memo.in
        || out != memo.out
        || tos != memo.tos
        || mark != memo.mark
        || tcpFlags != memo.tcpFlags
        || ctInfo != memo.ctInfo
        || status != memo.status
        || connmark != memo.connmark
        || markAfter != memo.markAfter
        || translates != memo.translates
        || count != memo.count
        || beforeTracking != memo.beforeTracking) {
      return false;
    }
    for (int i = 0; i < count; i++) {
      if (packetCounters[i] != memo.packetCounters[i] || entries[i] != memo.entries[i]) {
        return false;
      }
    }
    return true;
  }

  @Override
  public int hashCode() {
    int hash = Objects.hashCode(in) * 31 + Objects.hashCode(out);
    hash = ((hash * 31 + tos) * 31 + mark) * 31 + connmark;
    hash = (hash * 31 + status) * 31 + ctInfo;
    for (int i = 0; i < count; i++) {
      hash = hash * 31 + entries[i];
    }
    return hash;
  }
}
