// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import io.skbwalk.device.NetDevice;
import io.skbwalk.ipv4.route.Flowi4;
import io.skbwalk.ipv4.route.Routing;
import io.skbwalk.ipv4.route.Rtable;
import io.skbwalk.lib.Checksum;
import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.Ipv4Operations;
import io.skbwalk.netfilter.Netfilter;
import io.skbwalk.netfilter.OkFunction;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.EthernetHeader;
import io.skbwalk.skb.IcmpHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.PacketSummary;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.SkBuffPool;
import io.skbwalk.skb.TcpHeader;
import io.skbwalk.skb.UdpHeader;
import io.skbwalk.trace.TraceEvent;

/** Plays net/ipv4/ip_output.c: the way out, for packets made here and for forwarded ones. */
public final class IpOutput {
  /** What routing looks at of a type of service: all but its ECN bits. */
  static final int INET_DSCP_MASK = 0xFC;

  private final Net net;
  private final Netfilter netfilter;
  private final Routing routing;
  private final IpOptions options;
  private final LinkLayer link;
  private final Flowi4 flow = new Flowi4();
  private final IpOptionsReply replyOptions = new IpOptionsReply();
  private final OkFunction dstOutput = skb -> skb.dst.output(skb);
  private final OkFunction finish = this::finishOutput;
  private final OkFunction multicastFinish = this::multicastFinish;

  private IpForward forward;
  private Icmp icmp;
  private int nextId;

  /** net.ipv4.ip_default_ttl. */
  private int defaultTtl = 64;

  private boolean reflectMark;

  IpOutput(Net net, Netfilter netfilter, Routing routing, IpOptions options, LinkLayer link) {
    this.net = net;
    this.netfilter = netfilter;
    this.routing = routing;
    this.options = options;
    this.link = link;
    net.sysctls.register(
        "net.ipv4.ip_default_ttl", () -> defaultTtl, value -> defaultTtl = (int) value, 1, 255);
    net.sysctls.register(
        "net.ipv4.fwmark_reflect",
        () -> reflectMark ? 1 : 0,
        value -> reflectMark = value != 0,
        0,
        255);
  }

  void connect(IpForward forward, Icmp icmp) {
    this.forward = forward;
    this.icmp = icmp;
  }

  /** net.ipv4.ip_default_ttl: the TTL of packets made here. */
  public int defaultTtl() {
    return defaultTtl;
  }

  /** IP4_REPLY_MARK: the mark of an answer to {@code skb}. */
  public int replyMark(SkBuff skb) {
    return reflectMark ? skb.mark : 0;
  }

  /** The TTL of a packet made here: multicasts do not leave the link. */
  int selectTtl(Rtable rt) {
    return rt.type == Ipv4Operations.RTN_MULTICAST ? 1 : defaultTtl;
  }

  /**
   * Plays ip_select_ident for a packet that may be fragmented: the next number. The kernel's choice
   * is random; here it counts, so that every run is alike.
   */
  int selectId() {
    nextId = nextId + 1 & 0xFFFF;
    return nextId;
  }

  /**
   * Plays ip_local_out: {@code skb}, made here, has its IP header (but for length and checksum) at
   * {@link SkBuff#data} and its route. Takes the packet over.
   */
  public void localOut(SkBuff skb) {
    IpHeaderWriter.setLength(skb);
    if (net.withholdsAnswers) {
      net.withheld++;
      if (skb.trace != null) {
        skb.trace.on(new TraceEvent.Withheld("__ip_local_out"));
      }
      net.skbs.consume(skb);
      return;
    }
    skb.protocol = EthernetHeader.ETH_P_IP;
    netfilter.hook(Hook.LOCAL_OUT, skb, null, Rtable.of(skb).dev, dstOutput);
  }

