// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.host;

import io.skbwalk.device.NetDevice;
import io.skbwalk.device.NetworkCore;
import io.skbwalk.device.NetworkInterfaceController;
import io.skbwalk.device.RefusalListener;
import io.skbwalk.device.TransmitListener;
import io.skbwalk.ipv4.Inet;
import io.skbwalk.ipv4.LinkLayer;
import io.skbwalk.ipv4.Neighbours;
import io.skbwalk.ipv4.route.Fib;
import io.skbwalk.ipv4.route.InDevices;
import io.skbwalk.ipv4.route.Routing;
import io.skbwalk.kernel.InitCalls;
import io.skbwalk.kernel.InitCalls.Level;
import io.skbwalk.kernel.Sysctls;
import io.skbwalk.netfilter.LogListener;
import io.skbwalk.netfilter.Netfilter;
import io.skbwalk.netfilter.SocketOwner;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.flow.FlowTable;
import io.skbwalk.netfilter.ipset.IpSets;
import io.skbwalk.netfilter.nat.Nat;
import io.skbwalk.netfilter.tables.Environment;
import io.skbwalk.netfilter.tables.IptTables;
import io.skbwalk.netfilter.tables.NfAcct;
import io.skbwalk.netfilter.tables.OsFingerprints;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.EthernetHeader;
import io.skbwalk.skb.FreeListener;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.PacketSummary;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.SkBuffPool;
import io.skbwalk.trace.TraceEvent;
import io.skbwalk.trace.TraceListener;
import io.skbwalk.transport.PortsInUse;
import io.skbwalk.transport.SocketTable;
import io.skbwalk.transport.Transport;
import java.util.List;

/**
 * One machine: a kernel's network namespace with its interfaces, addresses, routes, rules and
 * sockets, into which frames are put and out of which frames come.
 *
 * <pre>{@code
 * Host host = new Host(description, 0, 1);
 * host.setListener(listener);
 * host.receive(host.device("eth0"), frame, 0, frame.length, 0, time, null);
 * host.advanceTo(time + 30 * Clock.SECOND);
 * System.out.print(host.sockets().print());
 * }</pre>
 *
 * <p>Time is the frames': before a frame is handled every timer that is due by its time has run, in
 * order of time. Not for several threads.
 */
public final class Host {
  private static final int ETH_P_802_2 = 4;
  private static final int SNAP_SAP = 0xAA;
  private static final int BRIDGE_SAP = 0x42;
  private static final int IPV6_MIN_MTU = 1280;
  private static final int MAX_PACKET = 65_535;

  private final HostDescription description;
  private final Net net;
  private final NetworkCore core;
  private final Netfilter netfilter;
  private final Conntrack conntrack;
  private final Inet inet;
  private final InitCalls initCalls = new InitCalls();
  private final Transport transport;
  private final LogListener log;
  private final IpSets ipsets;
  private final NfAcct accounting;
  private final OsFingerprints fingerprints = new OsFingerprints();
  private Nat nat;
  private IptTables tables;
  private FlowTable flows;
  private InDevices inDevices;
  private Routing routing;
  private Neighbours neighbours;
  private HostListener listener;
  private long frames;
  private boolean bootTold;

  /** A machine without rules. */
  public Host(HostDescription description, long startNanos, long seed) {
    this(description, null, startNanos, seed);
  }

  /** A machine whose kernel log nobody reads. */
  public Host(HostDescription description, RuleSet rules, long startNanos, long seed) {
    this(description, rules, null, startNanos, seed);
  }

  /**
   * Boots a machine.
   *
   * @param rules for iptables, or null for none
   * @param log who reads the lines of LOG and TRACE; null for nobody
   * @param startNanos the time at which its clock starts, nanoseconds since the epoch
   * @param seed of everything that is random
   * @throws HostException when the description asks for what no kernel would do
   * @throws io.skbwalk.lib.SourceException when the rules or the sets do
   */
  public Host(
      HostDescription description, RuleSet rules, LogListener log, long startNanos, long seed) {
    this.description = description;
    net = new Net(startNanos, seed);
    core = new NetworkCore(net);
    netfilter = new Netfilter(net);
    netfilter.setLog(log);
    conntrack = new Conntrack(net, netfilter);
    inet = new Inet(net, netfilter);
    conntrack.setIpv4(inet);
    transport = new Transport(net, core);
    core.setTime(this::advanceTo);
    net.skbs.setFreeListener(new Releases());
    boot();
    netfilter.queues().setIpv4(inet);
    conntrack.setSecurityContexts(description.netfilter().securityContexts());
    for (HostDescription.Queue queue : description.netfilter().queues()) {
      int verdict = queue.verdict() | queue.to() << 16;
      netfilter.queues().listen(queue.number(), verdict, queue.mark());
    }
    accounting = new NfAcct(description.netfilter().accounting() == null);
    new Configuration(
            description,
            net,
            core,
            inDevices,
            routing,
            neighbours,
            transport,
            conntrack,
            accounting)
        .apply();
    for (HostDescription.Fingerprint one : description.netfilter().fingerprints()) {
      Configuration.refusable(one, () -> fingerprints.add(one.line()));
    }
    this.log = log;
    ipsets = new IpSets(net);
    description.netfilter().ipsets().forEach(restore -> restore.into(ipsets));
    if (rules != null) {
      replaceRules(rules);
    }
  }

