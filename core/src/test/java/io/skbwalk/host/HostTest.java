// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.device.NetDevice;
import io.skbwalk.device.Refusal;
import io.skbwalk.host.HostDescription.Address;
import io.skbwalk.host.HostDescription.Interface;
import io.skbwalk.host.HostDescription.Neighbour;
import io.skbwalk.host.HostDescription.Route;
import io.skbwalk.host.HostDescription.RouteType;
import io.skbwalk.host.HostDescription.Socket;
import io.skbwalk.host.HostDescription.SocketKind;
import io.skbwalk.kernel.Clock;
import io.skbwalk.language.FrameBuilder;
import io.skbwalk.language.IptablesSaveParser;
import io.skbwalk.language.IptablesSavePrinter;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.Mac;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.PacketSummary;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;
import io.skbwalk.trace.TraceEvent;
import io.skbwalk.transport.Sock;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A router between 10.0.0.0/24 and 10.1.0.0/24 from the wire to the wire. The expected answers and
 * drop reasons are what Linux 6.18 gave for the same frames.
 */
class HostTest {
  private static final long OWN = Mac.parse("02:00:00:00:00:01");
  private static final long PEER = Mac.parse("02:00:00:00:00:fe");
  private static final int ROUTER = Ip4.parse("10.0.0.1");
  private static final int CLIENT = Ip4.parse("10.0.0.2");
  private static final int SERVER = Ip4.parse("10.1.0.2");
  private static final byte[] LONG = new byte[100];

  private final Host host = new Host(router(Map.of("net.ipv4.icmp_ratemask", "0")), 0, 1);
  private final List<String> log = new ArrayList<>();

  private static HostDescription router(Map<String, String> sysctls) {
    Map<String, String> all = new TreeMap<>(sysctls);
    all.put("net.ipv4.ip_forward", "1");
    all.put("net.ipv4.conf.eth0.rp_filter", "1");
    return new HostDescription(
        "router",
        List.of(
            new Interface("eth0", OWN, List.of(new Address(ROUTER, 24)), 1500, true, 256, null, 0),
            new Interface(
                "eth1",
                OWN + 256,
                List.of(new Address(Ip4.parse("10.1.0.1"), 24)),
                1500,
                true,
                256,
                null,
                0)),
        List.of(
            new Route(0, 0, RouteType.UNICAST, Ip4.parse("10.0.0.254"), null, 254, 0, 0, 0, false)),
        List.of(),
        List.of(
            new Neighbour(CLIENT, PEER, "eth0"),
            new Neighbour(Ip4.parse("10.0.0.254"), PEER, "eth0"),
            new Neighbour(SERVER, PEER + 256, "eth1")),
        false,
        all,
        List.of(
            new Socket(SocketKind.TCP, 0, 80, 0, null, 0),
            new Socket(SocketKind.UDP, 0, 53, 0, null, 0),
            new Socket(SocketKind.UDP, ROUTER, 53, 0, null, 0),
            new Socket(SocketKind.UDP, 0, 53, 0, "eth0", 0),
            new Socket(SocketKind.UDP, 0, 55, 0, "eth1", 0),
            new Socket(SocketKind.UDP, 0, 55, 0, "eth1", 0),
            new Socket(SocketKind.UDP, 0, 54, 0, null, 200),
            new Socket(SocketKind.RAW, 0, 0, 99, null, 0),
            new Socket(SocketKind.RAW, 0, 0, 98, null, 100),
            new Socket(SocketKind.RAW, 0, 0, 255, null, 0)));
  }

  private final HostListener listener =
      new HostListener() {
        @Override
        public void transmitted(NetDevice dev, SkBuff skb) {
          log.add(dev + " " + PacketSummary.ofFrame(skb.head, skb.data, skb.length()));
        }

        @Override
        public void dropped(SkBuff skb, DropReason reason, String function) {
          log.add(reason + " " + function);
        }

        @Override
        public void refused(NetDevice dev, long frame, Refusal refusal) {
          log.add(dev + " refused " + refusal);
        }

        @Override
        public void received(Sock sock, SkBuff skb) {
          log.add("to " + sock);
        }
      };

  @BeforeEach
  void listen() {
    host.setListener(listener);
  }

  private static FrameBuilder to(String destination) {
    return new FrameBuilder(OWN, PEER).ip(CLIENT, Ip4.parse(destination));
  }

