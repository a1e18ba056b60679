// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.skbwalk.device.NetDevice;
import io.skbwalk.language.IptablesSaveParser;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.SourceException;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.Netfilter;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.SkBuff;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rules replaced while a machine runs: what survives and what begins anew, as asked of Linux. */
class ReplacedRulesTest {
  private static final NetDevice ETH0 = new NetDevice("eth0", 2, 0x020000000001L, 1500, 1);
  private static final String SAME = "same";

  private final Net net = new Net(1_000_000_000_000L, 1);
  private final Netfilter netfilter = new Netfilter(net);
  private final IptTables tables =
      new IptTables(
          RuleSet.EMPTY,
          new Environment(net, null, new Conntrack(net, netfilter), null, (time, l, line) -> {}));

  private void restore(String rules) {
    StringBuilder file = new StringBuilder("*filter\n");
    for (String rule : rules.split("; ")) {
      file.append("-A OUTPUT ").append(rule).append('\n');
    }
    tables.replace(IptablesSaveParser.parse(file + "COMMIT\n", "rules.v4"));
    tables.register(netfilter);
  }

  /** A UDP packet of 42 bytes: was it accepted? */
  private boolean passes() {
    SkBuff skb = net.skbs.allocate(64, 256);
    skb.networkHeader = skb.put(42);
    java.util.Arrays.fill(skb.head, skb.data, skb.tail, (byte) 0);
    skb.setU8(skb.networkHeader, 0x45);
    skb.setU16(skb.networkHeader + IpHeader.TOTAL_LENGTH_OFFSET, 42);
    skb.setU8(skb.networkHeader + IpHeader.TTL_OFFSET, 64);
    skb.setU8(skb.networkHeader + IpHeader.PROTOCOL_OFFSET, IpHeader.IPPROTO_UDP);
    skb.setU32(skb.networkHeader + IpHeader.SOURCE_OFFSET, Ip4.parse("127.0.0.1"));
    skb.setU32(skb.networkHeader + IpHeader.DESTINATION_OFFSET, Ip4.parse("127.0.0.1"));
    boolean[] passed = {false};
    netfilter.hook(
        Hook.LOCAL_OUT,
        skb,
        null,
        ETH0,
        one -> {
          passed[0] = true;
          net.skbs.consume(one);
        });
    return passed[0];
  }

  private String passes(int packets) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < packets; i++) {
      out.append(passes() ? "ok " : "drop ");
    }
    return out.toString().strip();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        // Each rule has a bucket of its own, and the same rule written again is another rule.
        "-m limit --limit 1/hour --limit-burst 1 -j ACCEPT; -j DROP | ok drop | same | ok drop",
        "-m quota --quota 84 -j ACCEPT; -j DROP | ok ok drop | same | ok ok drop",
        "-m statistic --mode nth --every 3 --packet 0 -j DROP | drop ok | same | drop ok",
        // Tables and lists are shared by name, and the new rules have hold of them in time.
        "-m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 1 --hashlimit-name a -j ACCEPT;"
            + " -j DROP | ok drop | same | drop drop",
        "-m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 1 --hashlimit-name a -j ACCEPT;"
            + " -j DROP | ok drop | -m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 4"
            + " --hashlimit-name a -j ACCEPT; -j DROP | drop drop",
        "-m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 1 --hashlimit-name a -j ACCEPT;"
            + " -j DROP | ok drop | -m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 1"
            + " --hashlimit-name b -j ACCEPT; -j DROP | ok drop",
        "-m recent --name a --rcheck -j DROP; -m recent --name a --set | ok drop | same | drop"
            + " drop",
        // A list that must remember more stamps forgets what it has.
        "-m recent --name a --rcheck -j DROP; -m recent --name a --set | ok drop | -m recent"
            + " --name a --rcheck --hitcount 64 -j DROP; -m recent --name a --set | ok ok",
        "-m nfacct --nfacct-name a -j DROP | drop | same | drop",
      })
  void whatRulesRemember(String before, String passed, String after, String passedThen) {
    restore(before);
    assertEquals(passed, passes(passed.split(" ").length));
    restore(after.equals(SAME) ? before : after);
    assertEquals(passedThen, passes(passedThen.split(" ").length));
  }

  @Test
  void whatNoRuleHoldsIsForgotten() {
    String rules =
        "-m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 1 --hashlimit-name a -j ACCEPT; -j"
            + " DROP";
    restore(rules);
    assertEquals("ok drop", passes(2));
    restore("-p tcp -j ACCEPT");
    restore(rules);
    assertEquals("ok drop", passes(2));
  }

  @Test
  void anotherTableLeavesThisOneAlone() {
    restore("-m limit --limit 1/hour --limit-burst 1 -j ACCEPT; -j DROP");
    assertEquals("ok drop", passes(2));
    tables.replace(IptablesSaveParser.parse("*mangle\n-A INPUT -j ACCEPT\nCOMMIT\n", "mangle.v4"));
    tables.register(netfilter);
    assertEquals("drop", passes(1));
  }

  @Test
  void aRefusedTableStaysAsItWas() {
    restore("-m hashlimit --hashlimit-upto 1/hour --hashlimit-name a -j ACCEPT; -j DROP");
    String refused =
        "-m hashlimit --hashlimit-upto 1/hour --hashlimit-name a -j DROP; -m rateest --rateest x"
            + " --rateest-lt --rateest-pps 1 -j DROP";
    SourceException problem = assertThrows(SourceException.class, () -> restore(refused));
    assertEquals(
        "rules.v4:3:1: rateest: there is no estimator \"x\": no rule before this one has -j RATEEST"
            + " for it",
        problem.getMessage());
    assertEquals("ok", passes(1));
    // The refused rules have let go again: the table of hashlimit goes with its last rule.
    restore("-p tcp -j ACCEPT");
    restore(
        "-m hashlimit --hashlimit-upto 1/hour --hashlimit-rate-match --hashlimit-name a -j ACCEPT");
    assertEquals("ok", passes(1));
  }

  @Test
  void estimatorsAndTablesSleepWhenNothingIsLeftToDo() {
    restore(
        "-j RATEEST --rateest-name a --rateest-interval 250ms --rateest-ewmalog 500ms; -m hashlimit"
            + " --hashlimit-upto 1/sec --hashlimit-name b -j ACCEPT; -j DROP");
    assertEquals(Long.MAX_VALUE, net.timers.nextExpiry());
    passes();
    net.timers.advanceTo(net.clock.now() + 60_000_000_000L);
    assertEquals(Long.MAX_VALUE, net.timers.nextExpiry());
  }
}
