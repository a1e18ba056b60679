// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import io.skbwalk.device.NetDevice;
import io.skbwalk.device.Transmitter;
import io.skbwalk.ipv4.Neighbour.State;
import io.skbwalk.ipv4.route.Routing;
import io.skbwalk.kernel.Clock;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.Mac;
import io.skbwalk.netfilter.Ipv4Operations;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.EthernetHeader;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;
import java.util.ArrayList;
import java.util.List;

/**
 * Plays net/core/neighbour.c with the table of arp.c: finds the Ethernet address of the next hop,
 * asks for it when it must, and sends.
 *
 * <p>Two things are not as in Linux: a confirmation holds for exactly base_reachable_time (there
 * half to one and a half times that, at random), and neighbours that nobody uses are kept until the
 * table is full.
 */
public final class Neighbours {
  /** net.ipv4.neigh.default.gc_thresh3: neighbours that are not permanent. */
  private static final int LIMIT = 1024;

  private static final long MILLI = 1_000_000L;

  /** skb_shared_info and sk_buff, which count towards what waits for a neighbour. */
  private static final int SKB_OVERHEAD = 320 + 256;

  private final Net net;
  private final Routing routing;
  private final Transmitter transmitter;
  private final LinkFailure linkFailure;
  private final boolean assumed;
  private final Arp arp;

  private Neighbour[] buckets = new Neighbour[64];
  private int count;
  private int collectable;
  private NeighbourParameters[] parameters = new NeighbourParameters[8];

  /**
   * An empty table.
   *
   * @param linkFailure told of each packet whose neighbour did not answer, before it is dropped
   * @param assumed every neighbour has an address made up from its IPv4 address, and nobody is
   *     asked
   */
  public Neighbours(
      Net net, Routing routing, Transmitter transmitter, LinkFailure linkFailure, boolean assumed) {
    this.net = net;
    this.routing = routing;
    this.transmitter = transmitter;
    this.linkFailure = linkFailure;
    this.assumed = assumed;
    this.arp = new Arp(net, routing, this, transmitter);
    routing.setGatewayCheck(this::isKnown);
  }

  /** The protocol that asks and answers. */
  public Arp arp() {
    return arp;
  }

  /** True when nobody is asked. */
  public boolean isAssumed() {
    return assumed;
  }

  /** Plays neigh_parms_alloc: registers net.ipv4.neigh.DEV.*; once for each interface. */
  public void addDevice(NetDevice dev) {
    while (dev.ifindex >= parameters.length) {
      parameters = java.util.Arrays.copyOf(parameters, parameters.length * 2);
    }
    parameters[dev.ifindex] = new NeighbourParameters(net.sysctls, dev.name);
  }

  NeighbourParameters parameters(NetDevice dev) {
    return parameters[dev.ifindex];
  }

  /** Plays `ip neigh add ... nud permanent`; replaces what was known. */
  public void addPermanent(int address, long mac, NetDevice dev) {
    Neighbour neighbour = find(address, dev);
    if (neighbour == null) {
      neighbour = insert(address, dev);
    }
    if (neighbour.state != State.PERMANENT) {
      collectable--;
    }
    change(neighbour, State.PERMANENT);
    neighbour.mac = mac;
    sendQueued(neighbour);
  }

  /** All entries, ordered by interface, then address. */
  public List<Neighbour> list() {
    List<Neighbour> all = new ArrayList<>(count);
    for (Neighbour head : buckets) {
      for (Neighbour neighbour = head; neighbour != null; neighbour = neighbour.next) {
        all.add(neighbour);
      }
    }
    all.sort(
        (a, b) ->
            a.dev != b.dev
                ? Integer.compare(a.dev.ifindex, b.dev.ifindex)
                : Integer.compareUnsigned(a.address, b.address));
    return all;
  }

  // ---- sending ---------------------------------------------------------------------------------

