// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.device.NetDevice;
import io.skbwalk.language.IpsetSaveFile;
import io.skbwalk.language.IptablesSaveParser;
import io.skbwalk.language.IptablesSavePrinter;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.Netfilter;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackInfo;
import io.skbwalk.netfilter.conntrack.ConntrackStatus;
import io.skbwalk.netfilter.ipset.IpSets;
import io.skbwalk.netfilter.ipset.IpsetPrinter;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Rules that are looked up in an index against the same rules asked one after the other, with
 * random tables and packets: verdicts, rules matched, counters, what packets become, what matches
 * remember. {@code -Dskbwalk.cases=N} draws another number of packets.
 */
class IndexedRulesTest {
  private static final int CASES = Integer.getInteger("skbwalk.cases", 1_000_000);
  private static final int PACKETS = 500;
  private static final Hook[] HOOKS = {Hook.PRE_ROUTING, Hook.FORWARD, Hook.POST_ROUTING};

  private static final NetDevice[] DEVICES = {
    new NetDevice("eth0", 2, 0x020000000001L, 1500, 1),
    new NetDevice("eth1", 3, 0x020000000101L, 1500, 1),
    new NetDevice("ppp0", 9, 0x020000000201L, 1500, 1),
    new NetDevice("lo", 1, 0, 1500, NetDevice.IFF_LOOPBACK)
  };

  /** One of the two machines. */
  private static final class Side implements VerdictRecorder {
    final Net net = new Net(1_000_000_000_000L, 1);
    final Conntrack conntrack = new Conntrack(net, new Netfilter(net));
    final IpSets sets = new IpSets(net);
    final int ct = conntrack.allocateTemplate(0, 0, false);
    final SkBuff skb = net.skbs.allocate(64, 256);
    final List<Rule> matched = new ArrayList<>();
    final CompiledTable table;
    Rule decided;

    Side(RuleSet rules, int few) {
      new IpsetSaveFile("sets", RandomTable.SETS).into(sets);
      Environment environment = new Environment(net, null, conntrack, null, null, sets);
      table = new CompiledTable(rules.tables().iterator().next(), environment, few);
      table.record(this);
    }

    @Override
    public void matched(SkBuff skb, Hook hook, RuleReference rule) {
      matched.add(rule.rule());
    }

    @Override
    public void decided(SkBuff skb, Hook hook, RuleReference rule, int verdict) {
      decided = rule == null ? null : rule.rule();
    }

    int judge(byte[] packet, int mark, int state, Hook hook, NetDevice in, NetDevice out) {
      System.arraycopy(packet, 0, skb.head, 64, packet.length);
      skb.data = 64;
      skb.tail = 64 + packet.length;
      skb.networkHeader = 64;
      skb.mark = mark;
      skb.ct = state >= 2 ? ct : 0;
      skb.ctInfo = (byte) (state >= 2 ? state - 2 : state * ConntrackInfo.IP_CT_UNTRACKED);
      matched.clear();
      return table.evaluate(hook, skb, in, out);
    }

    String counters() {
      return IptablesSavePrinter.print(RuleSet.of(List.of(table.withCounters())), true)
          + IpsetPrinter.save(sets);
    }
  }

  @Test
  void theIndexChangesNothing() {
    Random random = new Random(1);
    int matched = 0;
    for (int table = 0; table < CASES / PACKETS; table++) {
      int few = new int[] {0, 0, 3, 12}[random.nextInt(4)];
      String text = new RandomTable(random).text(random.nextInt(10) == 0 ? 80 : 16);
      matched += agree(text, few, random);
    }
    assertTrue(matched > CASES, "rules do match: " + matched);
  }

