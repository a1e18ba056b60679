// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.device;

import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.EthernetHeader;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.PacketSummary;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.SkBuffQueue;
import io.skbwalk.trace.TraceEvent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * Plays net/core/dev.c and net/8021q: interfaces, packet types and taps, NET_RX_SOFTIRQ, the way of
 * a packet from an interface to its protocol and back to an interface.
 */
public final class NetworkCore implements Transmitter {
  /** net.core.netdev_budget: frames that one run of the softirq may take. */
  public static final int BUDGET = 300;

  /** EtherType of a tap that sees every packet, in both directions (ETH_P_ALL). */
  public static final int ETH_P_ALL = 3;

  private static final int VLAN_VID_MASK = 0x0FFF;
  private static final int VLAN_HLEN = 4;

  private record Handler(int etherType, PacketType type) {}

  private record Tap(int etherType, NetDevice dev, PacketTap tap) {}

  private final Net net;
  private final List<NetDevice> devices = new ArrayList<>();
  private final List<NetworkInterfaceController> controllers = new ArrayList<>();
  private NetDevice[] vlans = {};
  private NetDevice loopback;

  private Handler[] packetTypes = {};
  private Tap[] tapsOfAll = {};
  private Tap[] tapsOfOne = {};

  private NetworkInterfaceController[] pollList = new NetworkInterfaceController[4];
  private int polls;
  private final SkBuffQueue backlog = new SkBuffQueue();
  private boolean inSoftirq;
  private boolean processContext;
  private final Runnable softirq = this::softirq;

  private VirtualTime time;
  private TransmitListener transmitListener;
  private RefusalListener refusalListener;

  /** A machine without interfaces; time is {@code net}'s clock alone until {@link #setTime}. */
  public NetworkCore(Net net) {
    this.net = net;
    this.time = net.clock::advanceTo;
  }

  // ---- interfaces -------------------------------------------------------------------------------

  /** Who moves the clock to each frame's time. */
  public void setTime(VirtualTime time) {
    this.time = time;
  }

  /** Who gets the frames that leave; null for nobody. */
  public void setTransmitListener(TransmitListener listener) {
    transmitListener = listener;
  }

  /** Who is told of frames that a NIC did not let in; null for nobody. */
  public void setRefusalListener(RefusalListener listener) {
    refusalListener = listener;
  }

  /**
   * Plays register_netdevice. The first loopback becomes the machine's; an interface without a
   * lower one gets a NIC.
   *
   * @param ringSize receive slots of its NIC, at least 1
   */
  public void register(NetDevice dev, int ringSize) {
    if (dev.ifindex != devices.size() + 1) {
      throw new IllegalArgumentException("interfaces are registered in the order of their index");
    }
    devices.add(dev);
    if (dev.isLoopback()) {
      loopback = dev;
      controllers.add(null);
    } else if (dev.lower != null) {
      vlans = Arrays.copyOf(vlans, vlans.length + 1);
      vlans[vlans.length - 1] = dev;
      controllers.add(null);
    } else {
      controllers.add(new NetworkInterfaceController(net, this, dev, ringSize));
      if (pollList.length < devices.size()) {
        pollList = Arrays.copyOf(pollList, pollList.length * 2);
      }
    }
  }

  /** All interfaces by index, the loopback first. */
  public List<NetDevice> devices() {
    return Collections.unmodifiableList(devices);
  }

  /** The interface called {@code name}, or null. */
  public NetDevice device(String name) {
    for (NetDevice dev : devices) {
      if (dev.name.equals(name)) {
        return dev;
      }
    }
    return null;
  }

  /** The loopback interface. */
  public NetDevice loopback() {
    return loopback;
  }

  /** The card of {@code dev}; null for loopback and VLAN interfaces, which have none. */
  public NetworkInterfaceController controller(NetDevice dev) {
    return controllers.get(dev.ifindex - 1);
  }

