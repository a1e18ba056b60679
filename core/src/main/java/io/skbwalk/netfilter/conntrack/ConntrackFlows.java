// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import io.skbwalk.device.NetDevice;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import java.util.Arrays;

/**
 * What a flow table asks of connection tracking: the connection of a packet before any function of
 * the hook is asked, and 16 bits for each of its directions. The memory for those is there only
 * once a connection has been given any.
 */
public final class ConntrackFlows {
  /** 64 KiB, as in {@link io.skbwalk.lib.LinearHash}. */
  private static final int CHUNK_SHIFT = 15;

  private static final int CHUNK_MASK = (1 << CHUNK_SHIFT) - 1;

  private final Conntrack conntrack;
  private final ConntrackIn tracking;
  private final ConntrackTuple tuple = new ConntrackTuple();
  private short[][] flows = new short[16][];

  ConntrackFlows(Conntrack conntrack, ConntrackIn tracking) {
    this.conntrack = conntrack;
    this.tracking = tracking;
  }

  /**
   * The connection in the default zone that a whole TCP or UDP packet belongs to.
   *
   * @param transport where its ports are
   * @return handle times 2 plus direction; 0 for none
   */
  public int find(SkBuff skb, int transport, int protocol) {
    tuple.source = skb.u32(skb.networkHeader + IpHeader.SOURCE_OFFSET);
    tuple.destination = skb.u32(skb.networkHeader + IpHeader.DESTINATION_OFFSET);
    tuple.ports(skb.u32(transport));
    tuple.protocol = protocol;
    return conntrack.table.find(tuple, 0, 0, 0);
  }

  /** Plays nf_conntrack_in for a packet without a connection, of which {@link #find} has told. */
  public int track(Hook hook, SkBuff skb, NetDevice in, NetDevice out, int node) {
    return tracking.in(hook, skb, in, out, node);
  }

  /** Plays the end of nf_confirm for a connection that is in the table: tells its events. */
  public void deliverEvents(int ct) {
    conntrack.events.deliver(ct);
  }

  /**
   * Will the connection look to the next packet as it does to this one? It has been answered,
   * nobody reads or shifts what it says, and it lies in no zone.
   */
  public boolean isSteady(int ct) {
    int status = conntrack.status(ct);
    int needed = ConntrackStatus.IPS_CONFIRMED | ConntrackStatus.IPS_SEEN_REPLY;
    if (conntrack.protocol(ct) == IpHeader.IPPROTO_TCP) {
      needed |= ConntrackStatus.IPS_ASSURED;
    }
    int special =
        ConntrackStatus.IPS_TEMPLATE
            | ConntrackStatus.IPS_DYING
            | ConntrackStatus.IPS_HELPER
            | ConntrackStatus.IPS_SEQ_ADJUST
            | ConntrackStatus.IPS_NAT_CLASH;
    return (status & (needed | special)) == needed && conntrack.zoneId(ct) == 0;
  }

  /** The 16 bits of a direction; 0 at first. */
  public int flow(int node) {
    int index = node >>> CHUNK_SHIFT;
    short[] chunk = index < flows.length ? flows[index] : null;
    return chunk == null ? 0 : chunk[node & CHUNK_MASK] & 0xFFFF;
  }

  /** Sets what {@link #flow} reads. */
  public void setFlow(int node, int value) {
    int index = node >>> CHUNK_SHIFT;
    if (index >= flows.length) {
      flows = Arrays.copyOf(flows, Math.max(index + 1, flows.length * 2));
    }
    if (flows[index] == null) {
      flows[index] = new short[1 << CHUNK_SHIFT];
    }
    flows[index][node & CHUNK_MASK] = (short) value;
  }

  /** Every direction has 0 again. */
  public void clear() {
    Arrays.fill(flows, null);
  }

  /** A new connection has the handle of an old one. */
  void forget(int ct) {
    int index = ct << 1 >>> CHUNK_SHIFT;
    if (index < flows.length && flows[index] != null) {
      int at = ct << 1 & CHUNK_MASK;
      flows[index][at] = 0;
      flows[index][at + 1] = 0;
    }
  }
}