  /**
   * Plays neigh_output as ip_finish_output2 calls it: puts an Ethernet header before {@code skb},
   * whose data stands at the IP header, and transmits it on {@code dev}; or lets it wait for an
   * answer. Takes the packet over.
   *
   * @param nextHop the gateway or, on the link, the destination ({@code Rtable.nextHop})
   */
  public void output(SkBuff skb, NetDevice dev, int nextHop) {
    skb.dev = dev;
    if (dev.isLoopback()) {
      transmit(skb, dev, 0);
      return;
    }
    if (Ip4.isMulticast(nextHop)) {
      transmit(skb, dev, multicastMac(nextHop));
      return;
    }
    Neighbour neighbour = find(nextHop, dev);
    if (neighbour == null) {
      if (assumed) {
        boolean all = routing.addressType(null, nextHop) == Ipv4Operations.RTN_BROADCAST;
        transmit(skb, dev, all ? Mac.BROADCAST : assumedMac(nextHop));
        return;
      }
      neighbour = create(nextHop, dev);
      if (neighbour == null) {
        net.skbs.drop(skb, DropReason.NEIGH_CREATEFAIL, "ip_finish_output2");
        return;
      }
    }
    if (neighbour.state.isConnected() || sendEvent(neighbour, skb)) {
      transmit(skb, dev, neighbour.mac);
    }
  }

  /** Is the address known? If not, it is asked for. */
  private boolean isKnown(int address, NetDevice dev) {
    Neighbour neighbour = find(address, dev);
    if (neighbour == null) {
      if (assumed) {
        return true;
      }
      neighbour = create(address, dev);
    }
    if (neighbour == null || neighbour.state.isValid()) {
      return neighbour != null;
    }
    sendEvent(neighbour, null);
    return false;
  }

  /** Plays arp_mc_map for Ethernet (RFC 1112, 6.4). */
  static long multicastMac(int group) {
    return 0x01005E000000L | group & 0x7FFFFF;
  }

  /** The address of a neighbour that nobody asks: 02:00 and its IPv4 address. */
  public static long assumedMac(int address) {
    return 0x020000000000L | address & 0xFFFFFFFFL;
  }

  private void transmit(SkBuff skb, NetDevice dev, long mac) {
    skb.push(EthernetHeader.LENGTH);
    skb.macHeader = skb.data;
    EthernetHeader.write(skb, skb.data, mac, dev.macAddress, skb.protocol);
    transmitter.queueXmit(skb);
  }

  /**
   * Plays __neigh_event_send.
   *
   * @param skb null when nothing is to be sent, only asked
   * @return true when the packet may go; false when it waits
   */
  private boolean sendEvent(Neighbour neighbour, SkBuff skb) {
    long now = net.clock.now();
    neighbour.used = now;
    NeighbourParameters settings = neighbour.parameters;
    boolean ask = false;
    switch (neighbour.state) {
      case NONE, FAILED -> {
        if (settings.mcastSolicit == 0) {
          neighbour.state = State.FAILED;
          if (skb == null) {
            return false;
          }
          net.skbs.drop(skb, DropReason.NEIGH_FAILED, "__neigh_event_send");
          return false;
        }
        neighbour.probes = settings.ucastSolicit;
        change(neighbour, State.INCOMPLETE);
        neighbour.updated = now;
        ask = true;
        net.timers.modify(neighbour, now + retransmission(settings));
      }
      case STALE -> {
        change(neighbour, State.DELAY);
        neighbour.updated = now;
        net.timers.modify(neighbour, now + settings.delayFirstProbeTime * Clock.SECOND);
      }
      default -> {}
    }
    if (neighbour.state != State.INCOMPLETE) {
      return true;
    }
    if (skb != null) {
      enqueue(neighbour, skb);
    }
    if (ask) {
      probe(neighbour);
    }
    return false;
  }

  private void enqueue(Neighbour neighbour, SkBuff skb) {
    int size = trueSize(skb);
    while (neighbour.queuedBytes + size > neighbour.parameters.unresQlenBytes
        && !neighbour.queue.isEmpty()) {
      SkBuff oldest = neighbour.queue.poll();
      neighbour.queuedBytes -= trueSize(oldest);
      net.skbs.drop(oldest, DropReason.NEIGH_QUEUEFULL, "__neigh_event_send");
    }
    neighbour.queue.add(skb);
    neighbour.queuedBytes += size;
    if (skb.trace != null) {
      skb.trace.on(
          new TraceEvent.Queued(
              "neigh_resolve_output",
              "waits for the Ethernet address of "
                  + Ip4.format(neighbour.address)
                  + " on "
                  + neighbour.dev));
    }
  }

