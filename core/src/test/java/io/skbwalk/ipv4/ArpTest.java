// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.device.NetDevice;
import io.skbwalk.ipv4.route.Flowi4;
import io.skbwalk.ipv4.route.HostInWords;
import io.skbwalk.ipv4.route.Rtable;
import io.skbwalk.ipv4.route.UnexpectedActions;
import io.skbwalk.kernel.Clock;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.Mac;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.EthernetHeader;
import io.skbwalk.skb.FreeListener;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** arp.txt: frames and what the kernel sent, dropped and learned, against {@link Neighbours}. */
class ArpTest {
  @TestFactory
  Stream<DynamicTest> asLinuxDid() throws IOException {
    List<String> lines;
    try (InputStream in = ArpTest.class.getResourceAsStream("arp.txt")) {
      lines = new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
    }
    List<DynamicTest> tests = new ArrayList<>();
    Machine machine = null;
    String host = "";
    for (String line : lines) {
      if (line.isBlank() || line.startsWith("#")) {
        continue;
      }
      if (line.startsWith("==")) {
        machine = new Machine(false);
        host = line.substring(3);
        continue;
      }
      int arrow = line.indexOf("=>");
      String step = arrow < 0 ? line : line.substring(0, arrow).trim();
      String expected = arrow < 0 ? "" : line.substring(arrow + 2).trim();
      String actual = machine.run(step);
      tests.add(DynamicTest.dynamicTest(host + ": " + step, () -> assertEquals(expected, actual)));
    }
    assertTrue(tests.size() > 100);
    return tests.stream();
  }

  /** 212,992 bytes wait for one neighbour, each frame counted as the kernel counts it. */
  @ParameterizedTest(name = "of frames of {0} bytes, {1} wait")
  @CsvSource({"46, 302", "542, 175", "1442, 100"})
  void theOldestGiveWayWhenTooManyWait(int frame, int waiting) {
    Machine machine = router(false);
    for (int i = 0; i < 401; i++) {
      machine.ip(machine.host.device("eth0"), 0x0A000009, 0x0A010005, frame - 14);
    }
    long lost =
        machine.events.stream().filter("drop NEIGH_QUEUEFULL __neigh_event_send"::equals).count();
    assertEquals(401 - waiting, lost);
  }

  /** Hardware type, protocol type, address lengths and packet length, and why it was dropped. */
  @ParameterizedTest
  @CsvSource({
    "1, 0x0800, 6, 4, 28, ",
    "6, 0x0800, 6, 4, 28, ",
    "1, 0x0800, 6, 4, 46, ",
    "1, 0x0800, 6, 4, 27, drop PKT_TOO_SMALL arp_rcv",
    "1, 0x0800, 6, 4, 0, drop PKT_TOO_SMALL arp_rcv",
    "1, 0x0800, 5, 4, 28, drop NOT_SPECIFIED arp_rcv",
    "1, 0x0800, 6, 16, 28, drop NOT_SPECIFIED arp_rcv",
    "7, 0x0800, 6, 4, 28, drop NOT_SPECIFIED arp_process",
    "1, 0x0806, 6, 4, 28, drop NOT_SPECIFIED arp_process",
  })
  void malformed(
      int hardware, String protocol, int macLength, int ipLength, int length, String expected) {
    Machine machine = router(false);
    SkBuff skb = machine.host.net.skbs.allocate(64, 64);
    int at = skb.put(Arp.LENGTH);
    skb.setU16(at, hardware);
    skb.setU16(at + 2, Integer.decode(protocol));
    skb.setU8(at + 4, macLength);
    skb.setU8(at + 5, ipLength);
    skb.setU16(at + 6, 1);
    EthernetHeader.setMac(skb, at + 8, 0x020900000009L);
    skb.setU32(at + 14, 0x0A000009);
    EthernetHeader.setMac(skb, at + 18, 0);
    skb.setU32(at + 24, 0x0A000001);
    skb.tail = skb.data + length;
    skb.protocol = EthernetHeader.ETH_P_ARP;
    skb.dev = machine.host.devices[1];
    skb.pktType = SkBuff.PACKET_BROADCAST;
    machine.events.clear();
    machine.neighbours.arp().receive(skb);
    assertEquals(
        expected == null
            ? "eth0 02:09:00:00:00:09 reply 10.0.0.9 02:09:00:00:00:09 from 10.0.0.1"
                + " 02:00:00:00:00:01"
            : expected,
        String.join("; ", machine.events));
  }