  private static FrameBuilder toAll(String destination) {
    return new FrameBuilder(Mac.BROADCAST, PEER).ip(CLIENT, Ip4.parse(destination));
  }

  private static FrameBuilder us() {
    return to("10.0.0.1");
  }

  private static Arguments frame(FrameBuilder frame, String... expected) {
    return Arguments.of(frame, List.of(expected));
  }

  static List<Arguments> frames() {
    String toPeer = "eth0 TCP 10.0.0.1:7 > 10.0.0.2:1234 [R.] 54 bytes";
    return List.of(
        // TCP without a socket
        frame(us().tcp(1234, 7, TcpHeader.SYN, 1000, 0, 9), toPeer, "NO_SOCKET tcp_v4_rcv"),
        frame(
            us().tcp(1234, 7, TcpHeader.ACK, 1000, 2000, 9),
            "eth0 TCP 10.0.0.1:7 > 10.0.0.2:1234 [R] 54 bytes",
            "NO_SOCKET tcp_v4_rcv"),
        frame(us().tcp(1234, 7, TcpHeader.RST, 1000, 0, 9), "NO_SOCKET tcp_v4_rcv"),
        frame(
            us().tcp(1234, 7, TcpHeader.SYN, 1000, 0, 9).transportChecksum(1),
            "TCP_CSUM tcp_v4_rcv"),
        frame(
            us().tcp(1234, 7, TcpHeader.SYN, 1000, 0, 9).transportChecksum(1).payload(LONG),
            "TCP_CSUM tcp_v4_rcv"),
        frame(us().protocol(6).payload(new byte[19]), "NOT_SPECIFIED tcp_v4_rcv"),
        frame(us().protocol(6).payload(new byte[20]), "PKT_TOO_SMALL tcp_v4_rcv"),
        frame(
            toAll("10.0.0.255").tcp(1234, 7, TcpHeader.SYN, 1000, 0, 9),
            "NOT_SPECIFIED tcp_v4_rcv"),
        frame(to("10.0.0.255").tcp(1234, 7, TcpHeader.SYN, 1000, 0, 9), "NO_SOCKET tcp_v4_rcv"),
        // and with one
        frame(us().tcp(1234, 80, TcpHeader.SYN, 1000, 0, 9), "to tcp 0.0.0.0:80"),
        frame(us().tcp(1234, 80, TcpHeader.ACK, 1000, 0, 9), "to tcp 0.0.0.0:80"),
        frame(
            us().tcp(1234, 80, TcpHeader.SYN, 1000, 0, 9).transportChecksum(1).payload(LONG),
            "TCP_CSUM tcp_v4_do_rcv"),
        // UDP without a socket
        frame(
            us().udp(5, 9),
            "eth0 ICMP 10.0.0.1 > 10.0.0.2 port unreachable 70 bytes",
            "NO_SOCKET __udp4_lib_rcv"),
        frame(us().udp(5, 9).transportChecksum(1), "UDP_CSUM __udp4_lib_rcv"),
        frame(us().udp(5, 9).transportChecksum(1).payload(LONG), "UDP_CSUM __udp4_lib_rcv"),
        frame(us().protocol(17).payload(new byte[7]), "NOT_SPECIFIED __udp4_lib_rcv"),
        frame(us().protocol(17).payload(new byte[8]), "PKT_TOO_SMALL __udp4_lib_rcv"),
        frame(toAll("10.0.0.255").udp(5, 9), "NOT_SPECIFIED __udp4_lib_rcv"),
        frame(toAll("255.255.255.255").udp(5, 9), "NOT_SPECIFIED __udp4_lib_rcv"),
        frame(
            toAll("10.0.0.255").udp(5, 9).transportChecksum(1).payload(LONG),
            "NOT_SPECIFIED __udp4_lib_rcv"),
        frame(toAll("10.0.0.1").udp(5, 9), "NO_SOCKET __udp4_lib_rcv"),
        // and with one: bound to the address before bound to the interface before neither
        frame(us().udp(5, 53), "to udp 10.0.0.1:53"),
        frame(us().udp(5, 53).transportChecksum(0), "to udp 10.0.0.1:53"),
        frame(to("10.1.0.1").udp(5, 53), "to udp 0.0.0.0%eth0:53"),
        frame(toAll("10.0.0.255").udp(5, 53), "to udp 0.0.0.0%eth0:53", "to udp 0.0.0.0:53"),
        frame(us().udp(5, 53).transportChecksum(1), "UDP_CSUM __udp4_lib_rcv"),
        frame(us().udp(5, 53).transportChecksum(1).payload(LONG)),
        // other protocols
        frame(
            us().protocol(97).payload(LONG),
            "eth0 ICMP 10.0.0.1 > 10.0.0.2 protocol unreachable 162 bytes",
            "IP_NOPROTO ip_local_deliver_finish"),
        frame(us().protocol(99).payload(LONG), "to raw 0.0.0.0:99"),
        frame(us().protocol(255).payload(LONG), "to raw 0.0.0.0:255"),
        frame(us().protocol(2).payload(LONG), "NOT_SPECIFIED igmp_rcv"),
        frame(us().protocol(103).payload(LONG), "NOT_SPECIFIED pim_rcv"),
        frame(us().icmp(200, 0, 7), "UNHANDLED_PROTO icmp_rcv"),
        frame(toAll("224.0.0.1").icmp(200, 0, 7), "INVALID_PROTO icmp_rcv"),
        frame(us().icmp(8, 0, 7), "eth0 ICMP 10.0.0.1 > 10.0.0.2 echo reply 42 bytes"),
        // not for this machine
        frame(
            to("10.1.0.2").tcp(1234, 80, TcpHeader.SYN, 1000, 0, 9),
            "eth1 TCP 10.0.0.2:1234 > 10.1.0.2:80 [S] 54 bytes"),
        frame(
            to("10.1.0.2").udp(5, 53).ttl(1),
            "eth0 ICMP 10.0.0.1 > 10.0.0.2 time exceeded in-transit 70 bytes",
            "IP_INHDR ip_forward"),
        frame(new FrameBuilder(PEER, OWN).ip(CLIENT, ROUTER).udp(5, 53), "OTHERHOST ip_rcv_core"),
        frame(us().vlan(7).udp(5, 53), "OTHERHOST ip_rcv_core"),
        frame(us().vlan(0).udp(5, 53), "to udp 10.0.0.1:53"),
        // not IPv4
        frame(us().etherType(0x86DD), "IPV6DISABLED ip6_rcv_core"),
        frame(us().etherType(0x1234), "UNHANDLED_PROTO __netif_receive_skb_core"),
        frame(us().etherType(0x0040), "NOT_SPECIFIED llc_rcv"));
  }

