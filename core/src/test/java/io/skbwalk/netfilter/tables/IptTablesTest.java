// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.device.NetDevice;
import io.skbwalk.language.IptablesSaveParser;
import io.skbwalk.language.IptablesSavePrinter;
import io.skbwalk.lib.Checksum;
import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.Netfilter;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.skb.EthernetHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;
import io.skbwalk.trace.TraceEvent;
import io.skbwalk.trace.TraceListener;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rules against packets made by hand, at hooks called directly. */
class IptTablesTest {
  private static final NetDevice ETH0 = new NetDevice("eth0", 2, 0x020000000001L, 1500, 1);
  private static final NetDevice ETH1 = new NetDevice("eth1", 3, 0x020000000101L, 1500, 1);
  private static final String SENDER = "02:00:00:00:00:fe";

  private final Net net = new Net(1_000_000_000_000L, 1);
  private final Netfilter netfilter = new Netfilter(net);
  private final List<String> log = new ArrayList<>();
  private IptTables tables;

  /** A packet: {@code PROTOCOL FROM[:PORT] TO[:PORT] [name=value ...]}. */
  private SkBuff packet(String text) {
    String[] words = text.split(" ");
    int payload = 0;
    int cut = 0;
    SkBuff skb = net.skbs.allocate(64, 2048);
    skb.macHeader = skb.put(EthernetHeader.LENGTH);
    EthernetHeader.write(skb, skb.macHeader, ETH0.macAddress, 0x0200000000FEL, 0x0800);
    skb.pull(EthernetHeader.LENGTH);
    skb.networkHeader = skb.data;
    int header = 20;
    for (String word : words) {
      header = word.equals("options") ? 24 : header;
      payload = word.startsWith("payload=") ? number(word) : payload;
      cut = word.startsWith("cut=") ? number(word) : cut;
    }
    int protocol = Names.protocol(words[0]);
    int transport = protocol == 6 ? 20 : 8;
    boolean mss = text.contains("mss=");
    int all = header + transport + (mss ? 4 : 0) + payload;
    skb.put(all);
    java.util.Arrays.fill(skb.head, skb.data, skb.tail, (byte) 0);
    int ip = skb.networkHeader;
    skb.setU8(ip, 0x40 | header / 4);
    skb.setU16(ip + IpHeader.TOTAL_LENGTH_OFFSET, all);
    skb.setU8(ip + IpHeader.TTL_OFFSET, 64);
    skb.setU8(ip + IpHeader.PROTOCOL_OFFSET, protocol);
    skb.setU32(ip + IpHeader.SOURCE_OFFSET, Ip4.parse(words[1].replaceAll(":.*", "")));
    skb.setU32(ip + IpHeader.DESTINATION_OFFSET, Ip4.parse(words[2].replaceAll(":.*", "")));
    int at = ip + header;
    skb.transportHeader = at;
    if (words[1].indexOf(':') > 0) {
      skb.setU16(at, Integer.parseInt(words[1].replaceAll(".*:", "")));
      skb.setU16(at + 2, Integer.parseInt(words[2].replaceAll(".*:", "")));
    }
    if (protocol == 6) {
      skb.setU8(at + TcpHeader.DATA_OFFSET, (mss ? 6 : 5) << 4);
    } else if (protocol == 17) {
      skb.setU16(at + 4, 8 + payload);
    }
    for (String word : words) {
      switch (word.replaceAll("=.*", "")) {
        case "ttl" -> skb.setU8(ip + IpHeader.TTL_OFFSET, number(word));
        case "tos" -> skb.setU8(ip + IpHeader.TOS_OFFSET, number(word));
        case "fragment" -> skb.setU16(ip + IpHeader.FRAGMENT_OFFSET, number(word));
        case "mark" -> skb.mark = number(word);
        case "flags" -> skb.setU8(at + TcpHeader.FLAGS_OFFSET, number(word));
        case "type" -> skb.setU8(at, number(word));
        case "code" -> skb.setU8(at + 1, number(word));
        case "pkt" -> skb.pktType = (byte) number(word);
        case "mss" -> skb.setU32(at + 20, 0x02040000 | number(word));
        default -> {}
      }
    }
    IpHeader.updateChecksum(skb);
    skb.tail -= cut;
    skb.dev = ETH0;
    return skb;
  }