  @Test
  void nobodyIsAskedWhenNeighboursAreAssumed() {
    Machine machine = router(true);
    assertEquals(
        "eth1 02:00:0a:01:00:05 ip 10.0.0.9 > 10.1.0.5",
        machine.run("ip eth0 10.0.0.9 > 10.1.0.5"));
    assertEquals(
        "eth0 02:09:00:00:00:09 reply 10.0.0.9 02:09:00:00:00:09 from 10.0.0.1 02:00:00:00:00:01",
        machine.run(
            "arp eth0 ff:ff:ff:ff:ff:ff request 10.0.0.1 00:00:00:00:00:00 from 10.0.0.9"
                + " 02:09:00:00:00:09"));
    assertEquals(List.of(), machine.neighbours.list());
  }

  @Test
  void sendingToAKnownNeighbourAllocatesNothing() {
    Machine machine = router(false);
    machine.run("neighbour add 10.1.0.5 lladdr 02:09:00:00:01:05 dev eth1");
    machine.quiet = true;
    var threads =
        (com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE;
    for (int round = 0; round < 20; round++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < 10_000; i++) {
        SkBuff skb = machine.host.packet(0x0A000009, 0x0A010005, 17, 0, 0);
        machine.neighbours.output(skb, machine.host.devices[2], 0x0A010005);
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    assertTrue(least < 1000, "10,000 packets allocated " + least + " bytes");
  }

  private static Machine router(boolean assumed) {
    Machine machine = new Machine(assumed);
    machine.run("sysctl net.ipv4.ip_forward=1");
    machine.run("address add 10.0.0.1/24 dev eth0");
    machine.run("address add 10.1.0.1/24 dev eth1");
    return machine;
  }

  private static final class Machine extends UnexpectedActions implements FreeListener {
    final HostInWords host = new HostInWords(this);
    final Neighbours neighbours;
    private final List<String> events = new ArrayList<>();
    private boolean waiting;
    boolean quiet;

    Machine(boolean assumed) {
      neighbours =
          new Neighbours(
              host.net,
              host.routing,
              this::transmitted,
              skb -> events.add("host unreachable to " + Ip4.format(IpHeader.source(skb))),
              assumed);
      for (NetDevice device : host.devices) {
        neighbours.addDevice(device);
      }
      host.net.skbs.setFreeListener(this);
    }

    String run(String line) {
      String[] words = line.split(" ");
      events.clear();
      switch (words[0]) {
        case "neighbour" ->
            neighbours.addPermanent(
                Ip4.parse(words[2]), Mac.parse(words[4]), host.device(words[6]));
        case "neigh" -> {
          Neighbour neighbour = neighbours.find(Ip4.parse(words[1]), host.device(words[3]));
          return neighbour == null ? "" : neighbour.toString().replace(" dev " + words[3], "");
        }
        case "wait" -> {
          waiting = true;
          pass((long) (Double.parseDouble(words[1]) * Clock.SECOND));
          waiting = false;
        }
        case "arp" -> {
          arp(words);
          pass(Clock.SECOND / 50);
        }
        case "ip" -> {
          ip(host.device(words[1]), Ip4.parse(words[2]), Ip4.parse(words[4]), 32);
          pass(Clock.SECOND / 50);
        }
        default -> {
          return host.run(line);
        }
      }
      return String.join("; ", events);
    }

    private void pass(long nanos) {
      host.net.timers.advanceTo(host.net.clock.now() + nanos);
    }

    private void arp(String[] words) {
      NetDevice device = host.device(words[1]);
      SkBuff skb = host.net.skbs.allocate(64, Arp.LENGTH);
      int at = skb.put(Arp.LENGTH);
      skb.setU16(at, 1);
      skb.setU16(at + 2, EthernetHeader.ETH_P_IP);
      skb.setU8(at + 4, 6);
      skb.setU8(at + 5, 4);
      skb.setU16(
          at + 6,
          switch (words[3]) {
            case "request" -> 1;
            case "reply" -> 2;
            default -> Integer.parseInt(words[3]);
          });
      EthernetHeader.setMac(skb, at + 8, Mac.parse(words[8]));
      skb.setU32(at + 14, Ip4.parse(words[7]));
      EthernetHeader.setMac(skb, at + 18, mac(words[5], device));
      skb.setU32(at + 24, Ip4.parse(words[4]));
      skb.networkHeader = at;
      skb.protocol = EthernetHeader.ETH_P_ARP;
      skb.dev = device;
      long to = mac(words[2], device);
      skb.pktType =
          to == Mac.BROADCAST
              ? SkBuff.PACKET_BROADCAST
              : to == device.macAddress ? SkBuff.PACKET_HOST : SkBuff.PACKET_OTHERHOST;
      neighbours.arp().receive(skb);
    }

    private static long mac(String text, NetDevice device) {
      return text.equals("own") ? device.macAddress : Mac.parse(text);
    }

    private void ip(NetDevice device, int source, int destination, int length) {
      SkBuff skb = host.packet(source, destination, 17, 0, 0);
      skb.dev = device;
      skb.put(length - skb.length());
      DropReason reason = host.routing.input(skb, destination, source, 0, device);
      assertEquals(null, reason);
      skb.dst.input(skb);
    }

    private void transmitted(SkBuff skb) {
      if (!quiet) {
        events.add(describe(skb));
      }
      host.net.skbs.consume(skb);
    }

    private static String describe(SkBuff skb) {
      String text =
          skb.dev + " " + Mac.format(EthernetHeader.destination(skb, skb.macHeader)) + " ";
      int at = skb.networkHeader;
      assertEquals(skb.data, skb.macHeader);
      assertEquals(((NetDevice) skb.dev).macAddress, EthernetHeader.source(skb, skb.macHeader));
      if (EthernetHeader.type(skb, skb.macHeader) == EthernetHeader.ETH_P_IP) {
        return text
            + "ip "
            + Ip4.format(IpHeader.source(skb))
            + " > "
            + Ip4.format(IpHeader.destination(skb));
      }
      assertEquals(EthernetHeader.ETH_P_ARP, EthernetHeader.type(skb, skb.macHeader));
      return text
          + (skb.u16(at + 6) == 1 ? "request " : "reply ")
          + Ip4.format(skb.u32(at + 24))
          + " "
          + Mac.format(EthernetHeader.mac(skb, at + 18))
          + " from "
          + Ip4.format(skb.u32(at + 14))
          + " "
          + Mac.format(EthernetHeader.mac(skb, at + 8));
    }

    @Override
    public void dropped(SkBuff skb, DropReason reason, String function) {
      // A timer's drops do not belong to the process whose drops the kernel was asked for.
      if (!waiting) {
        events.add("drop " + reason + " " + function);
      }
    }

    @Override
    public void released(SkBuff skb) {}

    /** Nobody listens: the answer is as long as a port unreachable. */
    @Override
    public void localDeliver(SkBuff skb) {
      Flowi4 key = new Flowi4().reset(IpHeader.source(skb));
      key.saddr = IpHeader.destination(skb);
      Rtable back = host.routing.output(key);
      SkBuff answer = host.packet(key.saddr, key.daddr, 1, 0, 0);
      host.net.skbs.consume(skb);
      neighbours.output(answer, back.dev, back.nextHop(key.daddr));
    }

    @Override
    public void forward(SkBuff skb) {
      Rtable rt = Rtable.of(skb);
      neighbours.output(skb, rt.dev, rt.nextHop(IpHeader.destination(skb)));
    }
  }
}