  @ParameterizedTest
  @MethodSource("frames")
  void oneFrame(FrameBuilder builder, List<String> expected) {
    host.receive(host.device("eth0"), builder.frame(), 0, null);
    assertEquals(expected, log);
    assertEquals(0, host.net().skbs.outstanding());
  }

  @Test
  void theResetSaysWhatTheSegmentAskedFor() {
    byte[][] sent = new byte[1][];
    host.setListener(
        new HostListener() {
          @Override
          public void transmitted(NetDevice dev, SkBuff skb) {
            sent[0] = Arrays.copyOfRange(skb.head, skb.data, skb.tail);
          }
        });
    byte[] syn =
        us().tos(0x1D)
            .tcp(1234, 7, TcpHeader.SYN | TcpHeader.FIN, 1000, 77, 9)
            .payload(new byte[5])
            .frame();
    host.receive(host.device("eth0"), syn, 0, null);
    byte[] expected =
        new FrameBuilder(PEER, OWN)
            .ip(ROUTER, CLIENT)
            .tos(0x1C)
            .fragment(0x4000)
            .tcp(7, 1234, TcpHeader.RST | TcpHeader.ACK, 0, 1007, 0)
            .frame();
    assertEquals(hex(expected), hex(sent[0]));
  }

  @Test
  void fullBuffersRefuse() {
    NetDevice eth0 = host.device("eth0");
    for (int i = 0; i < 3; i++) {
      host.receive(eth0, us().udp(5, 54).payload(LONG).frame(), 0, null);
      host.receive(eth0, us().protocol(98).payload(LONG).frame(), 0, null);
    }
    assertEquals(
        List.of(
            "to udp 0.0.0.0:54",
            "to raw 0.0.0.0:98",
            "to udp 0.0.0.0:54",
            "eth0 ICMP 10.0.0.1 > 10.0.0.2 protocol unreachable 162 bytes",
            "IP_NOPROTO ip_local_deliver_finish",
            "SOCKET_RCVBUFF udp_queue_rcv_one_skb",
            "eth0 ICMP 10.0.0.1 > 10.0.0.2 protocol unreachable 162 bytes",
            "IP_NOPROTO ip_local_deliver_finish"),
        log);
  }