  private static int number(String word) {
    return Integer.decode(word.substring(word.indexOf('=') + 1));
  }

  private void load(String text) {
    RuleSet rules = IptablesSaveParser.parse(text.replace("; ", "\n"), "rules.v4");
    Conntrack conntrack = new Conntrack(net, netfilter);
    tables =
        new IptTables(
            rules,
            new Environment(net, null, conntrack, null, (time, level, line) -> log.add(line)));
    tables.register(netfilter);
  }

  /** True when the packet was accepted at {@code hook}. */
  private boolean passes(Hook hook, SkBuff skb) {
    boolean[] passed = {false};
    NetDevice in = hook == Hook.LOCAL_OUT ? null : ETH0;
    NetDevice out = hook.ordinal() < Hook.FORWARD.ordinal() ? null : ETH1;
    netfilter.hook(
        hook,
        skb,
        in,
        out,
        one -> {
          passed[0] = true;
          net.skbs.consume(one);
        });
    assertEquals(0, net.skbs.outstanding());
    return passed[0];
  }

  private String counters() {
    return IptablesSavePrinter.print(tables.counters(), true);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "-s 10.0.0.0/8                        | tcp 10.1.2.3:5 1.1.1.1:80       | yes",
        "-s 10.0.0.0/8                        | tcp 11.1.2.3:5 1.1.1.1:80       | source is"
            + " 11.1.2.3",
        "! -s 10.0.0.0/8                      | tcp 10.1.2.3:5 1.1.1.1:80       | source is"
            + " 10.1.2.3",
        "-d 1.0.0.1/255.0.0.255               | tcp 10.1.2.3:5 1.7.7.1:80       | yes",
        "-d 1.0.0.1/255.0.0.255               | tcp 10.1.2.3:5 1.7.7.2:80       | destination is"
            + " 1.7.7.2",
        "-i eth0                              | udp 1.1.1.1:5 2.2.2.2:6         | yes",
        "-i eth+                              | udp 1.1.1.1:5 2.2.2.2:6         | yes",
        "! -i eth+                            | udp 1.1.1.1:5 2.2.2.2:6         | came in on eth0",
        "! -i +                               | udp 1.1.1.1:5 2.2.2.2:6         | yes",
        "-i eth1                              | udp 1.1.1.1:5 2.2.2.2:6         | came in on eth0",
        "-p udp                               | tcp 1.1.1.1:5 2.2.2.2:6         | protocol is tcp",
        "! -p udp                             | tcp 1.1.1.1:5 2.2.2.2:6         | yes",
        "-f                                   | udp 1.1.1.1:5 2.2.2.2:6         | not a later"
            + " fragment",
        "-f                                   | udp 1.1.1.1:5 2.2.2.2:6 fragment=0x2000 | not a"
            + " later fragment",
        "-f                                   | udp 1.1.1.1:5 2.2.2.2:6 fragment=5 | yes",
        "! -f                                 | udp 1.1.1.1:5 2.2.2.2:6 fragment=5 | a later"
            + " fragment",
        "-p tcp --dport 80:90                 | tcp 1.1.1.1:5 2.2.2.2:85        | yes",
        "-p tcp --dport 80:90                 | tcp 1.1.1.1:5 2.2.2.2:91        | destination port"
            + " is 91",
        "-p tcp ! --sport 5                   | tcp 1.1.1.1:5 2.2.2.2:91        | source port is 5",
        "-p tcp --syn                         | tcp 1.1.1.1:5 2.2.2.2:91 flags=0x02 | yes",
        "-p tcp --syn                         | tcp 1.1.1.1:5 2.2.2.2:91 flags=0x12 | flags are"
            + " SYN,ACK",
        "-p tcp ! --dport 1                   | tcp 1.1.1.1:5 2.2.2.2:91 fragment=9 | a later"
            + " fragment has no TCP header",
        "-p tcp --tcp-option 2                | tcp 1.1.1.1:5 2.2.2.2:91 mss=1460 | yes",
        "-p tcp ! --tcp-option 2              | tcp 1.1.1.1:5 2.2.2.2:91 mss=1460 | TCP option 2 is"
            + " there",
        "-p tcp --tcp-option 3                | tcp 1.1.1.1:5 2.2.2.2:91        | TCP option 3 is"
            + " not there",
        "-p tcp --dport 91                    | tcp 1.1.1.1:5 2.2.2.2:91 options | yes",
        "-p udp --dport 6                     | udp 1.1.1.1:5 2.2.2.2:6         | yes",
        "-p udp ! --dport 6                   | udp 1.1.1.1:5 2.2.2.2:6         | destination port"
            + " is 6",
        "-p icmp --icmp-type echo-request     | icmp 1.1.1.1 2.2.2.2 type=8     | yes",
        "-p icmp --icmp-type 3/4              | icmp 1.1.1.1 2.2.2.2 type=3 code=3 | ICMP type is"
            + " 3/3",
        "-p icmp ! --icmp-type any            | icmp 1.1.1.1 2.2.2.2 type=8     | ICMP type is 8/0",
        "-p tcp -m multiport --dports 80,90:99 | tcp 1.1.1.1:5 2.2.2.2:95       | yes",
        "-p tcp -m multiport --ports 5        | tcp 1.1.1.1:5 2.2.2.2:95        | yes",
        "-p tcp -m multiport ! --dports 95    | tcp 1.1.1.1:5 2.2.2.2:95        | destination port"
            + " is 95",
        "-m mark --mark 0x10/0xf0             | tcp 1.1.1.1:5 2.2.2.2:9 mark=0x11 | yes",
        "-m mark --mark 0x1ff/0xff            | tcp 1.1.1.1:5 2.2.2.2:9 mark=0x1ff | mark is 0x1ff",
        "-m ttl --ttl-lt 64                   | tcp 1.1.1.1:5 2.2.2.2:9         | ttl is 64",
        "-m length --length 0:40              | tcp 1.1.1.1:5 2.2.2.2:9         | yes",
        "-m length --length 0:40              | tcp 1.1.1.1:5 2.2.2.2:9 payload=1 | length is 41",
        "-m iprange --src-range 1.1.1.0-1.1.1.9 | tcp 1.1.1.1:5 2.2.2.2:9       | yes",
        "-m iprange ! --dst-range 2.2.2.2-200.1.1.9 | tcp 1.1.1.1:5 200.1.1.1:9 | destination is"
            + " 200.1.1.1",
        "-m mac --mac-source 02:00:00:00:00:fe | tcp 1.1.1.1:5 2.2.2.2:9        | yes",
        "-m mac ! --mac-source 02:00:00:00:00:fe | tcp 1.1.1.1:5 2.2.2.2:9 | Ethernet source is "
            + SENDER,
        "-m pkttype --pkt-type broadcast      | tcp 1.1.1.1:5 2.2.2.2:9 pkt=1   | yes",
        "-m pkttype --pkt-type broadcast      | tcp 1.1.1.1:5 2.2.2.2:9         | packet type is"
            + " unicast",
        "-m dscp --dscp-class EF              | tcp 1.1.1.1:5 2.2.2.2:9 tos=0xb9 | yes",
        "-m tos --tos Minimize-Delay          | tcp 1.1.1.1:5 2.2.2.2:9 tos=0xd0 | yes",
        "-m tos --tos 0x10                    | tcp 1.1.1.1:5 2.2.2.2:9 tos=0x50 | tos is 0x50",
        "-m state --state NEW                 | tcp 1.1.1.1:5 2.2.2.2:9         | state is INVALID",
        "-m conntrack --ctstate INVALID       | tcp 1.1.1.1:5 2.2.2.2:9         | yes",
        "-m conntrack --ctproto tcp           | tcp 1.1.1.1:5 2.2.2.2:9         | no connection",
        "-m conntrack --ctstate INVALID --ctproto udp | tcp 1.1.1.1:5 2.2.2.2:9 | yes",
        "-m connmark ! --mark 1               | tcp 1.1.1.1:5 2.2.2.2:9         | no connection",
        "-m recent --rcheck                   | tcp 1.1.1.1:5 2.2.2.2:9         | 1.1.1.1 is not in"
            + " the list so",
        "-m recent ! --rcheck                 | tcp 1.1.1.1:5 2.2.2.2:9         | yes",
        "-m statistic --mode nth --every 2 --packet 0 | tcp 1.1.1.1:5 2.2.2.2:9 | yes",
        "-m statistic --mode nth --every 2 --packet 1 | tcp 1.1.1.1:5 2.2.2.2:9 | packet 1 of 2"
            + " since it matched",
        "-m comment --comment x               | tcp 1.1.1.1:5 2.2.2.2:9         | yes",
      })
  void matchesOrSaysWhatFailed(String rule, String packet, String answer) {
    load("*filter\n-A INPUT " + rule + " -j DROP\nCOMMIT\n");
    List<String> reasons = new ArrayList<>();
    SkBuff skb = packet(packet);
    skb.trace =
        new TraceListener() {
          @Override
          public void on(TraceEvent event) {
            if (event instanceof TraceEvent.RuleMissed missed) {
              reasons.add(missed.reason());
            }
          }

          @Override
          public boolean wantsMisses() {
            return true;
          }
        };
    assertEquals(!answer.equals("yes"), passes(Hook.LOCAL_IN, skb));
    assertEquals(answer.equals("yes") ? List.of() : List.of(answer), reasons);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "-p tcp --dport 1      | tcp 1.1.1.1:5 2.2.2.2:9 cut=1",
        "-p tcp ! --dport 9    | tcp 1.1.1.1:5 2.2.2.2:9 cut=20",
        "-p tcp --dport 1      | tcp 1.1.1.1:5 2.2.2.2:9 fragment=1",
        "-p udp --dport 1      | udp 1.1.1.1:5 2.2.2.2:9 cut=1",
        "-p icmp --icmp-type 5 | icmp 1.1.1.1 2.2.2.2 cut=1",
        "-p udp -m multiport --dports 1 | udp 1.1.1.1:5 2.2.2.2:9 cut=5",
      })
  void aTruncatedTransportHeaderIsDroppedUncounted(String rule, String packet) {
    load("*filter\n-A INPUT " + rule + "\n-A INPUT -j ACCEPT\nCOMMIT\n");
    assertFalse(passes(Hook.LOCAL_IN, packet(packet)));
    assertFalse(counters().contains("[1:"), counters());
  }

  @Test
  void jumpsReturnsGotosAndPoliciesCountAsTheKernelDoes() {
    load(
        """
        *filter
        :INPUT DROP [0:0]
        :a - [0:0]
        :b - [0:0]
        :c - [0:0]
        -A INPUT -j a
        -A INPUT -p udp -j RETURN
        -A INPUT -g b
        -A INPUT -j ACCEPT
        -A a -p tcp --dport 9 -j b
        -A a
        -A b -p tcp -g c
        -A b -p icmp -j ACCEPT
        -A c -s 9.9.9.9 -j ACCEPT
        COMMIT
        """);
    assertFalse(passes(Hook.LOCAL_IN, packet("udp 1.1.1.1:5 2.2.2.2:9")));
    assertFalse(passes(Hook.LOCAL_IN, packet("tcp 1.1.1.1:5 2.2.2.2:9")));
    assertTrue(passes(Hook.LOCAL_IN, packet("tcp 9.9.9.9:5 2.2.2.2:9")));
    assertTrue(passes(Hook.LOCAL_IN, packet("icmp 9.9.9.9 2.2.2.2")));
    assertEquals(
        """
        *filter
        :INPUT DROP [2:68]
        :FORWARD ACCEPT [0:0]
        :OUTPUT ACCEPT [0:0]
        :a - [0:0]
        :b - [0:0]
        :c - [0:0]
        [4:136] -A INPUT -j a
        [1:28] -A INPUT -p udp -j RETURN
        [2:68] -A INPUT -g b
        [0:0] -A INPUT -j ACCEPT
        [2:80] -A a -p tcp -m tcp --dport 9 -j b
        [3:96] -A a
        [3:120] -A b -p tcp -g c
        [1:28] -A b -p icmp -j ACCEPT
        [1:40] -A c -s 9.9.9.9/32 -j ACCEPT
        COMMIT
        """,
        counters());
  }

  @Test
  void recentCountsStampsWithinItsSeconds() {
    load(
        """
        *filter
        -A INPUT -m recent --update --seconds 60 --hitcount 3 -j DROP
        -A INPUT -m recent --set
        COMMIT
        """);
    long start = net.clock.now();
    boolean[] expected = {true, true, true, false, false, true};
    int[] seconds = {0, 10, 20, 30, 70, 200};
    for (int i = 0; i < expected.length; i++) {
      net.clock.advanceTo(start + seconds[i] * 1_000_000_000L);
      assertEquals(expected[i], passes(Hook.LOCAL_IN, packet("tcp 1.1.1.1:5 2.2.2.2:9")), "#" + i);
    }
  }

  @Test
  void limitGivesItsBurstAndThenItsRate() {
    load(
        "*filter\n"
            + "-A INPUT -m limit --limit 2/sec --limit-burst 3 -j ACCEPT\n"
            + "-P INPUT DROP\n"
            + "COMMIT");
    long start = net.clock.now();
    boolean[] expected = {true, true, true, false, false, true, false};
    int[] millis = {0, 0, 0, 0, 400, 500, 900};
    for (int i = 0; i < expected.length; i++) {
      net.clock.advanceTo(start + millis[i] * 1_000_000L);
      assertEquals(expected[i], passes(Hook.LOCAL_IN, packet("tcp 1.1.1.1:5 2.2.2.2:9")), "#" + i);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "-j TTL --ttl-set 9                 | tcp 1.1.1.1:5 2.2.2.2:9          | -m ttl --ttl-eq 9",
        "-j TTL --ttl-inc 255               | tcp 1.1.1.1:5 2.2.2.2:9          | -m ttl --ttl-eq"
            + " 255",
        "-j TTL --ttl-dec 70                | tcp 1.1.1.1:5 2.2.2.2:9          | -m ttl --ttl-eq 0",
        "-j DSCP --set-dscp-class AF31      | tcp 1.1.1.1:5 2.2.2.2:9 tos=3    | -m tos --tos 0x6b",
        "-j TOS --set-tos 0x10/0xf0         | tcp 1.1.1.1:5 2.2.2.2:9 tos=0x2f | -m tos --tos 0x1f",
        "-j TOS --xor-tos 0xff              | tcp 1.1.1.1:5 2.2.2.2:9 tos=0x2f | -m tos --tos 0xd0",
        "-j MARK --set-mark 0x5/0xf         | tcp 1.1.1.1:5 2.2.2.2:9 mark=0xff | -m mark --mark"
            + " 0xf5",
        "-j MARK --xor-mark 0x3             | tcp 1.1.1.1:5 2.2.2.2:9 mark=0x5 | -m mark --mark"
            + " 0x6",
        "-j MARK --and-mark 0x6             | tcp 1.1.1.1:5 2.2.2.2:9 mark=0xd | -m mark --mark"
            + " 0x4",
        "-p tcp --syn -j TCPMSS --set-mss 900 | tcp 1.1.1.1:5 2.2.2.2:9 flags=2 mss=1460 | -m"
            + " length --length 44",
        "-p tcp --syn -j TCPMSS --set-mss 900 | tcp 1.1.1.1:5 2.2.2.2:9 flags=2 | -m length"
            + " --length 44",
      })
  void changesThePacketAndKeepsItsChecksums(String target, String packet, String then) {
    load(
        "*mangle\n-A FORWARD "
            + target
            + "\n-A FORWARD "
            + then
            + " -j ACCEPT\n-P FORWARD DROP\nCOMMIT\n");
    SkBuff skb = packet(packet);
    int tcp = skb.transportHeader;
    boolean[] right = {false};
    skb.setU16(tcp + TcpHeader.CHECKSUM_OFFSET, transportSum(skb));
    netfilter.hook(
        Hook.FORWARD,
        skb,
        ETH0,
        ETH1,
        one -> {
          right[0] = Checksum.of(one.head, one.networkHeader, 20) == 0 && transportSum(one) == 0;
          net.skbs.consume(one);
        });
    assertTrue(right[0]);
  }

  private static int transportSum(SkBuff skb) {
    int length = skb.tail - skb.transportHeader;
    return Checksum.fold(
        Checksum.partial(
            skb.head,
            skb.transportHeader,
            length,
            Checksum.pseudoHeader(IpHeader.source(skb), IpHeader.destination(skb), 6, length)));
  }

  @Test
  void logsAndTracesInTheKernelsWords() {
    load(
        """
        *raw
        -A PREROUTING -p tcp -j TRACE
        -A PREROUTING -j ACCEPT
        COMMIT
        *mangle
        -A PREROUTING -j LOG --log-prefix "in: " --log-macdecode
        COMMIT
        """);
    String ip =
        "SRC=1.1.1.1 DST=2.2.2.2 LEN=40 TOS=0x00 PREC=0x00 TTL=64 ID=0 PROTO=TCP SPT=5 DPT=9 ";
    String mac = "IN=eth0 OUT= MAC=02:00:00:00:00:01:02:00:00:00:00:fe:08:00 ";
    String tcp = "SEQ=0 ACK=0 WINDOW=0 RES=0x00 SYN URGP=0 ";
    assertTrue(passes(Hook.PRE_ROUTING, packet("tcp 1.1.1.1:5 2.2.2.2:9 flags=2")));
    assertEquals(
        List.of(
            "TRACE: raw:PREROUTING:policy:2 " + mac + ip + tcp,
            "TRACE: mangle:PREROUTING:rule:1 " + mac + ip + tcp,
            "in: IN=eth0 OUT= MACSRC=02:00:00:00:00:fe MACDST=02:00:00:00:00:01 MACPROTO=0800 "
                + ip
                + "WINDOW=0 RES=0x00 SYN URGP=0 ",
            "TRACE: mangle:PREROUTING:policy:2 " + mac + ip + tcp),
        log);
  }

  @Test
  void aRecorderLearnsWhatMatchedAndWhatDecided() {
    load(
        "*raw\nCOMMIT\n*mangle\n-A PREROUTING -j MARK --set-mark 1\n-A PREROUTING -j DROP\nCOMMIT");
    List<String> told = new ArrayList<>();
    tables.record(
        new VerdictRecorder() {
          @Override
          public void matched(SkBuff skb, Hook hook, RuleReference rule) {
            told.add(rule.label());
          }

          @Override
          public void decided(SkBuff skb, Hook hook, RuleReference rule, int verdict) {
            told.add(hook + " " + rule.label() + " " + rule.source() + " " + verdict);
          }
        });
    assertFalse(passes(Hook.PRE_ROUTING, packet("tcp 1.1.1.1:5 2.2.2.2:9")));
    assertEquals(
        List.of(
            "PRE_ROUTING raw/PREROUTING policy  1",
            "mangle/PREROUTING#1",
            "mangle/PREROUTING#2",
            "PRE_ROUTING mangle/PREROUTING#2 rules.v4:5 0"),
        told);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "*nat; -A POSTROUTING -j ACCEPT; COMMIT              | false",
        "*nat; -A POSTROUTING -j MASQUERADE; COMMIT          | true",
        "*raw; -A OUTPUT -j NOTRACK; COMMIT                  | false",
        "*raw; -A OUTPUT -j CT --notrack; COMMIT             | false",
        "*raw; -A OUTPUT -j CT --zone 1; COMMIT              | true",
        "*filter; -A OUTPUT -m state --state NEW; COMMIT     | true",
        "*filter; -A OUTPUT -m connmark --mark 1; COMMIT     | true",
        "*filter; -A OUTPUT -m recent --set; COMMIT          | false",
      })
  void knowsWhatNeedsConntrack(String rules, boolean needs) {
    load(rules);
    assertEquals(needs, tables.needsConntrack());
  }
}