  /** What a received frame of this length occupies in the kernel, bytes. */
  private static int trueSize(SkBuff skb) {
    int frame = skb.length() + EthernetHeader.LENGTH;
    return (frame + 64 + 63 & -64) + SKB_OVERHEAD;
  }

  private static long retransmission(NeighbourParameters settings) {
    return Math.max(settings.retransTime, 10) * MILLI;
  }

  /** Plays neigh_probe. */
  private void probe(Neighbour neighbour) {
    SkBuff last = null;
    for (SkBuff skb = neighbour.queue.peek(); skb != null; skb = neighbour.queue.next(skb)) {
      last = skb;
    }
    int round = neighbour.probes++;
    arp.solicit(neighbour, last, round);
  }

  /** Plays neigh_timer_handler. */
  void expired(Neighbour neighbour) {
    long now = net.clock.now();
    NeighbourParameters settings = neighbour.parameters;
    long delay = settings.delayFirstProbeTime * Clock.SECOND;
    long reachable = settings.baseReachableTime * MILLI;
    long next = now + retransmission(settings);
    switch (neighbour.state) {
      case REACHABLE -> {
        if (now < neighbour.confirmed + reachable) {
          next = neighbour.confirmed + reachable;
        } else if (now <= neighbour.used + delay) {
          neighbour.state = State.DELAY;
          neighbour.updated = now;
          next = now + delay;
        } else {
          neighbour.state = State.STALE;
          neighbour.updated = now;
          return;
        }
      }
      case DELAY -> {
        if (now <= neighbour.confirmed + delay) {
          neighbour.state = State.REACHABLE;
          neighbour.updated = now;
          next = neighbour.confirmed + reachable;
        } else {
          neighbour.state = State.PROBE;
          neighbour.updated = now;
          neighbour.probes = 0;
        }
      }
      case PROBE, INCOMPLETE -> {}
      default -> {
        return;
      }
    }
    if (neighbour.state == State.PROBE || neighbour.state == State.INCOMPLETE) {
      int most =
          settings.ucastSolicit
              + (neighbour.state == State.PROBE ? settings.mcastResolicit : settings.mcastSolicit);
      if (neighbour.probes >= most) {
        neighbour.state = State.FAILED;
        neighbour.updated = now;
        fail(neighbour);
        return;
      }
    }
    net.timers.modify(neighbour, Math.max(next, now + 10 * MILLI));
    if (neighbour.state == State.PROBE || neighbour.state == State.INCOMPLETE) {
      probe(neighbour);
    }
  }

  /** Plays neigh_invalidate with arp_error_report. */
  private void fail(Neighbour neighbour) {
    while (neighbour.state == State.FAILED && !neighbour.queue.isEmpty()) {
      SkBuff skb = neighbour.queue.poll();
      neighbour.queuedBytes -= trueSize(skb);
      linkFailure.linkFailure(skb);
      net.skbs.drop(skb, DropReason.NEIGH_FAILED, "arp_error_report");
    }
  }

  // ---- learning --------------------------------------------------------------------------------

  /**
   * Plays neigh_update.
   *
   * @param override another address than the known one is believed
   */
  void update(Neighbour neighbour, long mac, State state, boolean override) {
    State old = neighbour.state;
    if (old == State.PERMANENT || old == State.NOARP) {
      return;
    }
    long now = net.clock.now();
    if (state.isConnected()) {
      neighbour.confirmed = now;
    }
    boolean known = old.isValid();
    boolean same = known && neighbour.mac == mac;
    if (known && !same && !override) {
      return;
    }
    if (same && state == State.STALE) {
      state = old;
    }
    if (state != old || !same) {
      neighbour.updated = now;
    }
    if (state != old) {
      change(neighbour, state);
      if (state == State.REACHABLE) {
        net.timers.modify(neighbour, now + neighbour.parameters.baseReachableTime * MILLI);
      }
    }
    if (!same) {
      neighbour.mac = mac;
      if (!state.isConnected()) {
        neighbour.confirmed = now - 2 * neighbour.parameters.baseReachableTime * MILLI;
      }
    }
    if (!known) {
      sendQueued(neighbour);
    }
  }

