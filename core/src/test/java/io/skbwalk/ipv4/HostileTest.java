// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import static io.skbwalk.ipv4.Packets.ip;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.kernel.Clock;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.HookPriority;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.skb.SkBuff;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever comes in, nothing is thrown, nothing leaks, and what leaves is well formed. */
class HostileTest {
  private static void check(Router router) {
    for (String packet : router.sent) {
      // What others sent may carry a wrong message; what this machine makes may not.
      boolean own = packet.contains(" 203.0.113.1>") || packet.contains(" 192.168.7.1>");
      assertTrue(!packet.contains("WRONG") || !own && packet.endsWith("ICMP CHECKSUM"), packet);
    }
  }

  private static Router router(boolean tracked) {
    Router router =
        new Router()
            .sysctl("net.ipv4.conf.all.accept_source_route", 1)
            .sysctl("net.ipv4.conf.eth0.accept_source_route", 1)
            .sysctl("net.ipv4.icmp_echo_ignore_broadcasts", 0)
            .sysctl("net.ipv4.icmp_echo_enable_probe", 1);
    router.eth1.mtu = 200;
    if (tracked) {
      router.netfilter.register(
          Hook.PRE_ROUTING,
          HookPriority.CONNTRACK_DEFRAG,
          (hook, skb, in, out) ->
              (skb.u16(skb.networkHeader + 6) & 0x3FFF) == 0
                      || router.inet.defragment(skb, IpFragments.IP_DEFRAG_CONNTRACK_IN)
                  ? Verdict.ACCEPT
                  : Verdict.STOLEN);
      router.netfilter.register(
          Hook.FORWARD,
          0,
          (hook, skb, in, out) -> {
            router.inet.sendReset(skb, hook);
            router.inet.sendUnreachable(skb, 3, hook);
            return (skb.u8(skb.networkHeader + 5) & 1) == 0 ? Verdict.ACCEPT : Verdict.DROP;
          });
    }
    return router;
  }

  private static List<byte[]> samples() {
    String[] options = {
      "",
      "070b040000000000000000",
      "4414050000000000000000000000000000000000",
      "4414050100000000000000000000000000000000",
      "440c0503cb00710100000000",
      "830b04c0a80702c0a80703",
      "890b04c0a80701cb00714d",
      "94040000",
    };
    byte[] quoted = ip().from("203.0.113.1").to("203.0.113.9").bytes();
    List<byte[]> packets = new ArrayList<>();
    for (String option : options) {
      for (String to : List.of("203.0.113.1", "192.168.7.2", "203.0.113.255", "224.0.0.1")) {
        packets.add(ip().to(to).options(option).bytes());
        packets.add(ip().to(to).options(option).payload(Packets.fill(300)).bytes());
        packets.add(
            ip().to(to).options(option).protocol(1).payload(Packets.icmp(8, 0, 1, quoted)).bytes());
        packets.add(
            ip().to(to).options(option).protocol(1).payload(Packets.icmp(3, 4, 1, quoted)).bytes());
        packets.add(
            ip().to(to).options(option).protocol(1).payload(Packets.icmp(5, 1, 9, quoted)).bytes());
        byte[] probe = Packets.hex("20000000000c030300010400c0a80701");
        packets.add(
            ip().to(to).options(option).protocol(1).payload(Packets.icmp(42, 0, 1, probe)).bytes());
        packets.add(
            ip().to(to)
                .options(option)
                .protocol(6)
                .payload(Packets.tcp("203.0.113.9", to, 1, 2, 2, 5))
                .bytes());
      }
    }
    return packets;
  }

  @ParameterizedTest(name = "tracked {0}")
  @ValueSource(booleans = {false, true})
  void everyHeaderCutAtEveryLength(boolean tracked) {
    Router router = router(tracked);
    for (byte[] packet : samples()) {
      int headerLength = (packet[0] & 15) * 4;
      for (int length = 0; length <= packet.length; length++) {
        byte[] cut = Arrays.copyOf(packet, length);
        router.receive(cut);
        check(router);
        if (length >= headerLength) {
          Packets.put16(cut, 2, length);
          router.receive(Packets.sign(cut, headerLength));
          check(router);
        }
      }
    }
    assertEquals(0, router.net.skbs.outstanding());
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4})
  void absurdOptionsAndFields(long seed) {
    Random random = new Random(seed);
    Router router = router(seed % 2 == 0);
    List<byte[]> samples = samples();
    byte[] types = {0, 1, 7, 0x44, (byte) 0x83, (byte) 0x86, (byte) 0x89, (byte) 0x94};
    for (int round = 0; round < 20_000; round++) {
      byte[] packet = samples.get(random.nextInt(samples.size())).clone();
      int headerLength = (packet[0] & 15) * 4;
      for (int changes = random.nextInt(4); changes >= 0; changes--) {
        int at = random.nextInt(Math.min(packet.length, 64));
        packet[at] =
            (byte)
                (random.nextInt(3) == 0 ? types[random.nextInt(types.length)] : random.nextInt(64));
      }
      headerLength = Math.min((packet[0] & 15) * 4, packet.length);
      packet[0] = (byte) (0x40 | packet[0] & 15);
      if (headerLength >= 20) {
        if (random.nextInt(4) > 0) {
          Packets.put16(packet, 2, packet.length);
        }
        Packets.sign(packet, headerLength);
      }
      byte type = (byte) (random.nextInt(8) == 0 ? random.nextInt(6) : SkBuff.PACKET_HOST);
      router.receive(random.nextBoolean() ? router.eth0 : router.eth1, type, packet);
      check(router);
      if (round % 1000 == 0) {
        router.net.timers.advanceTo(router.net.clock.now() + 7 * Clock.SECOND);
      }
    }
    router.net.timers.advanceTo(router.net.clock.now() + 60 * Clock.SECOND);
    assertEquals(0, router.net.skbs.outstanding());
    assertEquals(0, router.inet.fragments().memory());
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4})
  void overlappingFragments(long seed) {
    Random random = new Random(seed);
    Router router = router(seed % 2 == 0);
    for (int round = 0; round < 20_000; round++) {
      int offset = random.nextInt(20) == 0 ? 8 * random.nextInt(8192) : 8 * random.nextInt(24);
      byte[] packet =
          ip().to(random.nextBoolean() ? "203.0.113.1" : "192.168.7.2")
              .id(random.nextInt(6))
              .tos(random.nextInt(4))
              .options(random.nextInt(4) == 0 ? "070b040000000000000000" : "")
              .fragment(offset, random.nextInt(3) > 0, random.nextInt(4) == 0)
              .payload(Packets.fill(random.nextInt(100)))
              .bytes();
      router.receive(packet);
      check(router);
      if (round % 100 == 0) {
        router.net.timers.advanceTo(router.net.clock.now() + 7 * Clock.SECOND);
      }
    }
    router.net.timers.advanceTo(router.net.clock.now() + 60 * Clock.SECOND);
    assertEquals(0, router.inet.fragments().inUse());
    assertEquals(0, router.inet.fragments().memory());
    assertEquals(0, router.net.skbs.outstanding());
  }

  @Test
  void preparedPacketsMayBeAnything() {
    Router router = router(false);
    for (byte[] packet : samples()) {
      for (int length = 0; length <= packet.length; length++) {
        SkBuff skb = router.build(packet, length);
        router.inet.output().sendPrepared(skb);
        router.softirq();
      }
    }
    assertEquals(0, router.net.skbs.outstanding());
  }
}
