// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import io.skbwalk.device.NetDevice;
import io.skbwalk.ipv4.route.FibRoute;
import io.skbwalk.ipv4.route.Flowi4;
import io.skbwalk.ipv4.route.InDevice;
import io.skbwalk.ipv4.route.Routing;
import io.skbwalk.ipv4.route.Rtable;
import io.skbwalk.lib.Checksum;
import io.skbwalk.netfilter.Ipv4Operations;
import io.skbwalk.netfilter.Netfilter;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.IcmpHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.PacketSummary;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;
import io.skbwalk.skb.UdpHeader;
import io.skbwalk.trace.TraceEvent;

/** Plays net/ipv4/icmp.c: queries answered, errors received and sent (RFC 792, 1122, 1812). */
public final class Icmp {
  /** Destination unreachable: network. */
  public static final int NET_UNREACH = 0;

  /** Destination unreachable: host. */
  public static final int HOST_UNREACH = 1;

  /** Destination unreachable: protocol. */
  public static final int PROT_UNREACH = 2;

  /** Destination unreachable: port. */
  public static final int PORT_UNREACH = 3;

  /** Destination unreachable: fragmentation needed and DF set. */
  public static final int FRAG_NEEDED = 4;

  /** Destination unreachable: source route failed. */
  public static final int SR_FAILED = 5;

  /** Destination unreachable: administratively prohibited. */
  public static final int PKT_FILTERED = 13;

  /** Redirect for the host. */
  public static final int REDIR_HOST = 1;

  /** Time exceeded in transit. */
  public static final int EXC_TTL = 0;

  /** Fragment reassembly time exceeded. */
  public static final int EXC_FRAGTIME = 1;

  static final int NR_ICMP_TYPES = 18;
  private static final int NR_ICMP_UNREACH = 15;
  private static final int EXT_ECHO = 42;
  private static final int EXT_ECHOREPLY = 43;

  /** Types that are errors: icmp_pointers[].error, a bit each. */
  private static final int ERRORS =
      1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 9 | 1 << 10 | 1 << 11
          | 1 << 12;

  private static final int IPPROTO_RAW = 255;

  /** INADDR_DUMMY: the source of errors of a machine without any address (RFC 7600). */
  private static final int INADDR_DUMMY = 0xC0000008;

  private static final int IPTOS_PREC_INTERNETCONTROL = 0xC0;
  private static final int IPTOS_TOS_MASK = 0x1E;
  private static final int INET_DSCP_MASK = 0xFC;

  private final Net net;
  private final Netfilter netfilter;
  private final Routing routing;
  private final IpOptions options;
  private final IcmpRateLimit limit;
  private final IpOutput output;
  private final LocalDelivery transport;
  private final Flowi4 flow = new Flowi4();
  private final IpOptionsReply replyOptions = new IpOptionsReply();

  /** icmp_xmit_lock: an ICMP message is being sent; what its own way causes is not answered. */
  private boolean sending;

  private boolean echoIgnoreAll;
  private boolean echoIgnoreBroadcasts = true;
  private boolean enableProbe;
  private boolean ignoreBogusErrors = true;
  private boolean useInboundAddress;
  private int noPmtuDisc;

  Icmp(
      Net net,
      Netfilter netfilter,
      Routing routing,
      IpOptions options,
      InetPeers peers,
      IpOutput output,
      LocalDelivery transport) {
    this.net = net;
    this.netfilter = netfilter;
    this.routing = routing;
    this.options = options;
    limit = new IcmpRateLimit(net, peers);
    this.output = output;
    this.transport = transport;
    registerSysctls();
  }

  private void registerSysctls() {
    var sysctls = net.sysctls;
    sysctls.register(
        "net.ipv4.icmp_echo_ignore_all",
        () -> echoIgnoreAll ? 1 : 0,
        value -> echoIgnoreAll = value != 0,
        0,
        1);
    sysctls.register(
        "net.ipv4.icmp_echo_ignore_broadcasts",
        () -> echoIgnoreBroadcasts ? 1 : 0,
        value -> echoIgnoreBroadcasts = value != 0,
        0,
        1);
    sysctls.register(
        "net.ipv4.icmp_ignore_bogus_error_responses",
        () -> ignoreBogusErrors ? 1 : 0,
        value -> ignoreBogusErrors = value != 0,
        0,
        1);
    sysctls.register(
        "net.ipv4.icmp_errors_use_inbound_ifaddr",
        () -> useInboundAddress ? 1 : 0,
        value -> useInboundAddress = value != 0,
        0,
        1);
    sysctls.register(
        "net.ipv4.ip_no_pmtu_disc", () -> noPmtuDisc, value -> noPmtuDisc = (int) value, 0, 255);
    sysctls.register(
        "net.ipv4.icmp_echo_enable_probe",
        () -> enableProbe ? 1 : 0,
        value -> enableProbe = value != 0,
        0,
        1);
  }

