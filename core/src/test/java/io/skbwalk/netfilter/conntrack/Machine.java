// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import io.skbwalk.lib.Checksum;
import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.Netfilter;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.FreeListener;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** A router that tracks connections: packets go through PRE_ROUTING and POST_ROUTING. */
final class Machine implements FreeListener {
  static final long START = 1_800_000_000_000_000_000L;
  private static final int HEADROOM = 64;

  final Net net = new Net(START, 1);
  final Netfilter netfilter = new Netfilter(net);
  final Conntrack conntrack = new Conntrack(net, netfilter);
  final List<String> events = new ArrayList<>();
  final List<String> steps = new ArrayList<>();

  /** Runs between the two hooks, as a rule in FORWARD would. */
  Consumer<SkBuff> forward = skb -> {};

  private String seen;
  private boolean traced;

  Machine(String... sysctls) {
    net.skbs.setFreeListener(this);
    for (String setting : sysctls) {
      String[] pair = setting.split("=");
      net.sysctls.set("net.netfilter.nf_conntrack_" + pair[0], pair[1]);
    }
    conntrack.need(true, true);
  }

  Machine listening() {
    conntrack.setEventListener(
        (type, ct, entry, bits) -> events.add(ConntrackPrinter.event(type, ct, entry, bits)));
    return this;
  }

  Machine tracing() {
    traced = true;
    return this;
  }

  @Override
  public void dropped(SkBuff skb, DropReason reason, String function) {}

  @Override
  public void released(SkBuff skb) {
    conntrack.put(skb);
  }

  void pass(double seconds) {
    net.clock.advanceTo(net.clock.now() + Math.round(seconds * 1e9));
    conntrack.advanceTo(net.clock.now());
  }

  /** Forwards {@code skb}; returns its state, with "/reply" in that direction, or "dropped". */
  String send(SkBuff skb) {
    seen = "dropped";
    if (traced) {
      skb.trace =
          event -> {
            if (event instanceof TraceEvent.HookStep step) {
              steps.add(step.name() + ": " + step.text());
            }
          };
    }
    netfilter.hook(Hook.PRE_ROUTING, skb, null, null, this::between);
    return seen;
  }

  private void between(SkBuff skb) {
    String state = Conntrack.stateName(skb);
    boolean reply = skb.ct != 0 && ConntrackInfo.direction(skb.ctInfo) == ConntrackInfo.REPLY;
    forward.accept(skb);
    seen = "dropped";
    netfilter.hook(
        Hook.POST_ROUTING,
        skb,
        null,
        null,
        out -> {
          seen = reply ? state + "/reply" : state;
          net.skbs.consume(out);
        });
  }

  List<String> list() {
    List<String> lines = new ArrayList<>();
    for (int ct = conntrack.first(); ct != 0; ct = conntrack.next(ct)) {
      lines.add(ConntrackPrinter.list(conntrack, ct));
    }
    return lines;
  }

  /** An IP packet with a payload that begins at {@code transportHeader}. */
  SkBuff ip(String source, String destination, int protocol, byte[] payload) {
    SkBuff skb = net.skbs.allocate(HEADROOM, 20 + payload.length);
    int at = skb.put(20 + payload.length);
    skb.networkHeader = at;
    skb.protocol = 0x0800;
    skb.setU32(at, 0x4500_0000 | 20 + payload.length);
    skb.setU32(at + 4, 0x0001_4000);
    skb.setU32(at + 8, 64 << 24 | protocol << 16);
    skb.setU32(at + 12, Ip4.parse(source));
    skb.setU32(at + 16, Ip4.parse(destination));
    skb.setU16(at + 10, Checksum.of(skb.head, at, 20));
    System.arraycopy(payload, 0, skb.head, at + 20, payload.length);
    return skb;
  }

  private static void checksum(SkBuff skb, int field, int protocol) {
    int at = skb.networkHeader + 20;
    int length = skb.tail - at;
    long pseudo =
        protocol == 1
            ? 0
            : Checksum.pseudoHeader(
                skb.u32(skb.networkHeader + 12), skb.u32(skb.networkHeader + 16), protocol, length);
    skb.setU16(at + field, 0);
    skb.setU16(at + field, Checksum.fold(Checksum.partial(skb.head, at, length, pseudo)));
  }

  SkBuff udp(String source, int sourcePort, String destination, int destinationPort, int length) {
    SkBuff skb = ip(source, destination, 17, new byte[8 + length]);
    int at = skb.networkHeader + 20;
    skb.setU16(at, sourcePort);
    skb.setU16(at + 2, destinationPort);
    skb.setU16(at + 4, 8 + length);
    checksum(skb, 6, 17);
    return skb;
  }

  SkBuff icmp(String source, String destination, int type, int code, int rest, byte[] payload) {
    SkBuff skb = ip(source, destination, 1, new byte[8 + payload.length]);
    int at = skb.networkHeader + 20;
    skb.setU8(at, type);
    skb.setU8(at + 1, code);
    skb.setU32(at + 4, rest);
    System.arraycopy(payload, 0, skb.head, at + 8, payload.length);
    checksum(skb, 2, 1);
    return skb;
  }

  /** The first {@code length} bytes of a packet, for an ICMP error; the packet is freed. */
  byte[] quote(SkBuff skb, int length) {
    byte[] bytes =
        java.util.Arrays.copyOfRange(
            skb.head, skb.networkHeader, Math.min(skb.networkHeader + length, skb.tail));
    net.skbs.consume(skb);
    return bytes;
  }

  SkBuff tcp(
      String source,
      int sourcePort,
      String destination,
      int destinationPort,
      int flags,
      int seq,
      int ack,
      int window,
      byte[] options,
      int length) {
    SkBuff skb = ip(source, destination, 6, new byte[20 + options.length + length]);
    int at = skb.networkHeader + 20;
    skb.setU16(at, sourcePort);
    skb.setU16(at + 2, destinationPort);
    skb.setU32(at + 4, seq);
    skb.setU32(at + 8, ack);
    skb.setU8(at + 12, (20 + options.length) / 4 << 4);
    skb.setU8(at + 13, flags);
    skb.setU16(at + 14, window);
    System.arraycopy(options, 0, skb.head, at + 20, options.length);
    checksum(skb, 16, 6);
    return skb;
  }
}