  private static int agree(String text, int few, Random random) {
    RuleSet rules = IptablesSaveParser.parse(text, "rules.v4");
    RuleCheck.check(rules);
    Side indexed = new Side(rules, few);
    Side asked = new Side(rules, few);
    asked.table.interpret(true);
    int matched = 0;
    for (int number = 0; number < PACKETS; number++) {
      byte[] packet = packet(random);
      int mark = random.nextInt(3) == 0 ? random.nextInt(0x20) : 0;
      int state = random.nextInt(7);
      int status = random.nextBoolean() ? ConntrackStatus.IPS_DST_NAT : 0;
      Hook hook = HOOKS[random.nextInt(HOOKS.length)];
      NetDevice in = hook == Hook.POST_ROUTING ? null : DEVICES[random.nextInt(DEVICES.length)];
      NetDevice out = hook == Hook.PRE_ROUTING ? null : DEVICES[random.nextInt(DEVICES.length)];
      if (random.nextInt(100) == 0) {
        indexed.conntrack.addStatus(indexed.ct, status);
        asked.conntrack.addStatus(asked.ct, status);
      }
      int wanted = asked.judge(packet, mark, state, hook, in, out);
      int verdict = indexed.judge(packet, mark, state, hook, in, out);
      if (wanted != verdict
          || asked.decided != indexed.decided
          || !same(asked.matched, indexed.matched)
          || asked.skb.mark != indexed.skb.mark
          || asked.conntrack.mark(asked.ct) != indexed.conntrack.mark(indexed.ct)
          || !Arrays.equals(asked.skb.head, indexed.skb.head)) {
        assertEquals(
            describe(asked, wanted, packet, text), describe(indexed, verdict, packet, text));
      }
      matched += asked.matched.size();
    }
    assertEquals(asked.counters(), indexed.counters(), text);
    return matched;
  }

  /** Rules are the same objects in both tables. */
  private static boolean same(List<Rule> some, List<Rule> others) {
    boolean same = some.size() == others.size();
    for (int i = 0; same && i < some.size(); i++) {
      same = some.get(i) == others.get(i);
    }
    return same;
  }

  private static String describe(Side side, int verdict, byte[] packet, String table) {
    StringBuilder text = new StringBuilder(table).append(Arrays.toString(packet));
    text.append("\nverdict ").append(verdict).append(" mark ").append(side.skb.mark);
    for (Rule rule : side.matched) {
      text.append("\n  ").append(rule.at()).append(' ').append(rule.save());
    }
    return text.append("\ndecided by ").append(side.decided).append('\n').toString();
  }

  /** An IP packet: fragments, IP and TCP options, truncated headers among them. */
  private static byte[] packet(Random random) {
    int options = random.nextInt(8) == 0 ? 4 : 0;
    int protocol = new int[] {6, 6, 6, 17, 17, 1, 132, 33, 136, 47}[random.nextInt(10)];
    int transport = random.nextInt(10) == 0 ? random.nextInt(24) : 20 + random.nextInt(20);
    byte[] packet = new byte[20 + options + transport];
    packet[0] = (byte) (0x45 + options / 4);
    packet[IpHeader.TOS_OFFSET] = (byte) (random.nextInt(3) == 0 ? random.nextInt(64) : 0);
    packet[IpHeader.TOTAL_LENGTH_OFFSET + 1] = (byte) packet.length;
    if (random.nextInt(12) == 0) {
      packet[IpHeader.FRAGMENT_OFFSET] = (byte) (IpHeader.IP_MF >>> 8);
      packet[IpHeader.FRAGMENT_OFFSET + 1] = (byte) random.nextInt(4);
    }
    packet[IpHeader.TTL_OFFSET] = (byte) (random.nextBoolean() ? 64 : random.nextInt(256));
    packet[IpHeader.PROTOCOL_OFFSET] = (byte) protocol;
    address(packet, IpHeader.SOURCE_OFFSET, random);
    address(packet, IpHeader.DESTINATION_OFFSET, random);
    byte[] header = new byte[40];
    random.nextBytes(header);
    header[0] = 0;
    header[1] = (byte) (20 + random.nextInt(8));
    header[2] = 0;
    header[3] = (byte) (20 + random.nextInt(8));
    if (protocol == IpHeader.IPPROTO_TCP) {
      header[TcpHeader.DATA_OFFSET] = (byte) (random.nextInt(3) == 0 ? random.nextInt(256) : 0x50);
    } else if (protocol == IpHeader.IPPROTO_ICMP) {
      header[0] = (byte) new int[] {8, 3, 0}[random.nextInt(3)];
      header[1] = (byte) random.nextInt(2);
    }
    System.arraycopy(header, 0, packet, 20 + options, transport);
    return packet;
  }

  private static void address(byte[] packet, int at, Random random) {
    packet[at] = (byte) (random.nextInt(20) == 0 ? random.nextInt(256) : 10);
    packet[at + 1] = (byte) (1 + random.nextInt(3));
    packet[at + 2] = (byte) random.nextInt(3);
    packet[at + 3] = (byte) random.nextInt(3);
  }
}
