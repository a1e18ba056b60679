// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.host;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.skbwalk.device.NetDevice;
import io.skbwalk.kernel.Clock;
import io.skbwalk.language.RulesFile;
import io.skbwalk.language.TypedPacket;
import io.skbwalk.lib.Checksum;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.skb.IpHeader;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** In steady state no packet makes garbage, whatever becomes of it. */
class AllocationTest {
  /** Stands for a port that is another one in every round: so every round's connection is new. */
  private static final int PORT = 11_111;

  private static final int FIRST_PORT = 20_000;
  private static final int PORTS = 40_000;
  private static final int WARM = 4_000;
  private static final int ROUNDS = 500;
  private static final int WINDOWS = 40;

  private static final HostDescription ROUTER = TestRouter.DESCRIPTION;

  private static final String TRACKED =
      "-A INPUT -p tcp -m tcp --dport 99 -j REJECT --reject-with tcp-reset\n"
          + "-A INPUT -p udp -m udp --dport 98 -j REJECT --reject-with icmp-port-unreachable\n"
          + "-A FORWARD -m conntrack --ctstate INVALID -j DROP\n"
          + "-A FORWARD -p tcp -m tcp --dport 97 -m limit --limit 1/min -j DROP\n"
          + "-A FORWARD -p tcp -m tcp --dport 96 -m recent --set --name seen --rsource -j DROP\n"
          + "-A FORWARD -p tcp -m tcp --dport 95 -m connlimit --connlimit-above 2 -j DROP\n";

  /** One packet of a round: its bytes, and where its ports change. */
  private record Packet(NetDevice device, byte[] frame, int port, int checksum) {
    void use(int value) {
      if (port >= 0) {
        int before = u16(frame, port);
        put16(frame, checksum, Checksum.replace16(u16(frame, checksum), before, value));
        put16(frame, port, value);
      }
    }
  }