  /**
   * Sends a packet that this machine sent itself when it was captured: as it is, by the route that
   * it takes now, through LOCAL_OUT and POST_ROUTING. {@link SkBuff#data} and {@link
   * SkBuff#networkHeader} stand at the IP header, {@link SkBuff#sk} says who sent it. Takes the
   * packet over.
   *
   * <p>Segments that the capture saw before the interface cut them (TSO) stay whole.
   */
  public void sendPrepared(SkBuff skb) {
    if (!isSound(skb)) {
      net.skbs.drop(skb, DropReason.IP_INHDR, "raw_sendmsg");
      return;
    }
    int headerLength = IpHeader.headerLength(skb);
    skb.trim(IpHeader.totalLength(skb));
    skb.transportHeader = skb.networkHeader + headerLength;
    skb.cbFlags = 0;
    flow.reset(IpHeader.destination(skb));
    flow.saddr = IpHeader.source(skb);
    flow.tos = IpHeader.tos(skb) & INET_DSCP_MASK;
    flow.mark = skb.mark;
    flow.proto = IpHeader.protocol(skb);
    flow.anySource = true;
    Rtable rt = routing.output(flow);
    routing.tellOutput(skb, "ip_route_output_flow", flow, rt);
    if (rt == null) {
      net.skbs.drop(skb, DropReason.IP_OUTNOROUTES, "__ip_queue_xmit");
      return;
    }
    skb.dst = rt;
    skb.pktType = SkBuff.PACKET_HOST;
    skb.dev = null;
    skb.iif = 0;
    skb.protocol = EthernetHeader.ETH_P_IP;
    if (!IpHeader.isFragment(skb)) {
      finishOffloads(skb);
    }
    netfilter.hook(Hook.LOCAL_OUT, skb, null, rt.dev, dstOutput);
  }

  /**
   * What the interface would have done after the capture: a checksum that covers the pseudo header
   * only is completed (CHECKSUM_PARTIAL); a train of TCP segments stays one.
   */
  private static void finishOffloads(SkBuff skb) {
    int protocol = IpHeader.protocol(skb);
    int at = skb.transportHeader;
    int field;
    if (protocol == IpHeader.IPPROTO_TCP && at + TcpHeader.MIN_LENGTH <= skb.tail) {
      field = at + TcpHeader.CHECKSUM_OFFSET;
      skb.cbFlags |= IpControlBlock.IS_GSO;
    } else if (protocol == IpHeader.IPPROTO_UDP && at + UdpHeader.LENGTH <= skb.tail) {
      field = at + UdpHeader.CHECKSUM_OFFSET;
    } else {
      return;
    }
    int length = skb.tail - at;
    long pseudo =
        Checksum.pseudoHeader(IpHeader.source(skb), IpHeader.destination(skb), protocol, length);
    if (skb.u16(field) == (~Checksum.fold(pseudo) & 0xFFFF)) {
      skb.setU16(field, 0);
      skb.setU16(field, Checksum.fold(Checksum.partial(skb.head, at, length, pseudo)));
      skb.ipSummed = SkBuff.CHECKSUM_UNNECESSARY;
    }
  }

  private static boolean isSound(SkBuff skb) {
    if (!skb.mayPull(IpHeader.MIN_LENGTH) || IpHeader.version(skb) != 4) {
      return false;
    }
    int headerLength = IpHeader.headerLength(skb);
    int length = IpHeader.totalLength(skb);
    return headerLength >= IpHeader.MIN_LENGTH && headerLength <= length && length <= skb.length();
  }

  /**
   * Plays ip_send_unicast_reply: answers {@code skb} with a packet of the same protocol whose
   * transport part is {@code payload}, options echoed, DF set. TCP's resets are sent so.
   *
   * @param skb with its route and compiled options; not taken over
   * @param payload transport header and what follows, checksum included
   * @param length bytes of {@code payload}
   * @param tos type of service, without its ECN bits
   */
  public void sendUnicastReply(SkBuff skb, byte[] payload, int length, int tos) {
    if (!options.echo(skb, replyOptions)) {
      return;
    }
    int source = IpHeader.destination(skb);
    int destination = IpHeader.source(skb);
    int protocol = IpHeader.protocol(skb);
    int mark = replyMark(skb);
    flow.reset(replyOptions.srr != 0 ? replyOptions.firstHop : destination);
    flow.saddr = source;
    flow.mark = mark;
    flow.tos = tos & INET_DSCP_MASK;
    flow.proto = protocol;
    Rtable rt = routing.output(flow);
    if (rt == null) {
      return;
    }
    SkBuff answer = answer(skb, rt, length, replyOptions, destination);
    answer.mark = mark;
    System.arraycopy(payload, 0, answer.head, answer.transportHeader, length);
    IpHeaderWriter.write(
        answer,
        IpHeader.MIN_LENGTH + replyOptions.length,
        tos & ~3,
        0,
        IpHeader.IP_DF,
        selectTtl(rt),
        protocol,
        flow.saddr,
        flow.daddr);
    if (replyOptions.length > 0) {
      options.build(answer, replyOptions, destination);
    }
    if (answer.trace != null) {
      answer.trace.on(new TraceEvent.Made("ip_send_unicast_reply", PacketSummary.ofPacket(answer)));
    }
    localOut(answer);
  }

