// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import io.skbwalk.device.NetDevice;
import io.skbwalk.device.Transmitter;
import io.skbwalk.ipv4.Neighbour.State;
import io.skbwalk.ipv4.route.DeviceSetting;
import io.skbwalk.ipv4.route.FibRoute;
import io.skbwalk.ipv4.route.Flowi4;
import io.skbwalk.ipv4.route.InDevice;
import io.skbwalk.ipv4.route.InterfaceAddress;
import io.skbwalk.ipv4.route.Routing;
import io.skbwalk.ipv4.route.Rtable;
import io.skbwalk.kernel.Clock;
import io.skbwalk.kernel.Timer;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.Mac;
import io.skbwalk.netfilter.Ipv4Operations;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.EthernetHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.SkBuffQueue;
import io.skbwalk.trace.TraceEvent;

/**
 * Plays net/ipv4/arp.c (RFC 826): asks for neighbours, answers for own addresses, learns.
 *
 * <pre>
 *    0                   1                   2                   3
 *   |       Hardware type (1)       |     Protocol type (0x0800)    |
 *   |  Length (6)   |  Length (4)   |      Operation (1 or 2)       |
 *   |                 Sender's Ethernet address (6)                 |
 *   |                 Sender's IPv4 address (4)                     |
 *   |                 Target's Ethernet address (6)                 |
 *   |                 Target's IPv4 address (4)                     |
 * </pre>
 */
public final class Arp {
  /** Length of an ARP packet for IPv4 on Ethernet, bytes. */
  public static final int LENGTH = 28;

  private static final int HARDWARE_OFFSET = 0;
  private static final int PROTOCOL_OFFSET = 2;
  private static final int HARDWARE_LENGTH_OFFSET = 4;
  private static final int PROTOCOL_LENGTH_OFFSET = 5;
  private static final int OPERATION_OFFSET = 6;
  private static final int SENDER_MAC_OFFSET = 8;
  private static final int SENDER_IP_OFFSET = 14;
  private static final int TARGET_MAC_OFFSET = 18;
  private static final int TARGET_IP_OFFSET = 24;

  private static final int ARPHRD_ETHER = 1;
  private static final int ARPHRD_IEEE802 = 6;
  private static final int REQUEST = 1;
  private static final int REPLY = 2;

  private static final long HUNDREDTH = Clock.SECOND / 100;

  private final Net net;
  private final Routing routing;
  private final Neighbours neighbours;
  private final Transmitter transmitter;
  private final Flowi4 way = new Flowi4();

  /** Requests whose answer as a proxy waits, and when each is due. */
  private final SkBuffQueue proxyQueue = new SkBuffQueue();

  private final Timer proxyTimer =
      new Timer() {
        @Override
        protected void expired() {
          answerAsProxy();
        }
      };

  Arp(Net net, Routing routing, Neighbours neighbours, Transmitter transmitter) {
    this.net = net;
    this.routing = routing;
    this.neighbours = neighbours;
    this.transmitter = transmitter;
  }

  // ---- receiving -------------------------------------------------------------------------------

  /** Plays arp_rcv: takes a packet whose data stands at the ARP header. */
  public void receive(SkBuff skb) {
    if (skb.pktType == SkBuff.PACKET_OTHERHOST || skb.pktType == SkBuff.PACKET_LOOPBACK) {
      net.skbs.consume(skb);
      return;
    }
    if (!skb.mayPull(LENGTH)) {
      net.skbs.drop(skb, DropReason.PKT_TOO_SMALL, "arp_rcv");
      return;
    }
    if (skb.u8(skb.data + HARDWARE_LENGTH_OFFSET) != 6
        || skb.u8(skb.data + PROTOCOL_LENGTH_OFFSET) != 4) {
      net.skbs.drop(skb, DropReason.NOT_SPECIFIED, "arp_rcv");
      return;
    }
    skb.networkHeader = skb.data;
    handle(skb, false);
  }

