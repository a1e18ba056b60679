// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.flow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.device.NetDevice;
import io.skbwalk.device.Refusal;
import io.skbwalk.host.Host;
import io.skbwalk.host.HostDescription;
import io.skbwalk.host.HostListener;
import io.skbwalk.host.TestRouter;
import io.skbwalk.kernel.Clock;
import io.skbwalk.language.IptablesSavePrinter;
import io.skbwalk.language.RulesFile;
import io.skbwalk.language.TypedPacket;
import io.skbwalk.netfilter.conntrack.ConntrackPrinter;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.transport.Sock;
import java.util.HexFormat;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A machine that remembers what packets met does to all of them what one does that judges each. */
class FlowTableTest {
  private static final HostDescription ROUTER = TestRouter.DESCRIPTION;

  /** A handshake and a first exchange, after which the connection is ASSURED. */
  private static final String BEGIN =
      "eth1 tcp 192.168.7.2:4000 > 198.51.100.9:80 S seq=10;"
          + "eth0 tcp 198.51.100.9:80 > %1$s:4000 SA seq=90 ack=11;"
          + "eth1 tcp 192.168.7.2:4000 > 198.51.100.9:80 A seq=11 ack=91;";

  private static final String EXCHANGE =
      "eth1 tcp 192.168.7.2:4000 > 198.51.100.9:80 PA seq=11 ack=91 payload=ask;"
          + "eth1 tcp 192.168.7.2:4000 > 198.51.100.9:80 A seq=11 ack=91 payload=ask;"
          + "eth0 tcp 198.51.100.9:80 > %1$s:4000 PA seq=91 ack=14 payload=say;"
          + "eth0 tcp 198.51.100.9:80 > %1$s:4000 A seq=91 ack=14 payload=say;"
          + "eth1 tcp 192.168.7.2:4000 > 198.51.100.9:80 A seq=14 ack=94;"
          + "eth0 tcp 198.51.100.9:80 > %1$s:4000 A seq=94 ack=14;";

  /** Somewhere in it there is always another connection, and one that is not established. */
  private static final String OTHERS =
      "eth1 udp 192.168.7.2:4000 > 198.51.100.9:53;"
          + "eth0 tcp 198.51.100.77:4000 > 192.168.7.2:81 S;"
          + "eth1 tcp 192.168.7.3:4000 > 198.51.100.9:80 A seq=5 ack=5;";

  private static final Map<String, String> PACKETS =
      Map.ofEntries(
          Map.entry("exchange", EXCHANGE),
          Map.entry("others", OTHERS),
          Map.entry("tos", "eth1 tcp 192.168.7.2:4000 > 198.51.100.9:80 A seq=14 ack=94 tos=16;"),
          Map.entry("ttl", "eth1 tcp 192.168.7.2:4000 > 198.51.100.9:80 A seq=14 ack=94 ttl=1;"),
          Map.entry("far", "eth1 tcp 192.168.7.2:4000 > 198.51.100.9:80 A seq=9999999 ack=94;"),
          Map.entry("bad", "eth1 tcp 192.168.7.2:4000 > 198.51.100.9:80 A seq=14 checksum=1;"),
          Map.entry("fin", "eth1 tcp 192.168.7.2:4000 > 198.51.100.9:80 FA seq=14 ack=94;"),
          Map.entry("reset", "eth0 tcp 198.51.100.9:80 > %1$s:4000 R seq=94;"),
          Map.entry("again", "eth1 tcp 192.168.7.2:4000 > 198.51.100.9:80 S seq=777;"),
          Map.entry(
              "ssh",
              "eth1 tcp 192.168.7.2:5000 > 192.168.7.1:22 S seq=10;"
                  + "lo tcp 192.168.7.1:22 > 192.168.7.2:5000 SA seq=90 ack=11;"
                  + "eth1 tcp 192.168.7.2:5000 > 192.168.7.1:22 A seq=11 ack=91;"
                  + "lo tcp 192.168.7.1:22 > 192.168.7.2:5000 A seq=91 ack=11;".repeat(4)
                  + "eth1 tcp 192.168.7.2:5000 > 192.168.7.1:22 A seq=11 ack=91;".repeat(4)));

  /** One machine and all that it did. */
  private static final class Machine implements HostListener {
    final Host host;
    final StringBuilder did = new StringBuilder();
    private long time;

    Machine(String rules) {
      host = new Host(ROUTER, RulesFile.parse("rules.v4", rules), 0, 1);
      host.setListener(this);
    }

    void play(String packets) {
      for (String text : packets.split(";")) {
        boolean own = text.startsWith("lo ");
        var packet = TypedPacket.parse("test", own ? "eth1" + text.substring(2) : text, ROUTER);
        byte[] frame = packet.bytes();
        time += Clock.SECOND / 100;
        if (own) {
          host.send(frame, 14, frame.length - 14, time, null);
        } else {
          host.receive(host.device(packet.device()), frame, time, null);
        }
      }
    }

    String state() {
      StringBuilder state = new StringBuilder(did);
      IptablesSavePrinter.print(host.tables().counters(), true).lines().forEach(state::append);
      for (int ct = host.conntrack().first(); ct != 0; ct = host.conntrack().next(ct)) {
        state.append('\n').append(ConntrackPrinter.list(host.conntrack(), ct));
      }
      return state.toString();
    }

    @Override
    public void transmitted(NetDevice dev, SkBuff skb) {
      did.append(dev.name).append(' ').append(skb.mark).append(' ');
      did.append(HexFormat.of().formatHex(skb.head, skb.data, skb.tail)).append('\n');
    }

    @Override
    public void dropped(SkBuff skb, DropReason reason, String function) {
      did.append(reason).append(' ').append(function).append('\n');
    }