  /**
   * Rules are the thirty of the benchmarks, a few others, or none; then how many frames leave in a
   * round where that is the same in each, and the packets that come.
   */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "forwarded, no rules  | none    | 1 | eth0 udp 198.51.100.9:11111 > 192.168.7.80:80",
        "a conversation       | thirty  | 8 | eth0 tcp 198.51.100.9:11111 > 192.168.7.80:80 S seq=10;"
            + "eth1 tcp 192.168.7.80:80 > 198.51.100.9:11111 SA seq=90 ack=11;"
            + "eth0 tcp 198.51.100.9:11111 > 192.168.7.80:80 A seq=11 ack=91;"
            + "eth0 tcp 198.51.100.9:11111 > 192.168.7.80:80 PA seq=11 ack=91 payload=request;"
            + "eth1 tcp 192.168.7.80:80 > 198.51.100.9:11111 PA seq=91 ack=18 payload=answer;"
            + "eth0 tcp 198.51.100.9:11111 > 192.168.7.80:80 FA seq=18 ack=97;"
            + "eth1 tcp 192.168.7.80:80 > 198.51.100.9:11111 FA seq=97 ack=19;"
            + "eth0 tcp 198.51.100.9:11111 > 192.168.7.80:80 A seq=19 ack=98",
        "DNAT and back        | thirty  | 3 | eth0 tcp 198.51.100.9:11111 > 203.0.113.1:80 S seq=10;"
            + "eth1 tcp 192.168.7.80:80 > 198.51.100.9:11111 SA seq=90 ack=11;"
            + "eth0 tcp 198.51.100.9:11111 > 203.0.113.1:80 A seq=11 ack=91",
        "MASQUERADE and back  | thirty  | 2 | eth1 udp 192.168.7.2:11111 > 198.51.100.9:53;"
            + "eth0 udp 198.51.100.9:53 > 203.0.113.1:11111",
        "SYN flood            | thirty  | 1 | eth0 tcp 198.51.100.9:11111 > 192.168.7.80:80 S",
        "dropped by a rule    | thirty  | 0 | eth0 tcp 198.18.0.1:11111 > 192.168.7.80:80 S",
        "logged to nobody     | thirty  | 0 | eth0 tcp 198.51.100.9:11111 > 192.168.7.2:99 S",
        "limit, recent, count | tracked |   | eth0 tcp 198.51.100.9:11111 > 192.168.7.2:97 S;"
            + "eth0 tcp 198.51.100.9:11111 > 192.168.7.2:96 S;"
            + "eth0 tcp 198.51.100.9:11111 > 192.168.7.2:95 S",
        "INVALID              | tracked | 0 | eth0 tcp 198.51.100.9:1025 > 192.168.7.2:80 SFR",
        "bad checksum         | tracked | 0 |"
            + " eth0 tcp 198.51.100.9:1025 > 192.168.7.2:80 S checksum=0x1234",
        "delivered            | tracked | 0 | eth0 udp 198.51.100.9:11111 > 203.0.113.1:53;"
            + "eth0 tcp 198.51.100.9:11111 > 203.0.113.1:22 S",
        "echo answered        | tracked | 1 | eth0 icmp 198.51.100.9 > 203.0.113.1",
        "nobody listens       | tracked | 2 | eth0 tcp 198.51.100.9:11111 > 203.0.113.1:81 S;"
            + "eth0 udp 198.51.100.9:11111 > 203.0.113.1:81",
        "REJECT               | tracked | 2 | eth0 tcp 198.51.100.9:11111 > 203.0.113.1:99 S;"
            + "eth0 udp 198.51.100.9:11111 > 203.0.113.1:98",
        "time exceeded        | tracked | 1 | eth0 udp 198.51.100.9:11111 > 192.168.7.2:80 ttl=1",
        "an error, a request  | tracked | 2 | eth0 udp 198.51.100.9:1025 > 192.168.7.2:80 ttl=1;"
            + "eth0 icmp 198.51.100.9 > 192.168.7.2",
        "martian source       | none    | 0 | eth0 udp 192.168.7.9:1025 > 192.168.7.2:80",
        "fragments            | tracked | 3 | eth0 udp 198.51.100.9:11111 > 192.168.7.2:80 payload=400",
        "fragments for us     | tracked | 0 | eth0 udp 198.51.100.9:11111 > 203.0.113.1:53 payload=400",
        "fragments, no rules  | none    | 3 | eth0 udp 198.51.100.9:1025 > 192.168.7.2:80 payload=400",
        "ARP answered         | none    | 1 | arp",
      })
  void nothingPerPacket(String path, String rules, Integer leave, String packets)
      throws IOException {
    Host host = new Host(ROUTER, rules(rules), 0, 1);
    List<Packet> round = new ArrayList<>();
    for (String text : packets.split(";")) {
      round.addAll(packets(host, text, path.startsWith("fragments")));
    }
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    long me = Thread.currentThread().getId();
    run(host, round, 0, WARM);
    long left = left(host);
    run(host, round, WARM, 1);
    if (leave != null) {
      assertEquals((long) leave, left(host) - left, "frames that leave");
    }
    long least = Long.MAX_VALUE;
    for (int window = 0; window < WINDOWS && least > 0; window++) {
      long before = threads.getThreadAllocatedBytes(me);
      run(host, round, WARM + 1 + window * ROUNDS, ROUNDS);
      least = Math.min(least, threads.getThreadAllocatedBytes(me) - before);
    }
    assertEquals(0, least, "bytes of " + ROUNDS * round.size() + " packets");
  }

  /** A second between rounds, so that what a round began expires some hundred rounds later. */
  private static void run(Host host, List<Packet> round, int first, int rounds) {
    for (int i = first; i < first + rounds; i++) {
      long time = (i + 1) * Clock.SECOND;
      for (int at = 0; at < round.size(); at++) {
        Packet packet = round.get(at);
        packet.use(FIRST_PORT + i % PORTS);
        byte[] frame = packet.frame;
        host.receive(packet.device, frame, 0, frame.length, 0, time, null);
      }
    }
  }

  private static long left(Host host) {
    return host.device("eth0").txPackets + host.device("eth1").txPackets;
  }

  private static RuleSet rules(String name) throws IOException {
    return switch (name) {
      case "thirty" -> {
        Path file = Path.of("../bench/conversations/rules.v4");
        yield RulesFile.parse("rules.v4", Files.readString(file));
      }
      case "tracked" -> {
        String begin =
            "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n";
        yield RulesFile.parse("rules.v4", begin + TRACKED + "COMMIT\n");
      }
      default -> null;
    };
  }

  // ---- frames -----------------------------------------------------------------------------------

  private static List<Packet> packets(Host host, String text, boolean inFragments) {
    if (text.equals("arp")) {
      return List.of(new Packet(host.device("eth0"), arp(), -1, -1));
    }
    int payload = text.indexOf("payload=400");
    String typed = payload < 0 ? text : text.substring(0, payload) + "payload=" + "x".repeat(400);
    var parsed = TypedPacket.parse("test", typed, ROUTER);
    byte[] frame = parsed.bytes();
    NetDevice device = host.device(parsed.device());
    if (inFragments) {
      return fragments(device, frame);
    }
    return List.of(packet(device, frame, frame[23] == 6 ? 50 : 40));
  }

  private static Packet packet(NetDevice device, byte[] frame, int checksum) {
    for (int at : new int[] {34, 36}) {
      if (frame[23] != 1 && u16(frame, at) == PORT) {
        return new Packet(device, frame, at, checksum);
      }
    }
    return new Packet(device, frame, -1, -1);
  }

  private static List<Packet> fragments(NetDevice device, byte[] whole) {
    List<Packet> all = new ArrayList<>();
    for (int from = 34; from < whole.length; from += 160) {
      byte[] part = Arrays.copyOf(whole, 34 + Math.min(160, whole.length - from));
      System.arraycopy(whole, from, part, 34, part.length - 34);
      boolean last = from + 160 >= whole.length;
      put16(part, 16, part.length - 14);
      put16(part, 20, (from - 34) / 8 | (last ? 0 : IpHeader.IP_MF));
      put16(part, 24, 0);
      put16(part, 24, Checksum.of(part, 14, 20));
      all.add(from == 34 ? packet(device, part, 40) : new Packet(device, part, -1, -1));
    }
    return all;
  }

  /** Who has 203.0.113.1? Tell 203.0.113.9. */
  private static byte[] arp() {
    byte[] frame = new byte[42];
    Arrays.fill(frame, 0, 6, (byte) 0xff);
    System.arraycopy(new byte[] {2, 0, 0, 0, 0, 9, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1}, 0, frame, 6, 16);
    System.arraycopy(new byte[] {2, 0, 0, 0, 0, 9, (byte) 203, 0, 113, 9}, 0, frame, 22, 10);
    System.arraycopy(new byte[] {(byte) 203, 0, 113, 1}, 0, frame, 38, 4);
    return frame;
  }

  private static int u16(byte[] bytes, int at) {
    return (bytes[at] & 0xff) << 8 | bytes[at + 1] & 0xff;
  }

  private static void put16(byte[] bytes, int at, int value) {
    bytes[at] = (byte) (value >> 8);
    bytes[at + 1] = (byte) value;
  }
}