  /** Plays dev_add_pack for a protocol: {@code type} takes the packets of {@code etherType}. */
  public void addPacketType(int etherType, PacketType type) {
    for (Handler handler : packetTypes) {
      if (handler.etherType == etherType) {
        throw new IllegalStateException("the EtherType has its protocol already");
      }
    }
    packetTypes = Arrays.copyOf(packetTypes, packetTypes.length + 1);
    packetTypes[packetTypes.length - 1] = new Handler(etherType, type);
  }

  /**
   * Plays dev_add_pack for a packet socket.
   *
   * @param etherType {@link #ETH_P_ALL} sees everything, what leaves too; others see what comes in
   * @param dev only this interface, or null for all
   */
  public void addTap(int etherType, NetDevice dev, PacketTap tap) {
    if (etherType == ETH_P_ALL) {
      tapsOfAll = Arrays.copyOf(tapsOfAll, tapsOfAll.length + 1);
      tapsOfAll[tapsOfAll.length - 1] = new Tap(etherType, dev, tap);
    } else {
      tapsOfOne = Arrays.copyOf(tapsOfOne, tapsOfOne.length + 1);
      tapsOfOne[tapsOfOne.length - 1] = new Tap(etherType, dev, tap);
    }
  }

  // ---- NET_RX_SOFTIRQ ---------------------------------------------------------------------------

  void advanceTo(long nanos) {
    time.advanceTo(nanos);
  }

  void refused(NetDevice dev, long frame, Refusal refusal) {
    if (refusalListener != null) {
      refusalListener.refused(dev, frame, refusal);
    }
  }

  /** Plays napi_schedule: {@code controller} is polled when the softirq runs. */
  void schedule(NetworkInterfaceController controller) {
    pollList[polls++] = controller;
  }

  /**
   * Plays do_softirq for NET_RX_SOFTIRQ: runs net_rx_action until no NIC and no looped-back packet
   * waits. Called from within itself it does nothing: what was added is done before it returns.
   */
  public void softirq() {
    if (inSoftirq) {
      return;
    }
    inSoftirq = true;
    try {
      while (polls > 0 || !backlog.isEmpty()) {
        netRxAction();
      }
    } finally {
      inSoftirq = false;
    }
  }

  private void netRxAction() {
    int budget = BUDGET;
    // Cards that were not done go to the end of the list, where those scheduled meanwhile are too.
    while (budget > 0 && (polls > 0 || !backlog.isEmpty())) {
      if (polls > 0) {
        NetworkInterfaceController controller = pollList[0];
        polls--;
        System.arraycopy(pollList, 1, pollList, 0, polls);
        int done = controller.poll(NetworkInterfaceController.POLL_WEIGHT);
        budget -= done;
        if (done == NetworkInterfaceController.POLL_WEIGHT) {
          schedule(controller);
        }
      }
      // process_backlog: what the loopback sent comes in.
      for (int left = NetworkInterfaceController.POLL_WEIGHT; left > 0; left--) {
        SkBuff skb = backlog.poll();
        if (skb == null) {
          break;
        }
        budget--;
        receive(skb);
      }
    }
  }

  /**
   * Plays netif_rx: {@code skb} comes in on its interface when the softirq next runs; that is at
   * once when a process is sending, because leaving the transmit path lets softirqs run, but for
   * what a rule sends: a table is judged without softirqs.
   */
  public void netifRx(SkBuff skb) {
    backlog.add(skb);
    if (processContext) {
      net.raiseSoftirq(softirq);
    }
  }

  /** From now on, until {@link #leaveProcess}, it is a process that calls, not a softirq. */
  public void enterProcess() {
    processContext = true;
  }

  /** The process is done; what is left for the softirq runs. */
  public void leaveProcess() {
    processContext = false;
    softirq();
  }

  // ---- receive ----------------------------------------------------------------------------------