    @Override
    public void refused(NetDevice dev, long frame, Refusal refusal) {
      did.append(refusal).append('\n');
    }

    @Override
    public void received(Sock sock, SkBuff skb) {
      did.append("received ").append(skb.mark).append('\n');
    }
  }

  private static String table(String name, String rules) {
    StringBuilder table = new StringBuilder("*").append(name).append('\n');
    String chains =
        switch (name) {
          case "raw" -> "PREROUTING OUTPUT";
          case "mangle" -> "PREROUTING INPUT FORWARD OUTPUT POSTROUTING";
          case "nat" -> "PREROUTING INPUT OUTPUT POSTROUTING";
          default -> "INPUT FORWARD OUTPUT";
        };
    for (String chain : chains.split(" ")) {
      table.append(':').append(chain).append(" ACCEPT [0:0]\n");
    }
    for (String rule : rules.split(";")) {
      table.append(rule.strip()).append('\n');
    }
    return table.append("COMMIT\n").toString();
  }

  /**
   * A rule, or some; the packets, by their names above, after a handshake; and at how many hooks at
   * least nothing was judged anew.
   */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "filter | -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT | exchange exchange | 20",
        "filter | -A FORWARD -i eth1 -j ACCEPT                    | exchange others exchange  | 20",
        "raw    | -A PREROUTING -s 192.168.7.2 -j ACCEPT          | exchange others exchange  | 20",
        "mangle | -A PREROUTING -j MARK --set-mark 7              | exchange others exchange  | 20",
        "mangle | -A FORWARD -p tcp -m tcp --tcp-flags PSH PSH -j MARK --set-mark 9"
            + " | exchange exchange exchange | 16",
        "mangle | -A PREROUTING -j CONNMARK --restore-mark; -A POSTROUTING -j MARK --set-mark 3;"
            + " -A POSTROUTING -j CONNMARK --save-mark | exchange exchange exchange | 16",
        "nat    | -A POSTROUTING -o eth0 -j MASQUERADE            | exchange others exchange  | 20",
        "nat    | -A POSTROUTING -o eth0 -j MASQUERADE            | exchange ssh exchange fin | 20",
        "filter | -A FORWARD -m length --length 0:50 -j ACCEPT    | exchange exchange         | 10",
        "filter | -A FORWARD -m ttl --ttl-eq 63 -j ACCEPT         | exchange ttl exchange     | 10",
        "filter | -A FORWARD -m limit --limit 1/sec -j ACCEPT     | exchange exchange         | 10",
        "filter | -A FORWARD -m connbytes --connbytes 5: --connbytes-dir both"
            + " --connbytes-mode packets -j ACCEPT                | exchange exchange         | 10",
        "filter | -A FORWARD -m statistic --mode nth --every 3 --packet 0 -j DROP"
            + "                                                   | exchange exchange         | 10",
        "raw    | -A PREROUTING -m limit --limit 1/sec -j ACCEPT  | exchange exchange         |  0",
        "raw    | -A PREROUTING -p tcp -m tcp --dport 80 -j CT --notrack | exchange exchange  |  0",
        "mangle | -A FORWARD -j TOS --set-tos 0x10                | exchange exchange         | 10",
        "mangle | -A FORWARD -j TEE --gateway 192.168.7.9         | exchange exchange         | 10",
        "filter | -A FORWARD -m tos --tos 0x10 -j ACCEPT          | exchange tos exchange tos | 20",
        "filter | -A FORWARD -m conntrack --ctstate INVALID -j DROP"
            + "                       | exchange far exchange bad exchange bad ttl exchange | 40",
        "filter | -A FORWARD -m conntrack --ctstate NEW -j ACCEPT"
            + "                       | exchange fin exchange reset exchange again exchange | 20",
        "filter | -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT; -A OUTPUT -o eth1 -j ACCEPT"
            + "                                                   | ssh others ssh            | 20",
      })
  void nothingShows(String table, String rules, String packets, long least) {
    // Without a rule that asks for the state nothing is tracked.
    String tracks = "-A FORWARD -m conntrack --ctstate INVALID";
    String text =
        table.equals("filter")
            ? table("filter", rules + ";" + tracks)
            : table(table, rules) + table("filter", tracks);
    String self = rules.contains("MASQUERADE") ? "203.0.113.1" : "192.168.7.2";
    Machine remembering = new Machine(text);
    Machine judging = new Machine(text);
    judging.host.tables().interpret(true);
    String script = "begin " + packets;
    for (String name : script.strip().split(" ")) {
      String played = String.format(name.equals("begin") ? BEGIN : PACKETS.get(name), self);
      remembering.play(played);
      judging.play(played);
      assertEquals(judging.state(), remembering.state(), "after " + name);
    }
    long repeated = remembering.host.flows().repeated();
    assertTrue(repeated >= least, "only " + repeated);
    assertEquals(least == 0, repeated == 0, "so often: " + repeated);
    assertEquals(0, judging.host.flows().repeated());
  }

  @Test
  void otherRulesAreOthersAtOnce() {
    String before = table("filter", "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT");
    String after = table("filter", "-A FORWARD -m conntrack --ctstate ESTABLISHED -j DROP");
    Machine machine = new Machine(before);
    machine.play(String.format(BEGIN + EXCHANGE + EXCHANGE, "192.168.7.2"));
    assertTrue(machine.host.flows().repeated() > 0);
    machine.did.setLength(0);
    machine.host.replaceRules(RulesFile.parse("later.v4", after));
    machine.play(String.format(EXCHANGE, "192.168.7.2"));
    assertEquals("NETFILTER_DROP nf_hook_slow\n".repeat(6), machine.did.toString());
  }
}