  /** Plays arp_process. */
  private void handle(SkBuff skb, boolean waited) {
    NetDevice dev = NetDevice.of(skb);
    InDevice in = routing.devices().of(dev);
    int at = skb.networkHeader;
    int hardware = skb.u16(at + HARDWARE_OFFSET);
    int operation = skb.u16(at + OPERATION_OFFSET);
    long senderMac = EthernetHeader.mac(skb, at + SENDER_MAC_OFFSET);
    int sender = skb.u32(at + SENDER_IP_OFFSET);
    long targetMac = EthernetHeader.mac(skb, at + TARGET_MAC_OFFSET);
    int target = skb.u32(at + TARGET_IP_OFFSET);
    if (skb.trace != null) {
      skb.trace.on(new TraceEvent.Step("arp_rcv", describe(operation, senderMac, sender, target)));
    }
    if (in == null
        || hardware != ARPHRD_ETHER && hardware != ARPHRD_IEEE802
        || skb.u16(at + PROTOCOL_OFFSET) != EthernetHeader.ETH_P_IP
        || operation != REQUEST && operation != REPLY
        || Ip4.isMulticast(target)
        || Ip4.isLoopback(target) && !in.is(DeviceSetting.ROUTE_LOCALNET)
        || sender == target && in.is(DeviceSetting.DROP_GRATUITOUS_ARP)) {
      net.skbs.drop(skb, DropReason.NOT_SPECIFIED, "arp_process");
      return;
    }
    if (sender == 0) {
      // Somebody asks whether the address is still free (RFC 5227).
      if (operation == REQUEST
          && routing.addressType(null, target) == Ipv4Operations.RTN_LOCAL
          && !ignores(in, sender, target)) {
        reply(skb, dev, target, sender, senderMac);
      }
      net.skbs.consume(skb);
      return;
    }
    if (operation == REQUEST && routing.lookupInput(skb, target, sender, 0, dev) == null) {
      Rtable rt = Rtable.of(skb);
      skb.dropDst();
      if (rt.type == Ipv4Operations.RTN_LOCAL) {
        if (!ignores(in, sender, target)
            && !(in.is(DeviceSetting.ARP_FILTER) && leadsElsewhere(sender, target, dev))) {
          if (learnFromRequest(sender, senderMac, dev)) {
            reply(skb, dev, target, sender, senderMac);
          }
        }
        net.skbs.consume(skb);
        return;
      }
      if (rt.type == Ipv4Operations.RTN_UNICAST
          && in.forwards()
          && (answersFor(in, rt) || answersOnOwnLink(in, rt, sender, target))) {
        learnFromRequest(sender, senderMac, dev);
        NeighbourParameters settings = neighbours.parameters(dev);
        if (waited || skb.pktType == SkBuff.PACKET_HOST || settings.proxyDelay == 0) {
          reply(skb, dev, target, sender, senderMac);
          net.skbs.consume(skb);
        } else {
          waitAsProxy(skb, settings);
        }
        return;
      }
    }
    if (!neighbours.isAssumed()) {
      learn(skb, in, operation, sender, senderMac, target, targetMac);
    }
    net.skbs.consume(skb);
  }

  private void learn(
      SkBuff skb,
      InDevice in,
      int operation,
      int sender,
      long senderMac,
      int target,
      long targetMac) {
    NetDevice dev = in.dev;
    Neighbour neighbour = neighbours.find(sender, dev);
    boolean accepts = acceptsUnsolicited(in, sender);
    if (neighbour == null && !accepts) {
      return;
    }
    boolean unicast = routing.addressType(null, sender) == Ipv4Operations.RTN_UNICAST;
    boolean gratuitous =
        target == sender && (operation != REPLY || targetMac == senderMac) && unicast;
    if (neighbour == null && (gratuitous || operation == REPLY && unicast)) {
      neighbour = neighbours.create(sender, dev);
    }
    if (neighbour == null) {
      return;
    }
    boolean reply = operation == REPLY && skb.pktType == SkBuff.PACKET_HOST;
    long locked = neighbour.updated + neighbour.parameters.locktime * HUNDREDTH;
    boolean override = net.clock.now() > locked || gratuitous;
    neighbours.update(neighbour, senderMac, reply ? State.REACHABLE : State.STALE, override);
  }