  // ---- boot -------------------------------------------------------------------------------------

  private void boot() {
    initCalls.add(
        Level.SUBSYS,
        "net_dev_init",
        "NET_RX_SOFTIRQ -> net_rx_action; interface lo",
        () -> core.register(Configuration.loopback(), 1));
    initCalls.add(
        Level.FS,
        "inet_init",
        "protocols of IPv4; dev_add_pack: 0x0800 -> ip_rcv, 0x0806 -> arp_rcv",
        this::inetInit);
    initCalls.add(
        Level.DEVICE,
        "inet6_init",
        "dev_add_pack: 0x86dd -> ipv6_rcv, IPv6 switched off",
        () -> core.addPacketType(EthernetHeader.ETH_P_IPV6, (skb, dev) -> dropIpv6(skb)));
    initCalls.add(
        Level.DEVICE,
        "llc_init",
        "dev_add_pack: 802.2 frames -> llc_rcv",
        () -> core.addPacketType(ETH_P_802_2, (skb, dev) -> dropLlc(skb)));
    initCalls.run();
  }

  /**
   * Plays llc_rcv, snap_rcv and stp_pdu_rcv on a machine where nothing speaks LLC: a sound frame
   * for the service access points of SNAP and of bridges gets one function further.
   */
  private void dropLlc(SkBuff skb) {
    int at = skb.data;
    String function = "llc_rcv";
    if (skb.pktType != SkBuff.PACKET_OTHERHOST && skb.mayPull(4)) {
      int header = (skb.u8(at + 2) & 3) == 3 ? 3 : 4;
      int length = skb.u16(at - 2) - header;
      boolean sound = length >= 0 && skb.tail - at - header >= length;
      if (sound && skb.u8(at) == SNAP_SAP) {
        function = "snap_rcv";
      } else if (sound && skb.u8(at) == BRIDGE_SAP) {
        function = "stp_pdu_rcv";
      }
    }
    net.skbs.drop(skb, DropReason.NOT_SPECIFIED, function);
  }

  private void inetInit() {
    inDevices = new InDevices(net);
    routing = new Routing(net, inDevices, new Fib(inDevices), core.loopback(), inet);
    neighbours =
        new Neighbours(
            net,
            routing,
            core,
            skb -> inet.icmp().linkFailure(skb),
            description.assumeNeighbours());
    inet.init(
        routing,
        new LinkLayer() {
          @Override
          public void output(SkBuff skb, NetDevice dev, int nextHop) {
            neighbours.output(skb, dev, nextHop);
          }

          @Override
          public void netifRx(SkBuff skb) {
            core.netifRx(skb);
          }
        },
        transport);
    transport.init(netfilter, routing, inet.output(), inet.icmp());
    core.addPacketType(EthernetHeader.ETH_P_IP, inet.receive()::receive);
    core.addPacketType(EthernetHeader.ETH_P_ARP, (skb, dev) -> neighbours.arp().receive(skb));
  }

  private void dropIpv6(SkBuff skb) {
    DropReason reason = DropReason.IPV6DISABLED;
    if (skb.pktType == SkBuff.PACKET_OTHERHOST) {
      reason = DropReason.OTHERHOST;
    } else if (NetDevice.of(skb).mtu < IPV6_MIN_MTU) {
      // IPv6 does not even know of such an interface.
      reason = DropReason.NOT_SPECIFIED;
    }
    net.skbs.drop(skb, reason, "ip6_rcv_core");
  }