  // ---- messages that came in -------------------------------------------------------------------

  /**
   * Plays icmp_rcv: takes {@code skb} over; {@link SkBuff#data} and {@link SkBuff#transportHeader}
   * stand behind the IP header.
   */
  void receive(SkBuff skb) {
    DropReason reason = dispatch(skb);
    if (reason == null) {
      net.skbs.consume(skb);
    } else {
      net.skbs.drop(skb, reason, reason == DropReason.NO_SOCKET ? "ping_rcv" : "icmp_rcv");
    }
  }

  private DropReason dispatch(SkBuff skb) {
    if (!skb.checksumUnnecessary() && Checksum.of(skb.head, skb.data, skb.length()) != 0) {
      return DropReason.ICMP_CSUM;
    }
    if (!skb.mayPull(IcmpHeader.LENGTH)) {
      return DropReason.NOT_SPECIFIED;
    }
    int header = skb.data;
    skb.pull(IcmpHeader.LENGTH);
    int type = skb.u8(header + IcmpHeader.TYPE_OFFSET);
    if (skb.trace != null) {
      skb.trace.on(
          new TraceEvent.Step(
              "icmp_rcv",
              IcmpHeader.name(type, skb.u8(header + IcmpHeader.CODE_OFFSET)) + ", checksum right"));
    }
    if (type == EXT_ECHO) {
      return probe(skb, header);
    }
    if ((Rtable.of(skb).flags & (Rtable.RTCF_BROADCAST | Rtable.RTCF_MULTICAST)) != 0) {
      boolean query = type == IcmpHeader.ECHO || type == IcmpHeader.TIMESTAMP;
      if (query && echoIgnoreBroadcasts
          || !query && type != IcmpHeader.ADDRESS && type != IcmpHeader.ADDRESS_REPLY) {
        return DropReason.INVALID_PROTO;
      }
    }
    if (type == EXT_ECHOREPLY) {
      return transport.deliverPing(skb) ? null : DropReason.NO_SOCKET;
    }
    if (type > NR_ICMP_TYPES) {
      return DropReason.UNHANDLED_PROTO;
    }
    return switch (type) {
      case IcmpHeader.ECHO_REPLY -> transport.deliverPing(skb) ? null : DropReason.NO_SOCKET;
      case IcmpHeader.DEST_UNREACH,
          IcmpHeader.SOURCE_QUENCH,
          IcmpHeader.TIME_EXCEEDED,
          IcmpHeader.PARAMETER_PROBLEM ->
          unreachable(skb, header, type);
      case IcmpHeader.REDIRECT -> redirect(skb, header);
      case IcmpHeader.ECHO -> echo(skb, header);
      case IcmpHeader.TIMESTAMP -> timestamp(skb, header);
      default -> null;
    };
  }

  /** Plays icmp_unreach: somebody could not handle a packet of ours. */
  private DropReason unreachable(SkBuff skb, int header, int type) {
    if (!skb.mayPull(IpHeader.MIN_LENGTH)) {
      return DropReason.NOT_SPECIFIED;
    }
    if ((skb.u8(skb.data) & 15) < 5) {
      return DropReason.IP_INHDR;
    }
    int code = skb.u8(header + IcmpHeader.CODE_OFFSET);
    int info = 0;
    switch (type) {
      case IcmpHeader.DEST_UNREACH:
        if ((code & 15) == FRAG_NEEDED) {
          int protocol = skb.u8(skb.data + IpHeader.PROTOCOL_OFFSET);
          if (noPmtuDisc == 2 || noPmtuDisc == 3 && protocol != IpHeader.IPPROTO_TCP) {
            // 3: only protocols that check the message against their sequence numbers.
            return null;
          }
          if (noPmtuDisc == 0 || noPmtuDisc == 3) {
            info = skb.u16(header + IcmpHeader.SEQUENCE_OFFSET);
          }
        }
        if (code > NR_ICMP_UNREACH) {
          return null;
        }
        break;
      case IcmpHeader.PARAMETER_PROBLEM:
        info = skb.u8(header + IcmpHeader.ID_OFFSET);
        break;
      case IcmpHeader.TIME_EXCEEDED:
        if (code == EXC_FRAGTIME) {
          return null;
        }
        break;
      default:
        break;
    }
    if (!ignoreBogusErrors
        && routing.addressType(NetDevice.of(skb), skb.u32(skb.data + IpHeader.DESTINATION_OFFSET))
            == Ipv4Operations.RTN_BROADCAST) {
      return null;
    }
    socketDeliver(skb, type, code, info);
    return null;
  }