  @Test
  void socketsAreListedAsSsDoes() {
    NetDevice eth0 = host.device("eth0");
    host.receive(eth0, us().tcp(1234, 80, TcpHeader.SYN, 1, 0, 9).frame(), 0, null);
    host.receive(eth0, us().tcp(1234, 80, TcpHeader.ACK, 2, 0, 9).payload(LONG).frame(), 0, null);
    host.receive(eth0, us().udp(5, 53).payload(LONG).frame(), 0, null);
    assertEquals(
        """
        Netid State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess
        raw   UNCONN 0      0            0.0.0.0:99        0.0.0.0:*    packets:0 bytes:0
        raw   UNCONN 0      0            0.0.0.0:98        0.0.0.0:*    packets:0 bytes:0
        raw   UNCONN 0      0            0.0.0.0:255       0.0.0.0:*    packets:0 bytes:0
        udp   UNCONN 0      0            0.0.0.0:53        0.0.0.0:*    packets:0 bytes:0
        udp   UNCONN 100    0           10.0.0.1:53        0.0.0.0:*    packets:1 bytes:100
        udp   UNCONN 0      0       0.0.0.0%eth0:53        0.0.0.0:*    packets:0 bytes:0
        udp   UNCONN 0      0       0.0.0.0%eth1:55        0.0.0.0:*    packets:0 bytes:0
        udp   UNCONN 0      0       0.0.0.0%eth1:55        0.0.0.0:*    packets:0 bytes:0
        udp   UNCONN 0      0            0.0.0.0:54        0.0.0.0:*    packets:0 bytes:0
        tcp   LISTEN 1      0            0.0.0.0:80        0.0.0.0:*    packets:2 bytes:100
        """,
        host.sockets().print());
  }

  @Test
  void whatTheMachineSendsItselfTakesTheWayOut() {
    byte[] packet = new FrameBuilder(0, 0).ip(ROUTER, SERVER).udp(5, 53).packet();
    host.send(packet, 0, packet.length, 5, null);
    // To itself by the loopback: as if it had come in where the address is.
    for (String own : List.of("10.0.0.1", "10.1.0.1", "127.0.0.1")) {
      byte[] toItself = new FrameBuilder(0, 0).ip(ROUTER, Ip4.parse(own)).udp(5, 55).packet();
      host.send(toItself, 0, toItself.length, 6, null);
    }
    assertEquals(
        List.of(
            "eth1 UDP 10.0.0.1:5 > 10.1.0.2:53 42 bytes",
            "NO_SOCKET __udp4_lib_rcv",
            "to udp 0.0.0.0%eth1:55",
            "NO_SOCKET __udp4_lib_rcv"),
        log.stream().filter(line -> !line.startsWith("NO_SOCKET ping")).toList());
    assertEquals(0, host.net().skbs.outstanding());
  }

  @Test
  void rulesDecideAndCount() {
    RuleSet rules =
        IptablesSaveParser.parse(
            """
            *filter
            :INPUT ACCEPT [0:0]
            :FORWARD DROP [0:0]
            :OUTPUT ACCEPT [0:0]
            -A INPUT -p udp --dport 53 -j DROP
            -A OUTPUT -p tcp
            COMMIT
            """,
            "test");
    Host ruled = new Host(router(Map.of("net.ipv4.icmp_ratemask", "0")), rules, 0, 1);
    ruled.setListener(listener);
    NetDevice eth0 = ruled.device("eth0");
    ruled.receive(eth0, us().udp(5, 53).frame(), 0, null);
    ruled.receive(eth0, to("10.1.0.2").udp(5, 53).frame(), 0, null);
    ruled.receive(eth0, us().tcp(1234, 7, TcpHeader.SYN, 1000, 0, 9).frame(), 0, null);
    assertEquals(
        List.of(
            "NETFILTER_DROP nf_hook_slow",
            "NETFILTER_DROP nf_hook_slow",
            "eth0 TCP 10.0.0.1:7 > 10.0.0.2:1234 [R.] 54 bytes",
            "NO_SOCKET tcp_v4_rcv"),
        log);
    assertEquals(
        """
        *filter
        :INPUT ACCEPT [1:40]
        :FORWARD DROP [1:28]
        :OUTPUT ACCEPT [1:40]
        [1:28] -A INPUT -p udp -m udp --dport 53 -j DROP
        [1:40] -A OUTPUT -p tcp
        COMMIT
        """,
        IptablesSavePrinter.print(ruled.tables().counters(), true));
  }