  /**
   * Plays netif_receive_skb and __netif_receive_skb_core: taps, VLAN, the protocol of its
   * EtherType. Takes {@code skb} over, whose {@code data} stands behind the Ethernet header.
   */
  public void receive(SkBuff skb) {
    skb.networkHeader = skb.data;
    skb.transportHeader = skb.data;
    NetDevice dev = NetDevice.of(skb);
    boolean seen;
    while (true) {
      skb.iif = dev.ifindex;
      int tag = 0;
      if (isTag(skb.protocol)) {
        tag = skb.protocol;
        if (!untag(skb)) {
          return;
        }
      }
      seen = tapsOfAll.length > 0 && tapAll(skb, dev);
      if (tag == 0) {
        break;
      }
      // Who has seen the tag does not count as somebody who wanted what is behind it.
      seen = false;
      NetDevice vlan = vlan(dev, tag, skb.vlanTci & VLAN_VID_MASK);
      while (vlan == null && (skb.vlanTci & VLAN_VID_MASK) == 0 && isTag(skb.protocol)) {
        // A priority tag around another tag.
        tag = skb.protocol;
        if (!untag(skb)) {
          return;
        }
        vlan = vlan(dev, tag, skb.vlanTci & VLAN_VID_MASK);
      }
      if (vlan == null) {
        withoutVlan(skb);
        break;
      }
      receiveOnVlan(skb, vlan);
      dev = vlan;
    }
    deliver(skb, dev, seen);
  }

  private void deliver(SkBuff skb, NetDevice dev, boolean seen) {
    boolean shared = false;
    for (Tap tap : tapsOfOne) {
      if (tap.etherType == skb.protocol && (tap.dev == null || tap.dev == dev)) {
        tap.tap.see(skb, dev);
        shared = true;
      }
    }
    if (shared && skb.pktType == SkBuff.PACKET_OTHERHOST) {
      // The protocols refuse it before they make the packet their own; the socket has the last of
      // it.
      net.skbs.consume(skb);
      return;
    }
    for (Handler handler : packetTypes) {
      if (handler.etherType == skb.protocol) {
        handler.type.receive(skb, dev);
        return;
      }
    }
    if (seen || shared) {
      // Nobody but a tap wanted it, which is somebody.
      net.skbs.consume(skb);
      return;
    }
    dev.rxDropped++;
    net.skbs.drop(skb, DropReason.UNHANDLED_PROTO, "__netif_receive_skb_core");
  }

  private boolean tapAll(SkBuff skb, NetDevice dev) {
    boolean seen = false;
    for (Tap tap : tapsOfAll) {
      if (tap.dev == null || tap.dev == dev) {
        tap.tap.see(skb, dev);
        seen = true;
      }
    }
    return seen;
  }

  private static boolean isTag(int etherType) {
    return etherType == EthernetHeader.ETH_P_8021Q || etherType == EthernetHeader.ETH_P_8021AD;
  }

  /**
   * Plays skb_vlan_untag: takes the tag out of the bytes; false when the packet is gone because it
   * was too short for one.
   */
  private boolean untag(SkBuff skb) {
    if (!skb.mayPull(VLAN_HLEN + 2)) {
      net.skbs.drop(skb, DropReason.NOT_SPECIFIED, "skb_vlan_untag");
      return false;
    }
    skb.vlanTci = skb.u16(skb.data);
    int type = skb.u16(skb.data + 2);
    skb.pull(VLAN_HLEN);
    skb.protocol = EthernetTypes.encapsulated(skb, type);
    System.arraycopy(
        skb.head, skb.macHeader, skb.head, skb.macHeader + VLAN_HLEN, EthernetHeader.TYPE_OFFSET);
    skb.macHeader += VLAN_HLEN;
    skb.networkHeader = skb.data;
    skb.transportHeader = skb.data;
    return true;
  }

  private NetDevice vlan(NetDevice lower, int protocol, int id) {
    if (protocol == EthernetHeader.ETH_P_8021AD) {
      return null;
    }
    for (NetDevice vlan : vlans) {
      if (vlan.lower == lower && vlan.vlanId == id) {
        return vlan;
      }
    }
    return null;
  }