  /** Plays icmp_redirect. */
  private DropReason redirect(SkBuff skb, int header) {
    if (skb.length() < IpHeader.MIN_LENGTH) {
      return DropReason.PKT_TOO_SMALL;
    }
    socketDeliver(
        skb,
        IcmpHeader.REDIRECT,
        skb.u8(header + IcmpHeader.CODE_OFFSET),
        skb.u32(header + IcmpHeader.ID_OFFSET));
    return null;
  }

  /** Plays icmp_socket_deliver: to whoever sent the packet that is quoted, and to the routes. */
  private void socketDeliver(SkBuff skb, int type, int code, int info) {
    int quoted = skb.data;
    int headerLength = (skb.u8(quoted) & 15) * 4;
    int protocol = skb.u8(quoted + IpHeader.PROTOCOL_OFFSET);
    if (!skb.mayPull(headerLength + 8) || protocol == IPPROTO_RAW) {
      return;
    }
    if (protocol == IpHeader.IPPROTO_ICMP) {
      // icmp_err: only an echo reply can have been this machine's own.
      if (skb.u8(quoted + headerLength) == IcmpHeader.ECHO_REPLY) {
        if (type == IcmpHeader.DEST_UNREACH && code == FRAG_NEEDED) {
          updatePmtu(skb, info);
        } else if (type == IcmpHeader.REDIRECT) {
          routing.redirect(quotedFlow(skb), IpHeader.source(skb), info, NetDevice.of(skb));
        }
      }
      transport.icmpError(skb, protocol, info);
      return;
    }
    transport.icmpError(skb, protocol, info);
  }

  /** Plays ipv4_update_pmtu for the packet that {@code skb} quotes at {@link SkBuff#data}. */
  public void updatePmtu(SkBuff skb, int mtu) {
    routing.updatePmtu(quotedFlow(skb), mtu);
  }

  private Flowi4 quotedFlow(SkBuff skb) {
    int quoted = skb.data;
    flow.reset(skb.u32(quoted + IpHeader.DESTINATION_OFFSET));
    flow.saddr = skb.u32(quoted + IpHeader.SOURCE_OFFSET);
    flow.tos = skb.u8(quoted + IpHeader.TOS_OFFSET) & INET_DSCP_MASK;
    flow.proto = skb.u8(quoted + IpHeader.PROTOCOL_OFFSET);
    flow.mark = output.replyMark(skb);
    return flow;
  }

  /** Plays icmp_echo. */
  private DropReason echo(SkBuff skb, int header) {
    if (echoIgnoreAll) {
      return null;
    }
    reply(
        skb,
        IcmpHeader.ECHO_REPLY,
        skb.u8(header + IcmpHeader.CODE_OFFSET),
        skb.u32(header + IcmpHeader.ID_OFFSET),
        skb.data,
        skb.length());
    return null;
  }

  /**
   * Plays icmp_echo for an extended request; only those of which the local bit is set are answered.
   */
  private DropReason probe(SkBuff skb, int header) {
    int rest = skb.u32(header + IcmpHeader.ID_OFFSET);
    if (echoIgnoreAll || !enableProbe || (rest & 1) == 0) {
      return null;
    }
    int answer = IcmpProbe.answer(skb, routing.devices());
    int code = answer >>> 16;
    if (code == 0) {
      code = skb.u8(header + IcmpHeader.CODE_OFFSET);
    }
    reply(skb, EXT_ECHOREPLY, code, rest & 0xFFFFFF00 | answer & 0xFF, skb.data, skb.length());
    return null;
  }

  /** Plays icmp_timestamp. */
  private DropReason timestamp(SkBuff skb, int header) {
    if (skb.length() < 4) {
      return DropReason.PKT_TOO_SMALL;
    }
    reply(skb, IcmpHeader.TIMESTAMP_REPLY, 0, skb.u32(header + IcmpHeader.ID_OFFSET), skb.data, 12);
    return null;
  }