  /**
   * A packet made because of {@code skb}, by route {@code rt}, with room for header, options and
   * {@code length} bytes; {@link SkBuff#data} stands at the IP header.
   */
  SkBuff answer(SkBuff skb, Rtable rt, int length, IpOptionsReply reply, int destination) {
    int headerLength = IpHeader.MIN_LENGTH + (reply == null ? 0 : reply.length);
    SkBuff answer = net.skbs.allocate(SkBuffPool.HEADROOM, headerLength + length);
    answer.networkHeader = answer.put(headerLength);
    answer.transportHeader = answer.put(length);
    answer.dst = rt;
    answer.protocol = EthernetHeader.ETH_P_IP;
    answer.tstamp = net.clock.now();
    answer.frame = skb.frame;
    answer.trace = skb.trace;
    int mtu = rt.mtu(false, net.clock.now());
    if (headerLength + length > mtu) {
      cut(answer, headerLength, length, mtu);
    }
    answer.sk = SkBuff.KERNEL_SOCKET;
    return answer;
  }

  /**
   * Plays how __ip_append_data lays out what is longer than the route's MTU: in pieces from the
   * start. It leaves in just these pieces, also where it is rerouted to a larger MTU.
   */
  private static void cut(SkBuff skb, int headerLength, int length, int mtu) {
    int most = mtu - headerLength;
    int piece = most & ~7;
    if (piece <= 0) {
      return;
    }
    IpControlBlock block = IpControlBlock.of(skb);
    int count = (length + piece - 1) / piece;
    if (block.fragments.length < count) {
      block.fragments = new int[count];
    }
    block.firstLength = headerLength + piece;
    block.fragmentCount = 0;
    for (int left = length - piece; left > 0; ) {
      int next = left <= most ? left : piece;
      block.fragments[block.fragmentCount++] = next;
      left -= next;
    }
    skb.cbFlags |= IpControlBlock.HAS_FRAG_LIST;
  }

  /** Plays ip_output: to one machine. */
  void output(SkBuff skb) {
    NetDevice in = NetDevice.of(skb);
    NetDevice out = Rtable.of(skb).dev;
    skb.dev = out;
    skb.protocol = EthernetHeader.ETH_P_IP;
    if ((skb.cbFlags & IpControlBlock.IPSKB_REROUTED) != 0) {
      finishOutput(skb);
    } else {
      netfilter.hook(Hook.POST_ROUTING, skb, in, out, finish);
    }
  }

  /** Plays ip_mc_output: to many, and to this machine if it is one of them. */
  void multicastOutput(SkBuff skb) {
    Rtable rt = Rtable.of(skb);
    NetDevice out = rt.dev;
    skb.dev = out;
    skb.protocol = EthernetHeader.ETH_P_IP;
    if ((rt.flags & Rtable.RTCF_MULTICAST) != 0) {
      if ((rt.flags & Rtable.RTCF_LOCAL) != 0
          || (skb.cbFlags & IpControlBlock.IPSKB_FORWARDED) == 0) {
        loopBack(skb, out);
      }
      if (IpHeader.ttl(skb) == 0) {
        net.skbs.drop(skb, DropReason.NOT_SPECIFIED, "ip_mc_output");
        return;
      }
    }
    if ((rt.flags & Rtable.RTCF_BROADCAST) != 0) {
      loopBack(skb, out);
    }
    if ((skb.cbFlags & IpControlBlock.IPSKB_REROUTED) != 0) {
      finishOutput(skb);
    } else {
      netfilter.hook(Hook.POST_ROUTING, skb, null, out, finish);
    }
  }