  @Test
  void timersRunBeforeTheFramesThatComeAfterThem() {
    NetDevice eth0 = host.device("eth0");
    // Nobody has 10.1.0.77: three questions, a second apart, then host unreachable.
    host.receive(eth0, to("10.1.0.77").udp(5, 53).frame(), 0, null);
    host.receive(eth0, us().icmp(8, 0, 7).frame(), 10 * Clock.SECOND, null);
    assertEquals(
        List.of(
            "eth1 ARP who-has 10.1.0.77 tell 10.1.0.1 42 bytes",
            "eth1 ARP who-has 10.1.0.77 tell 10.1.0.1 42 bytes",
            "eth1 ARP who-has 10.1.0.77 tell 10.1.0.1 42 bytes",
            "eth0 ICMP 10.0.0.1 > 10.0.0.2 host unreachable 70 bytes",
            "NEIGH_FAILED arp_error_report",
            "eth0 ICMP 10.0.0.1 > 10.0.0.2 echo reply 42 bytes"),
        log);
  }

  @Test
  void framesPolledTogetherFareAsThoseThatComeAlone() {
    NetDevice eth0 = host.device("eth0");
    List<byte[]> frames = new ArrayList<>();
    for (Arguments arguments : frames()) {
      frames.add(((FrameBuilder) arguments.get()[0]).frame());
    }
    frames.forEach(frame -> host.receive(eth0, frame, 0, null));
    List<String> alone = List.copyOf(log);
    log.clear();
    frames.forEach(frame -> host.enqueue(eth0, frame, 0, frame.length, 0, 0, null));
    assertTrue(log.isEmpty());
    host.run();
    assertEquals(alone, log);
  }

  @Test
  void theFirstPacketsWalkBeginsWithTheBoot() {
    List<TraceEvent> events = new ArrayList<>();
    host.receive(host.device("eth0"), us().udp(5, 53).frame(), 7, events::add);
    assertTrue(
        events.stream()
            .anyMatch(
                event ->
                    event instanceof TraceEvent.InitCall call
                        && call.level() == 5
                        && call.function().equals("inet_init")));
    List<String> kinds =
        events.stream()
            .filter(event -> !(event instanceof TraceEvent.InitCall))
            .map(event -> event.getClass().getSimpleName())
            .toList();
    assertEquals(List.of("Frame", "Nic", "HardIrq", "SoftIrq", "Step"), kinds.subList(0, 5));
    assertEquals("Socket", kinds.get(kinds.size() - 1));
  }

  @Test
  void whatIsWrongWithADescriptionIsNamed() {
    HostDescription wrong = router(Map.of("net.ipv4.ip_forwad", "1"));
    HostException e = assertThrows(HostException.class, () -> new Host(wrong, 0, 1));
    assertEquals("net.ipv4.ip_forwad", e.element());
    assertEquals(
        "unknown sysctl net.ipv4.ip_forwad; nearest is net.ipv4.ip_forward", e.getMessage());
    HostDescription good = router(Map.of());
    Neighbour neighbour = new Neighbour(CLIENT, PEER, "eth7");
    e =
        assertThrows(
            HostException.class,
            () ->
                new Host(
                    new HostDescription(
                        "x",
                        good.interfaces(),
                        List.of(),
                        List.of(),
                        List.of(neighbour),
                        false,
                        Map.of(),
                        List.of()),
                    0,
                    1));
    assertSame(neighbour, e.element());
    Route route =
        new Route(0, 0, RouteType.UNICAST, Ip4.parse("172.16.0.1"), null, 254, 0, 0, 0, false);
    e =
        assertThrows(
            HostException.class,
            () ->
                new Host(
                    new HostDescription(
                        "x",
                        good.interfaces(),
                        List.of(route),
                        List.of(),
                        List.of(),
                        false,
                        Map.of(),
                        List.of()),
                    0,
                    1));
    assertSame(route, e.element());
  }