  /** Plays arp_accept. */
  private static boolean acceptsUnsolicited(InDevice in, int sender) {
    return switch (in.setting(DeviceSetting.ARP_ACCEPT)) {
      case 1 -> true;
      case 2 -> in.onLink(sender, 0);
      default -> false;
    };
  }

  /** Plays neigh_event_ns; false when the table is full. */
  private boolean learnFromRequest(int sender, long senderMac, NetDevice dev) {
    if (neighbours.isAssumed()) {
      return true;
    }
    Neighbour neighbour = neighbours.find(sender, dev);
    if (neighbour == null) {
      neighbour = neighbours.create(sender, dev);
      if (neighbour == null) {
        return false;
      }
    }
    neighbours.update(neighbour, senderMac, State.STALE, true);
    return true;
  }

  /** Plays arp_ignore. */
  private boolean ignores(InDevice in, int sender, int target) {
    return switch (in.setting(DeviceSetting.ARP_IGNORE)) {
      case 1 -> !confirms(in, 0, target, FibRoute.RT_SCOPE_HOST);
      case 2 -> !confirms(in, sender, target, FibRoute.RT_SCOPE_HOST);
      case 3 -> {
        boolean known = false;
        for (InDevice any : routing.devices().list()) {
          known |= confirms(any, 0, target, FibRoute.RT_SCOPE_LINK);
        }
        yield !known;
      }
      case 8 -> true;
      default -> false;
    };
  }

  /**
   * Plays inet_confirm_addr: {@code address} is one of {@code in}, of at most {@code scope}, and
   * one prefix there has {@code peer} (unless 0) too.
   */
  private static boolean confirms(InDevice in, int peer, int address, int scope) {
    boolean own = false;
    boolean together = false;
    int localnet =
        in.is(DeviceSetting.ROUTE_LOCALNET) ? FibRoute.RT_SCOPE_LINK : FibRoute.RT_SCOPE_HOST;
    for (InterfaceAddress candidate : in.addresses()) {
      own |= candidate.address() == address && Math.min(candidate.scope(), localnet) <= scope;
      together |= candidate.contains(address) && (peer == 0 || candidate.contains(peer));
    }
    return own && together;
  }

  /** Plays arp_filter: packets back to the asker would not leave where the request came in. */
  private boolean leadsElsewhere(int sender, int target, NetDevice dev) {
    way.reset(sender);
    way.saddr = target;
    Rtable back = routing.output(way);
    return back == null || back.dev != dev;
  }

  /** Plays arp_fwd_proxy. */
  private boolean answersFor(InDevice in, Rtable rt) {
    if (rt.dev == in.dev || !in.is(DeviceSetting.PROXY_ARP)) {
      return false;
    }
    int medium = in.setting(DeviceSetting.MEDIUM_ID);
    if (medium == 0) {
      return true;
    }
    int other = routing.devices().of(rt.dev).setting(DeviceSetting.MEDIUM_ID);
    return medium != -1 && other != medium && other != -1;
  }

  /** Plays arp_fwd_pvlan. */
  private static boolean answersOnOwnLink(InDevice in, Rtable rt, int sender, int target) {
    return rt.dev == in.dev && sender != target && in.is(DeviceSetting.PROXY_ARP_PVLAN);
  }

  /** Plays pneigh_enqueue. */
  private void waitAsProxy(SkBuff skb, NeighbourParameters settings) {
    if (proxyQueue.length() > settings.proxyQlen) {
      net.skbs.drop(skb, DropReason.NOT_SPECIFIED, "pneigh_enqueue");
      return;
    }
    long due = net.clock.now() + net.random.below((int) settings.proxyDelay) * HUNDREDTH;
    if (skb.trace != null) {
      skb.trace.on(new TraceEvent.Queued("pneigh_enqueue", "answers as a proxy a little later"));
    }
    skb.tstamp = due;
    proxyQueue.add(skb);
    if (!proxyTimer.isPending() || proxyTimer.expires() > due) {
      net.timers.modify(proxyTimer, due);
    }
  }