  private void loopBack(SkBuff skb, NetDevice out) {
    SkBuff copy = net.skbs.copy(skb, 0);
    copy.dst = skb.dst;
    netfilter.copyConntrack(copy, skb);
    if (copy.trace != null) {
      copy.trace.on(new TraceEvent.Made("ip_mc_output", "copy for this machine"));
    }
    netfilter.hook(Hook.POST_ROUTING, copy, null, out, multicastFinish);
  }

  /** Plays ip_mc_finish_output and dev_loopback_xmit; the route stays on the packet. */
  private void multicastFinish(SkBuff skb) {
    skb.macHeader = skb.networkHeader;
    skb.data = skb.networkHeader;
    skb.pktType = SkBuff.PACKET_LOOPBACK;
    skb.ipSummed = SkBuff.CHECKSUM_UNNECESSARY;
    link.netifRx(skb);
  }

  /** Plays __ip_finish_output: fragments what is too long. */
  private void finishOutput(SkBuff skb) {
    int mtu = forward.mtu(skb, Rtable.of(skb));
    if ((skb.cbFlags & IpControlBlock.IS_GSO) != 0 || skb.length() <= mtu && skb.fragMaxSize == 0) {
      finishOutput2(skb);
      return;
    }
    // ip_fragment
    if ((IpHeader.fragment(skb) & IpHeader.IP_DF) != 0
        && ((skb.cbFlags & IpControlBlock.IGNORE_DF) == 0 || skb.fragMaxSize > mtu)) {
      icmp.send(skb, IcmpHeader.DEST_UNREACH, Icmp.FRAG_NEEDED, mtu);
      net.skbs.drop(skb, DropReason.NOT_SPECIFIED, "ip_fragment");
      return;
    }
    fragment(skb, mtu);
  }

  /** Plays ip_finish_output2: to the neighbour. */
  private void finishOutput2(SkBuff skb) {
    Rtable rt = Rtable.of(skb);
    if (skb.trace != null) {
      skb.trace.on(
          new TraceEvent.Step(
              "ip_finish_output2",
              "next hop "
                  + Ip4.format(rt.nextHop(IpHeader.destination(skb)))
                  + " on "
                  + rt.dev
                  + ", "
                  + skb.length()
                  + " bytes"));
    }
    link.output(skb, rt.dev, rt.nextHop(IpHeader.destination(skb)));
  }

  /**
   * Plays ip_do_fragment: as it came when it was reassembled here and still fits, else as it must.
   */
  private void fragment(SkBuff skb, int routeMtu) {
    int mtu = skb.fragMaxSize != 0 && skb.fragMaxSize < routeMtu ? skb.fragMaxSize : routeMtu;
    int headerLength = IpHeader.headerLength(skb);
    if (mtu < headerLength + 8) {
      net.skbs.drop(skb, DropReason.NOT_SPECIFIED, "ip_do_fragment");
      return;
    }
    mtu -= headerLength;
    skb.cbFlags |= IpControlBlock.IPSKB_FRAG_COMPLETE;
    IpControlBlock asItCame = keepsGeometry(skb, headerLength, mtu);
    int flags = IpHeader.fragment(skb);
    int offset = (flags & IpHeader.IP_OFFSET) << 3;
    boolean moreBehind = (flags & IpHeader.IP_MF) != 0;
    // The fragments that came carried DF in different ways; those of the fast path carry none.
    int df =
        asItCame == null && (skb.cbFlags & IpControlBlock.IPSKB_FRAG_PMTU) != 0
            ? IpHeader.IP_DF
            : 0;
    // None while nobody has looked at them, as in a copy that TEE made before routing.
    IpControlBlock opt = IpControlBlock.options(skb);
    int from = skb.networkHeader + headerLength;
    int left = skb.length() - headerLength;
    if (skb.trace != null) {
      skb.trace.on(
          new TraceEvent.Step(
              "ip_do_fragment",
              skb.length()
                  + " bytes, mtu "
                  + routeMtu
                  + (asItCame != null ? ": split as they came" : ": split")));
    }
    for (int number = 0; left > 0; number++) {
      int length = Math.min(left, mtu);
      if (asItCame != null) {
        length = number == 0 ? asItCame.firstLength - headerLength : asItCame.fragments[number - 1];
      } else if (length < left) {
        length &= ~7;
      }
      SkBuff piece = piece(skb, headerLength, from, length);
      boolean last = length == left;
      piece.setU16(
          piece.networkHeader + IpHeader.FRAGMENT_OFFSET,
          offset >> 3 | df | (last && !moreBehind ? 0 : IpHeader.IP_MF));
      IpHeaderWriter.setLength(piece);
      if (number == 0 && offset == 0 && opt != null) {
        // Once, on the original: all that follow inherit it.
        IpOptions.fragment(skb, opt.optionsLength);
      }
      from += length;
      offset += length;
      left -= length;
      if (piece.trace != null) {
        piece.trace.on(
            new TraceEvent.Made(
                "ip_do_fragment",
                "fragment of "
                    + length
                    + " bytes at "
                    + (offset - length)
                    + (last && !moreBehind ? ", the last" : "")));
      }
      finishOutput2(piece);
    }
    net.skbs.consume(skb);
  }