  /**
   * Plays iptables-restore: each table that {@code rules} names has these rules from now on; see
   * {@link IptTables#replace}. Connections are tracked from now on only if a rule still needs it.
   *
   * @throws io.skbwalk.lib.SourceException when iptables or the kernel would refuse a rule
   */
  public void replaceRules(RuleSet rules) {
    if (tables == null) {
      nat = new Nat(net, netfilter, conntrack, inet);
      Environment environment = new Environment(net, inet, conntrack, nat, log, ipsets);
      environment.setNetfilter(netfilter);
      flows = new FlowTable(netfilter, conntrack);
      environment.setFlows(flows);
      environment.setSecurityContexts(description.netfilter().securityContexts());
      environment.perNet(NfAcct.class, () -> accounting);
      environment.perNet(OsFingerprints.class, () -> fingerprints);
      tables = new IptTables(RuleSet.EMPTY, environment);
    }
    tables.replace(rules, this::hookIn);
  }

  /** Plays what loading a table registers and unregisters. */
  private void hookIn() {
    conntrack.need(tables.needsConntrack(), tables.needsDefragmentation());
    tables.register(netfilter);
    if (tables.nat() != null) {
      nat.enable(tables.nat());
    }
  }

  // ---- frames in --------------------------------------------------------------------------------

  /** {@link #receive(NetDevice, byte[], int, int, int, long, TraceListener)} of a whole array. */
  public long receive(NetDevice dev, byte[] frame, long time, TraceListener trace) {
    return receive(dev, frame, 0, frame.length, 0, time, trace);
  }

  /**
   * A frame comes off the wire and goes all its way; everything that this machine does because of
   * it is done when this returns.
   *
   * @param dev an interface with a card: neither loopback nor VLAN
   * @param length bytes from {@code offset}, check sequence included
   * @param fcsLength bytes of the frame check sequence at the end; 0 when there is none
   * @param time nanoseconds since the epoch
   * @param trace who is told of each step, or null
   * @return the frame's number, from 1 in the order of receiving and sending
   */
  public long receive(
      NetDevice dev,
      byte[] frame,
      int offset,
      int length,
      int fcsLength,
      long time,
      TraceListener trace) {
    advanceTo(time);
    long number = enqueue(dev, frame, offset, length, fcsLength, time, trace);
    core.softirq();
    return number;
  }

  /**
   * A frame comes off the wire and waits in the card's ring for {@link #run}: how several frames
   * that arrive while the interrupt is masked are polled together. Its bytes must stay until then.
   * What does not find a free slot ({@link NetworkInterfaceController#free}) is lost.
   *
   * @return the frame's number
   */
  public long enqueue(
      NetDevice dev,
      byte[] frame,
      int offset,
      int length,
      int fcsLength,
      long time,
      TraceListener trace) {
    frames++;
    if (trace != null) {
      trace.on(
          new TraceEvent.Frame(
              frames,
              time,
              dev.name,
              false,
              PacketSummary.ofFrame(frame, offset, Math.max(0, length - fcsLength))));
      tellBoot(trace);
    }
    bootTold = true;
    core.controller(dev).receive(frame, offset, length, fcsLength, time, frames, trace);
    return frames;
  }

  /** Runs the softirq: every frame in a ring is handled, each at its own time. */
  public void run() {
    core.softirq();
  }

  /** {@link #send(byte[], int, int, SocketOwner, long, TraceListener)} of whose socket it is. */
  public long send(byte[] packet, int offset, int length, long time, TraceListener trace) {
    return send(packet, offset, length, null, time, trace);
  }

  /**
   * A packet that this machine itself sent: it takes the way out, through LOCAL_OUT, by the route
   * that it has now.
   *
   * @param packet the IP packet, from its header on
   * @param owner who sends it; null for the owner of the socket with its address and port, or root
   * @return the frame's number, as of {@link #receive}
   */
  public long send(
      byte[] packet, int offset, int length, SocketOwner owner, long time, TraceListener trace) {
    advanceTo(time);
    frames++;
    int bytes = Math.min(length, MAX_PACKET);
    SkBuff skb = net.skbs.allocate(SkBuffPool.HEADROOM, bytes);
    System.arraycopy(packet, offset, skb.head, skb.put(bytes), bytes);
    skb.networkHeader = skb.data;
    skb.protocol = EthernetHeader.ETH_P_IP;
    skb.tstamp = net.clock.now();
    skb.frame = frames;
    skb.trace = trace;
    if (trace != null) {
      trace.on(new TraceEvent.Frame(frames, time, "", true, PacketSummary.ofPacket(skb)));
      tellBoot(trace);
    }
    bootTold = true;
    core.enterProcess();
    skb.sk = owner == null ? transport.ownerOf(skb) : owner;
    inet.output().sendPrepared(skb);
    core.leaveProcess();
    return frames;
  }