  /** Plays neigh_proxy_process. */
  private void answerAsProxy() {
    long now = net.clock.now();
    long next = Long.MAX_VALUE;
    SkBuff skb = proxyQueue.peek();
    while (skb != null) {
      SkBuff following = proxyQueue.next(skb);
      if (skb.tstamp <= now) {
        proxyQueue.remove(skb);
        handle(skb, true);
      } else {
        next = Math.min(next, skb.tstamp);
      }
      skb = following;
    }
    if (next != Long.MAX_VALUE) {
      net.timers.modify(proxyTimer, next);
    }
  }

  // ---- sending ---------------------------------------------------------------------------------

  /**
   * Plays arp_solicit.
   *
   * @param waiting the last packet that waits for the answer, or null
   * @param round requests sent before; from ucast_solicit on they are broadcast
   */
  void solicit(Neighbour neighbour, SkBuff waiting, int round) {
    NetDevice dev = neighbour.dev;
    InDevice in = routing.devices().of(dev);
    int source = 0;
    int announce = in.setting(DeviceSetting.ARP_ANNOUNCE);
    if (waiting != null && announce < 2) {
      int packetSource = IpHeader.source(waiting);
      if (routing.addressType(null, packetSource) == Ipv4Operations.RTN_LOCAL
          && (announce != 1 || in.onLink(neighbour.address, packetSource))) {
        source = packetSource;
      }
    }
    if (source == 0) {
      source = routing.selectAddress(dev, neighbour.address, FibRoute.RT_SCOPE_LINK);
    }
    boolean unicast = round < neighbour.parameters.ucastSolicit;
    send(
        REQUEST,
        dev,
        source,
        neighbour.address,
        unicast ? neighbour.mac : Mac.BROADCAST,
        0,
        waiting,
        "arp_solicit");
  }

  private void reply(SkBuff request, NetDevice dev, int own, int asker, long askerMac) {
    send(REPLY, dev, own, asker, askerMac, askerMac, request, "arp_process");
  }

  /** Plays arp_send_dst. */
  private void send(
      int operation,
      NetDevice dev,
      int sender,
      int target,
      long frameDestination,
      long targetMac,
      SkBuff because,
      String function) {
    SkBuff skb = net.skbs.allocate(64, LENGTH);
    int at = skb.put(LENGTH);
    skb.setU16(at + HARDWARE_OFFSET, ARPHRD_ETHER);
    skb.setU16(at + PROTOCOL_OFFSET, EthernetHeader.ETH_P_IP);
    skb.setU8(at + HARDWARE_LENGTH_OFFSET, 6);
    skb.setU8(at + PROTOCOL_LENGTH_OFFSET, 4);
    skb.setU16(at + OPERATION_OFFSET, operation);
    EthernetHeader.setMac(skb, at + SENDER_MAC_OFFSET, dev.macAddress);
    skb.setU32(at + SENDER_IP_OFFSET, sender);
    EthernetHeader.setMac(skb, at + TARGET_MAC_OFFSET, targetMac);
    skb.setU32(at + TARGET_IP_OFFSET, target);
    skb.networkHeader = at;
    skb.protocol = EthernetHeader.ETH_P_ARP;
    skb.dev = dev;
    skb.tstamp = net.clock.now();
    if (because != null) {
      skb.frame = because.frame;
      skb.trace = because.trace;
      if (skb.trace != null) {
        skb.trace.on(
            new TraceEvent.Made(function, describe(operation, dev.macAddress, sender, target)));
      }
    }
    if (net.withholdsAnswers) {
      net.withheld += operation == REPLY ? 1 : 0;
      if (skb.trace != null) {
        skb.trace.on(new TraceEvent.Withheld("arp_xmit"));
      }
      net.skbs.consume(skb);
      return;
    }
    skb.push(EthernetHeader.LENGTH);
    skb.macHeader = skb.data;
    EthernetHeader.write(skb, skb.data, frameDestination, dev.macAddress, EthernetHeader.ETH_P_ARP);
    transmitter.queueXmit(skb);
  }

  private static String describe(int operation, long senderMac, int sender, int target) {
    return switch (operation) {
      case REQUEST -> "ARP request: who has " + Ip4.format(target) + ", tell " + Ip4.format(sender);
      case REPLY -> "ARP reply: " + Ip4.format(sender) + " is at " + Mac.format(senderMac);
      default -> "ARP operation " + operation;
    };
  }
}