  /** The block of a packet that can be split exactly as it came in (skb_has_frag_list), or null. */
  private static IpControlBlock keepsGeometry(SkBuff skb, int headerLength, int mtu) {
    if ((skb.cbFlags & IpControlBlock.HAS_FRAG_LIST) == 0 || IpHeader.isFragment(skb)) {
      return null;
    }
    IpControlBlock block = IpControlBlock.of(skb);
    int first = block.firstLength - headerLength;
    if (first <= 0 || first > mtu || (first & 7) != 0) {
      return null;
    }
    int sum = first;
    for (int i = 0; i < block.fragmentCount; i++) {
      int length = block.fragments[i];
      if (length > mtu || (length & 7) != 0 && i < block.fragmentCount - 1) {
        return null;
      }
      sum += length;
    }
    return sum == skb.length() - headerLength ? block : null;
  }

  private SkBuff piece(SkBuff skb, int headerLength, int from, int length) {
    SkBuff piece = net.skbs.allocate(SkBuffPool.HEADROOM, headerLength + length);
    piece.networkHeader = piece.put(headerLength);
    piece.transportHeader = piece.put(length);
    System.arraycopy(skb.head, skb.networkHeader, piece.head, piece.networkHeader, headerLength);
    System.arraycopy(skb.head, from, piece.head, piece.transportHeader, length);
    piece.pktType = skb.pktType;
    piece.priority = skb.priority;
    piece.protocol = skb.protocol;
    piece.iif = skb.iif;
    piece.dst = skb.dst;
    piece.dev = skb.dev;
    piece.mark = skb.mark;
    piece.tstamp = skb.tstamp;
    piece.frame = skb.frame;
    piece.trace = skb.trace;
    piece.cbFlags = skb.cbFlags & ~(IpControlBlock.HAS_OPTIONS | IpControlBlock.HAS_FRAG_LIST);
    netfilter.copyConntrack(piece, skb);
    return piece;
  }

  /** Plays ip_route_me_harder: see {@link Ipv4Operations#routeMeHarder}. */
  boolean routeMeHarder(SkBuff skb) {
    int source = IpHeader.source(skb);
    int type = routing.addressType(null, source);
    flow.reset(IpHeader.destination(skb));
    if (type == Ipv4Operations.RTN_LOCAL || type == Ipv4Operations.RTN_UNICAST) {
      flow.saddr = source;
      flow.anySource = true;
    }
    flow.tos = IpHeader.tos(skb) & INET_DSCP_MASK;
    flow.mark = skb.mark;
    Rtable rt = routing.output(flow);
    routing.tellOutput(skb, "ip_route_me_harder", flow, rt);
    if (rt == null) {
      return false;
    }
    skb.dst = rt;
    return true;
  }
}