  /**
   * Plays icmp_reply: answers a query with its own identifier and {@code length} bytes from {@code
   * at}.
   */
  private void reply(SkBuff skb, int type, int code, int rest, int at, int length) {
    if (sending || !options.echo(skb, replyOptions)) {
      return;
    }
    boolean masked = limit.isMasked(type, code);
    if (masked && !limit.globalAllow()) {
      tellLimited(skb, type, code);
      return;
    }
    int destination = IpHeader.source(skb);
    int mark = output.replyMark(skb);
    int tos = IpHeader.tos(skb);
    int source = options.specificDestination(skb);
    flow.reset(replyOptions.srr != 0 ? replyOptions.firstHop : destination);
    flow.saddr = source;
    flow.mark = mark;
    flow.tos = tos & INET_DSCP_MASK;
    flow.proto = IpHeader.IPPROTO_ICMP;
    Rtable rt = routing.output(flow);
    if (rt == null || masked && !limit.peerAllow(rt, flow.daddr)) {
      return;
    }
    if (IpHeader.MIN_LENGTH + replyOptions.length + IcmpHeader.LENGTH + length > 0xFFFF) {
      return;
    }
    SkBuff answer = output.answer(skb, rt, IcmpHeader.LENGTH + length, replyOptions, destination);
    if (type == IcmpHeader.TIMESTAMP_REPLY) {
      int times = answer.transportHeader + IcmpHeader.LENGTH;
      int now = options.currentTimestamp();
      answer.setU32(times, skb.u32(at));
      answer.setU32(times + 4, now);
      answer.setU32(times + 8, now);
    } else {
      System.arraycopy(
          skb.head, at, answer.head, answer.transportHeader + IcmpHeader.LENGTH, length);
    }
    push(answer, "icmp_reply", type, code, rest, tos, mark, destination);
  }

  // ---- errors sent -----------------------------------------------------------------------------

  /**
   * Plays icmp_send: tells the sender of {@code skb} what is wrong with it, if it may be told: not
   * about errors, later fragments, what was for many, and not too often.
   *
   * @param skb with its route, IP header at {@link SkBuff#networkHeader}; not taken over
   * @param info the second word of the ICMP header: next-hop MTU, pointer in the high byte, gateway
   */
  public void send(SkBuff skb, int type, int code, int info) {
    Rtable rt = Rtable.of(skb);
    if (rt == null
        || skb.networkHeader < 0
        || skb.networkHeader + IpHeader.MIN_LENGTH > skb.tail
        || skb.pktType != SkBuff.PACKET_HOST
        || (rt.flags & (Rtable.RTCF_BROADCAST | Rtable.RTCF_MULTICAST)) != 0
        || (IpHeader.fragment(skb) & IpHeader.IP_OFFSET) != 0
        || isError(type) && isAboutError(skb)) {
      return;
    }
    NetDevice dev = NetDevice.of(skb);
    boolean masked = limit.isMasked(type, code) && (dev == null || !dev.isLoopback());
    if (masked && !limit.globalAllow()) {
      tellLimited(skb, type, code);
      return;
    }
    if (sending) {
      return;
    }
    int destination = IpHeader.source(skb);
    int source = IpHeader.destination(skb);
    if ((rt.flags & Rtable.RTCF_LOCAL) == 0) {
      source = 0;
      if (rt.isInput && useInboundAddress) {
        InDevice in = routing.devices().of(skb.iif);
        if (in != null) {
          source = routing.selectAddress(in.dev, destination, FibRoute.RT_SCOPE_LINK);
        }
      }
    }
    int tos =
        isError(type)
            ? IpHeader.tos(skb) & IPTOS_TOS_MASK | IPTOS_PREC_INTERNETCONTROL
            : IpHeader.tos(skb);
    int mark = output.replyMark(skb);
    if (!options.echo(skb, replyOptions)) {
      return;
    }
    flow.reset(replyOptions.srr != 0 ? replyOptions.firstHop : destination);
    flow.saddr = source;
    flow.mark = mark;
    flow.tos = tos & INET_DSCP_MASK;
    flow.proto = IpHeader.IPPROTO_ICMP;
    Rtable back = routing.output(flow);
    if (back == null || masked && !limit.peerAllow(back, flow.daddr)) {
      return;
    }
    int room =
        Math.min(back.mtu(false, net.clock.now()), 576)
            - IpHeader.MIN_LENGTH
            - replyOptions.length
            - IcmpHeader.LENGTH;
    if (room <= IpHeader.MIN_LENGTH) {
      return;
    }
    int length = Math.min(skb.tail - skb.networkHeader, room);
    if (flow.saddr == 0) {
      flow.saddr = INADDR_DUMMY;
    }
    SkBuff answer = output.answer(skb, back, IcmpHeader.LENGTH + length, replyOptions, destination);
    System.arraycopy(
        skb.head,
        skb.networkHeader,
        answer.head,
        answer.transportHeader + IcmpHeader.LENGTH,
        length);
    if (skb.ipSummed == SkBuff.CHECKSUM_PARTIAL) {
      quotePartialChecksum(answer, answer.transportHeader + IcmpHeader.LENGTH);
    }
    if (isError(type)) {
      netfilter.attach(answer, skb);
    }
    push(answer, "__icmp_send", type, code, info, tos, mark, destination);
  }

