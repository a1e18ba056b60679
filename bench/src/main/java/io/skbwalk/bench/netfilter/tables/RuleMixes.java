// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench.netfilter.tables;

import io.skbwalk.bench.ConversationRouter;
import io.skbwalk.device.NetDevice;
import io.skbwalk.host.Host;
import io.skbwalk.language.IpsetSaveFile;
import io.skbwalk.language.RulesFile;
import io.skbwalk.language.TypedPacket;
import io.skbwalk.lib.Checksum;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.skb.EthernetHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.SkBuffPool;
import io.skbwalk.skb.TcpHeader;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.ByteOrder;
import java.util.List;
import java.util.SplittableRandom;

/**
 * SYN floods past 10 to 100,000 rules of each {@link RuleMix}: what the rules of FORWARD cost a
 * packet, looked up and asked one after the other; what the whole packet costs; how long the rules
 * take to load. All in CPU time.
 */
public final class RuleMixes {
  private static final int[] SIZES = {10, 1_000, 10_000, 100_000};
  private static final VarHandle SHORTS =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle INTS =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private final SplittableRandom random = new SplittableRandom(3);
  private long accepted;

  private RuleMixes() {}

  /** Arguments: names of mixes, none for all. */
  public static void main(String[] arguments) {
    RuleMixes floods = new RuleMixes();
    for (RuleMix mix : RuleMix.values()) {
      floods.flood(floods.host(mix, 10), 100_000);
    }
    System.out.println(
        "mix         rules   load s  looked up ns  one by one ns  packet ns  of 10's");
    for (RuleMix mix : RuleMix.values()) {
      if (arguments.length == 0 || List.of(arguments).contains(mix.name())) {
        floods.measure(mix);
      }
    }
  }

  private void measure(RuleMix mix) {
    double few = 0;
    for (int size : SIZES) {
      long began = now();
      Host host = host(mix, size);
      hook(host, 1);
      double load = (now() - began) / 1e9;
      hook(host, 100_000);
      double lookedUp = hook(host, 300_000);
      host.tables().interpret(true);
      hook(host, 3_000_000 / size / 20);
      double asked = hook(host, 3_000_000 / size / 10 + 100);
      host.tables().interpret(false);
      flood(host, 20_000);
      double packet = Math.min(flood(host, 100_000), flood(host, 100_000));
      few = few == 0 ? packet : few;
      System.out.printf(
          "%-10s %6d %8.2f %13.0f %14.0f %10.0f %8.2f%n",
          mix, size, load, lookedUp, asked, packet, packet / few);
    }
  }

  private static long now() {
    return THREADS.getCurrentThreadCpuTime();
  }

  private Host host(RuleMix mix, int rules) {
    RuleSet loaded = RulesFile.parse("rules.v4", mix.rules(rules));
    Host host = new Host(ConversationRouter.description(), ConversationRouter.START, 1);
    new IpsetSaveFile("sets", RuleMix.sets()).into(host.ipsets());
    host.replaceRules(loaded);
    return host;
  }

  /** CPU ns a packet of FORWARD's rules alone. */
  private double hook(Host host, int packets) {
    NetDevice in = host.device("eth0");
    NetDevice out = host.device("eth1");
    SkBuff skb = new SkBuffPool().allocate(SkBuffPool.HEADROOM, 60);
    byte[] frame = frame(host);
    skb.networkHeader = skb.put(60);
    System.arraycopy(frame, EthernetHeader.LENGTH, skb.head, skb.networkHeader, 40);
    skb.transportHeader = skb.networkHeader + IpHeader.MIN_LENGTH;
    skb.protocol = EthernetHeader.ETH_P_IP;
    long began = now();
    for (int i = 0; i < packets; i++) {
      skb.setU32(skb.networkHeader + IpHeader.SOURCE_OFFSET, random.nextInt());
      skb.setU16(skb.transportHeader, random.nextInt(1 << 16));
      host.netfilter().hook(Hook.FORWARD, skb, in, out, packet -> accepted++);
    }
    return (now() - began) / (double) packets;
  }

  /** CPU ns a packet from its interface to the other one, each of a connection of its own. */
  private double flood(Host host, int packets) {
    NetDevice eth0 = host.device("eth0");
    byte[] frame = frame(host);
    long time = host.now();
    int at = EthernetHeader.LENGTH;
    int source = (int) INTS.get(frame, at + IpHeader.SOURCE_OFFSET);
    long began = now();
    for (int i = 0; i < packets; i++) {
      int from = random.nextInt(1 << 29) + 0x20000000;
      replace(frame, at + IpHeader.CHECKSUM_OFFSET, source, from);
      replace(frame, at + IpHeader.MIN_LENGTH + TcpHeader.CHECKSUM_OFFSET, source, from);
      source = from;
      INTS.set(frame, at + IpHeader.SOURCE_OFFSET, source);
      accepted += host.receive(eth0, frame, time += 100_000, null);
    }
    return (now() - began) / (double) packets;
  }

  /** Another source, checksums kept right. */
  private static void replace(byte[] frame, int checksum, int from, int to) {
    int sum = (short) SHORTS.get(frame, checksum) & 0xFFFF;
    SHORTS.set(frame, checksum, (short) Checksum.replace32(sum, from, to));
  }

  private static byte[] frame(Host host) {
    String packet = "eth0 tcp 45.1.2.3:40000 > 192.168.7.80:80 S";
    return TypedPacket.parse("packet", packet, host.description()).bytes();
  }
}