  /** Plays vlan_do_receive. */
  private static void receiveOnVlan(SkBuff skb, NetDevice vlan) {
    skb.dev = vlan;
    if (skb.pktType == SkBuff.PACKET_OTHERHOST
        && EthernetHeader.destination(skb, skb.macHeader) == vlan.macAddress) {
      skb.pktType = SkBuff.PACKET_HOST;
    }
    if (skb.trace != null) {
      skb.trace.on(
          new TraceEvent.Step(
              "vlan_do_receive", "tag " + (skb.vlanTci & VLAN_VID_MASK) + " -> " + vlan.name));
    }
    skb.priority = 0;
    skb.vlanTci = -1;
    vlan.rxPackets++;
    // Linux counts these bytes without the Ethernet header, which has been pulled by now.
    vlan.rxBytes += skb.length();
    if (skb.pktType == SkBuff.PACKET_MULTICAST) {
      vlan.multicast++;
    }
  }

  /**
   * A tag that no interface here is for: a priority tag (VLAN 0) says nothing, another is for
   * others.
   */
  private static void withoutVlan(SkBuff skb) {
    int id = skb.vlanTci & VLAN_VID_MASK;
    skb.vlanTci = -1;
    if (id != 0) {
      if (skb.trace != null) {
        skb.trace.on(
            new TraceEvent.Step("__netif_receive_skb_core", "no VLAN interface for tag " + id));
      }
      skb.pktType = SkBuff.PACKET_OTHERHOST;
    }
  }

  // ---- transmit ---------------------------------------------------------------------------------

  /**
   * Plays dev_queue_xmit and dev_hard_start_xmit: {@code skb} leaves on {@code skb.dev}. Takes it
   * over; its {@code data} stands at the Ethernet header.
   */
  @Override
  public void queueXmit(SkBuff skb) {
    skb.macHeader = skb.data;
    NetDevice dev = NetDevice.of(skb);
    while (dev.lower != null) {
      tapOutgoing(skb, dev);
      dev.txPackets++;
      dev.txBytes += skb.length();
      tag(skb, dev.vlanId);
      dev = dev.lower;
      skb.dev = dev;
    }
    tapOutgoing(skb, dev);
    dev.txPackets++;
    dev.txBytes += skb.length();
    if (dev == loopback) {
      loopback(skb, dev);
      return;
    }
    if (skb.trace != null) {
      skb.trace.on(
          new TraceEvent.Sent(
              dev.name, dev.txPackets, PacketSummary.ofFrame(skb.head, skb.data, skb.length())));
    }
    if (transmitListener != null) {
      transmitListener.transmitted(dev, skb);
    }
    net.skbs.consume(skb);
  }

  /** Plays loopback_xmit. The route and the connection stay with the packet, as in Linux. */
  private void loopback(SkBuff skb, NetDevice dev) {
    dev.rxPackets++;
    dev.rxBytes += skb.length();
    EthernetTypes.typeTrans(skb, dev);
    if (skb.trace != null) {
      skb.trace.on(new TraceEvent.Step("loopback_xmit", "netif_rx: comes in again on " + dev.name));
    }
    skb.sk = null;
    netifRx(skb);
  }

  /** Plays dev_queue_xmit_nit: taps of everything see what leaves. */
  private void tapOutgoing(SkBuff skb, NetDevice dev) {
    if (tapsOfAll.length == 0) {
      return;
    }
    byte type = skb.pktType;
    skb.pktType = SkBuff.PACKET_OUTGOING;
    tapAll(skb, dev);
    skb.pktType = type;
  }

  /** Puts an 802.1Q tag into the bytes. */
  private static void tag(SkBuff skb, int id) {
    skb.push(VLAN_HLEN);
    System.arraycopy(skb.head, skb.macHeader, skb.head, skb.data, EthernetHeader.TYPE_OFFSET);
    skb.macHeader = skb.data;
    skb.setU16(skb.data + EthernetHeader.TYPE_OFFSET, EthernetHeader.ETH_P_8021Q);
    skb.setU16(skb.data + EthernetHeader.LENGTH, id);
  }
}