  /** The packet quoted at {@code ip} has no checksum yet, only its pseudo header's sum. */
  private static void quotePartialChecksum(SkBuff answer, int ip) {
    int header = (answer.u8(ip) & 0x0F) * 4;
    boolean udp = answer.u8(ip + IpHeader.PROTOCOL_OFFSET) == IpHeader.IPPROTO_UDP;
    int check = ip + header + (udp ? UdpHeader.CHECKSUM_OFFSET : TcpHeader.CHECKSUM_OFFSET);
    if (check + 2 <= answer.tail) {
      long sum =
          Checksum.pseudoHeader(
              answer.u32(ip + IpHeader.SOURCE_OFFSET),
              answer.u32(ip + IpHeader.DESTINATION_OFFSET),
              answer.u8(ip + IpHeader.PROTOCOL_OFFSET),
              answer.u16(ip + IpHeader.TOTAL_LENGTH_OFFSET) - header);
      answer.setU16(check, ~Checksum.fold(sum) & 0xFFFF);
    }
  }

  /**
   * Plays ipv4_link_failure: {@code skb}, with its route, could not be sent because nobody on the
   * link answers for its next hop. Not taken over.
   */
  public void linkFailure(SkBuff skb) {
    if (skb.networkHeader >= 0
        && skb.networkHeader + IpHeader.MIN_LENGTH <= skb.tail
        && Rtable.of(skb) != null
        && options.recompile(skb)) {
      send(skb, IcmpHeader.DEST_UNREACH, HOST_UNREACH, 0);
    }
  }

  /**
   * Plays icmp_push_reply: headers, options and checksum, then the way out; {@link #flow} has the
   * addresses.
   */
  private void push(
      SkBuff answer,
      String function,
      int type,
      int code,
      int rest,
      int tos,
      int mark,
      int destination) {
    int at = answer.transportHeader;
    answer.mark = mark;
    // The socket of ICMP has IP_PMTUDISC_DONT; a copy with DF (TEE) is fragmented all the same.
    answer.cbFlags |= IpControlBlock.IGNORE_DF;
    answer.setU8(at + IcmpHeader.TYPE_OFFSET, type);
    answer.setU8(at + IcmpHeader.CODE_OFFSET, code);
    answer.setU16(at + IcmpHeader.CHECKSUM_OFFSET, 0);
    answer.setU32(at + IcmpHeader.ID_OFFSET, rest);
    int checksum = Checksum.of(answer.head, at, answer.tail - at);
    // The sum of a message of zeros is the other zero: x86 starts its copying sum with all ones.
    answer.setU16(at + IcmpHeader.CHECKSUM_OFFSET, checksum == 0xFFFF ? 0 : checksum);
    IpHeaderWriter.write(
        answer,
        IpHeader.MIN_LENGTH + replyOptions.length,
        tos,
        output.selectId(),
        0,
        output.selectTtl(Rtable.of(answer)),
        IpHeader.IPPROTO_ICMP,
        flow.saddr,
        flow.daddr);
    if (replyOptions.length > 0) {
      options.build(answer, replyOptions, destination);
    }
    if (answer.trace != null) {
      answer.trace.on(new TraceEvent.Made(function, PacketSummary.ofPacket(answer)));
    }
    sending = true;
    try {
      output.localOut(answer);
    } finally {
      sending = false;
    }
  }

  /**
   * Plays icmp_pointers[].error, which unlike icmp_is_err is true of types that nobody assigned.
   */
  private static boolean isError(int type) {
    return type <= NR_ICMP_TYPES && (ERRORS & 1 << type) != 0;
  }

  /** An ICMP error, or of a type that nobody knows, must not be answered with an error. */
  private static boolean isAboutError(SkBuff skb) {
    if (IpHeader.protocol(skb) != IpHeader.IPPROTO_ICMP) {
      return false;
    }
    int at = skb.networkHeader + IpHeader.headerLength(skb) + IcmpHeader.TYPE_OFFSET;
    if (at >= skb.tail) {
      return true;
    }
    int inner = skb.u8(at);
    return inner > NR_ICMP_TYPES || isError(inner);
  }

  private static void tellLimited(SkBuff skb, int type, int code) {
    if (skb.trace != null) {
      skb.trace.on(
          new TraceEvent.Step(
              "icmp_global_allow",
              "no " + IcmpHeader.name(type, code) + ": icmp_msgs_per_sec is used up"));
    }
  }
}