  /**
   * A frame that is no IP packet and that this machine itself sent: plays packet_snd. It leaves on
   * {@code dev} as it is.
   *
   * @return the frame's number, as of {@link #receive}
   */
  public long sendFrame(
      NetDevice dev, byte[] frame, int offset, int length, long time, TraceListener trace) {
    advanceTo(time);
    frames++;
    SkBuff skb = net.skbs.allocate(SkBuffPool.HEADROOM, length);
    System.arraycopy(frame, offset, skb.head, skb.put(length), length);
    skb.macHeader = skb.data;
    skb.networkHeader = skb.data + Math.min(length, EthernetHeader.LENGTH);
    skb.dev = dev;
    skb.tstamp = net.clock.now();
    skb.frame = frames;
    skb.trace = trace;
    if (trace != null) {
      trace.on(
          new TraceEvent.Frame(
              frames, time, dev.name, true, PacketSummary.ofFrame(frame, offset, length)));
      tellBoot(trace);
      trace.on(new TraceEvent.Step("packet_snd", "leaves on " + dev.name + " as it is"));
    }
    bootTold = true;
    core.queueXmit(skb);
    core.softirq();
    return frames;
  }

  /** The next frame received or sent gets this number, which is larger than all before. */
  public void setNextNumber(long number) {
    frames = number - 1;
  }

  /** What the walk of the first frame of all begins with. */
  private void tellBoot(TraceListener trace) {
    if (bootTold) {
      return;
    }
    bootTold = true;
    for (InitCalls.Ran ran : initCalls.ran()) {
      trace.on(new TraceEvent.InitCall(ran.level().ordinal(), ran.function(), ran.text()));
    }
  }

  /**
   * Moves the clock to {@code nanos}; timers and connections that are due run, in order of time.
   */
  public void advanceTo(long nanos) {
    long next;
    while ((next = net.timers.nextExpiry()) <= nanos) {
      conntrack.advanceTo(next);
      net.timers.advanceTo(next);
      core.softirq();
    }
    if (nanos > net.clock.now()) {
      conntrack.advanceTo(nanos);
      net.clock.advanceTo(nanos);
    }
  }

  // ---- what can be seen -------------------------------------------------------------------------

  /** Who is told of what happens to packets; null for nobody. */
  public void setListener(HostListener listener) {
    this.listener = listener;
    // With nobody listening the path does not even ask.
    TransmitListener transmitted = listener == null ? null : listener::transmitted;
    RefusalListener refused = listener == null ? null : listener::refused;
    core.setTransmitListener(transmitted);
    core.setRefusalListener(refused);
    transport.setListener(listener == null ? null : listener::received);
  }

  /** What it was made from. */
  public HostDescription description() {
    return description;
  }

  /** Interfaces by index, loopback first, with their counters. */
  public List<NetDevice> devices() {
    return core.devices();
  }

  /** The interface called {@code name}, or null. */
  public NetDevice device(String name) {
    return core.device(name);
  }

  /** Free slots in the receive ring of {@code dev}. */
  public int ringSpace(NetDevice dev) {
    return core.controller(dev).free();
  }

  /** Settings by their kernel names. */
  public Sysctls sysctls() {
    return net.sysctls;
  }

  /** Clock, timers, pool. */
  public Net net() {
    return net;
  }

  /** Virtual time, nanoseconds since the epoch. */
  public long now() {
    return net.clock.now();
  }

  /** Frames received and sent so far. */
  public long frames() {
    return frames;
  }

  /** The sockets and what they got. */
  public SocketTable sockets() {
    return transport.sockets();
  }

  /** The connection table, empty unless rules need it. */
  public Conntrack conntrack() {
    return conntrack;
  }

  /** The sets of ipset. */
  public IpSets ipsets() {
    return ipsets;
  }

  /** The accounting objects and what was counted in them. */
  public NfAcct accounting() {
    return accounting;
  }

  /** The rules and their counters; null when there are none. */
  public IptTables tables() {
    return tables;
  }

  /** What connections' packets met at the hooks; null when there are no rules. */
  public FlowTable flows() {
    return flows;
  }

  /** The hooks, with what passed them. */
  public Netfilter netfilter() {
    return netfilter;
  }

  /** Ports of sockets that are known by their packets only. */
  public PortsInUse portsInUse() {
    return transport.portsInUse();
  }

  /** Routing tables and rules. */
  public Routing routing() {
    return routing;
  }

  /** Link-layer addresses of neighbours. */
  public Neighbours neighbours() {
    return neighbours;
  }

  private final class Releases implements FreeListener {
    @Override
    public void dropped(SkBuff skb, DropReason reason, String function) {
      if (listener != null) {
        listener.dropped(skb, reason, function);
      }
    }

    @Override
    public void released(SkBuff skb) {
      if (skb.ct != 0) {
        conntrack.put(skb);
      }
    }
  }
}