  @Test
  void hostileFramesNeverThrowAndNothingLeaks() {
    hostile(host);
  }

  @Test
  void hostileFramesNeverThrowWithRulesEither() {
    hostile(new Host(router(Map.of("net.ipv4.icmp_ratemask", "0")), tracked(), 0, 1));
  }

  /** Rules that make every packet tracked and its addresses translated to themselves. */
  private static RuleSet tracked() {
    return IptablesSaveParser.parse(
        """
        *mangle
        :PREROUTING ACCEPT [0:0]
        :INPUT ACCEPT [0:0]
        :FORWARD ACCEPT [0:0]
        :OUTPUT ACCEPT [0:0]
        :POSTROUTING ACCEPT [0:0]
        -A PREROUTING -p tcp -m tcp --dport 80
        COMMIT
        *nat
        :PREROUTING ACCEPT [0:0]
        :INPUT ACCEPT [0:0]
        :OUTPUT ACCEPT [0:0]
        :POSTROUTING ACCEPT [0:0]
        COMMIT
        *filter
        :INPUT ACCEPT [0:0]
        :FORWARD ACCEPT [0:0]
        :OUTPUT ACCEPT [0:0]
        -A INPUT -p icmp -m icmp --icmp-type 13 -j DROP
        COMMIT
        """,
        "test");
  }

  private static void hostile(Host host) {
    host.setListener(null);
    NetDevice eth0 = host.device("eth0");
    Random random = new Random(7);
    long time = 0;
    for (Arguments arguments : frames()) {
      byte[] frame = ((FrameBuilder) arguments.get()[0]).frame();
      for (int length = 0; length <= frame.length; length++) {
        host.receive(eth0, frame, 0, length, 0, time++, null);
        host.send(frame, Math.min(14, length), Math.max(0, length - 14), time++, null);
      }
      for (int i = 0; i < 500; i++) {
        byte[] changed = frame.clone();
        for (int change = random.nextInt(4); change >= 0; change--) {
          changed[random.nextInt(changed.length)] = (byte) random.nextInt();
        }
        if (random.nextBoolean()) {
          fixChecksum(changed);
        }
        host.receive(eth0, changed, time++, i % 50 == 0 ? event -> {} : null);
      }
    }
    host.advanceTo(time + 3600 * Clock.SECOND);
    assertEquals(0, host.net().skbs.outstanding());
  }

  /** Makes the IP header's checksum right again, so that the frame gets further. */
  private static void fixChecksum(byte[] frame) {
    int length = (frame[14] & 15) * 4;
    if (length >= 20 && frame.length >= 14 + length) {
      frame[24] = 0;
      frame[25] = 0;
      int checksum = io.skbwalk.lib.Checksum.of(frame, 14, length);
      frame[24] = (byte) (checksum >> 8);
      frame[25] = (byte) checksum;
    }
  }

  @Test
  void nothingIsAllocatedPerPacketWhenNobodyListens() {
    assertNothingAllocated(host);
  }

  @Test
  void nothingIsAllocatedPerPacketWithRulesEither() {
    assertNothingAllocated(
        new Host(router(Map.of("net.ipv4.icmp_ratemask", "0")), tracked(), 0, 1));
  }

  private static void assertNothingAllocated(Host host) {
    host.setListener(null);
    NetDevice eth0 = host.device("eth0");
    List<byte[]> frames = new ArrayList<>();
    for (Arguments arguments : frames()) {
      frames.add(((FrameBuilder) arguments.get()[0]).frame());
    }
    byte[] own = new FrameBuilder(0, 0).ip(ROUTER, SERVER).udp(5, 53).packet();
    com.sun.management.ThreadMXBean threads =
        (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE;
    long time = 0;
    for (int round = 0; round < 20; round++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < 200; i++) {
        for (int f = 0; f < frames.size(); f++) {
          byte[] frame = frames.get(f);
          host.receive(eth0, frame, 0, frame.length, 0, time += 1000, null);
        }
        host.send(own, 0, own.length, time, null);
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    // One boxed number a packet would be over 100,000 bytes.
    assertTrue(least < 1000, least + " bytes for 200 rounds of " + frames.size() + " frames");
  }

  private static String hex(byte[] bytes) {
    return java.util.HexFormat.of().formatHex(bytes);
  }
}