  private void sendQueued(Neighbour neighbour) {
    while (neighbour.state.isValid() && !neighbour.queue.isEmpty()) {
      SkBuff skb = neighbour.queue.poll();
      neighbour.queuedBytes -= trueSize(skb);
      if (neighbour.state.isConnected() || sendEvent(neighbour, skb)) {
        if (skb.trace != null) {
          skb.trace.on(
              new TraceEvent.Step(
                  "neigh_update",
                  Ip4.format(neighbour.address) + " is at " + Mac.format(neighbour.mac)));
        }
        transmit(skb, neighbour.dev, neighbour.mac);
      }
    }
  }

  private void change(Neighbour neighbour, State state) {
    net.timers.cancel(neighbour);
    neighbour.state = state;
  }

  // ---- the table -------------------------------------------------------------------------------

  /** Plays __neigh_lookup: the entry, or null. */
  public Neighbour find(int address, NetDevice dev) {
    Neighbour neighbour = buckets[slot(address, dev)];
    while (neighbour != null && (neighbour.address != address || neighbour.dev != dev)) {
      neighbour = neighbour.next;
    }
    return neighbour;
  }

  /** Plays neigh_create: a new entry, or null when the table is full. */
  Neighbour create(int address, NetDevice dev) {
    if (collectable >= LIMIT && !collect()) {
      return null;
    }
    Neighbour neighbour = insert(address, dev);
    if (routing.addressType(null, address) == Ipv4Operations.RTN_BROADCAST) {
      neighbour.state = State.NOARP;
      neighbour.mac = Mac.BROADCAST;
    }
    return neighbour;
  }

  private Neighbour insert(int address, NetDevice dev) {
    if (++count > buckets.length) {
      Neighbour[] old = buckets;
      buckets = new Neighbour[old.length * 2];
      for (Neighbour head : old) {
        while (head != null) {
          Neighbour next = head.next;
          int slot = slot(head.address, head.dev);
          head.next = buckets[slot];
          buckets[slot] = head;
          head = next;
        }
      }
    }
    Neighbour neighbour = new Neighbour(this, address, dev, parameters[dev.ifindex]);
    long now = net.clock.now();
    neighbour.updated = now;
    neighbour.used = now;
    neighbour.confirmed = now - 2 * neighbour.parameters.baseReachableTime * MILLI;
    int slot = slot(address, dev);
    neighbour.next = buckets[slot];
    buckets[slot] = neighbour;
    collectable++;
    return neighbour;
  }

  /** Plays neigh_forced_gc: forgets those that have failed or not changed for five seconds. */
  private boolean collect() {
    long young = net.clock.now() - 5 * Clock.SECOND;
    boolean found = false;
    for (int slot = 0; slot < buckets.length; slot++) {
      Neighbour before = null;
      for (Neighbour at = buckets[slot]; at != null; at = at.next) {
        boolean idle = at.queue.isEmpty() && !at.isPending();
        boolean unneeded =
            at.state == State.FAILED || at.state == State.NOARP || idle && at.updated < young;
        if (at.state == State.PERMANENT || !unneeded) {
          before = at;
          continue;
        }
        net.timers.cancel(at);
        if (before == null) {
          buckets[slot] = at.next;
        } else {
          before.next = at.next;
        }
        count--;
        collectable--;
        found = true;
      }
    }
    return found;
  }

  private int slot(int address, NetDevice dev) {
    int h = (address ^ dev.ifindex * 0x85EBCA6B) * 0x9E3779B1;
    return (h ^ h >>> 15) & buckets.length - 1;
  }
}
