// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * What connections' packets met at the hooks is remembered, and candidates are looked up in an
 * index: random scenarios end just as with every packet judged by rule after rule. The kernel is
 * not asked, so there can be many.
 */
class RandomFlowsTest {
  private static final long SEEDS = Long.getLong("skbwalk.flows.seeds", 3_000);
  private static final long FROM = Long.getLong("skbwalk.flows.from", 1L << 32);

  /** Of random rules most ask for what differs from packet to packet; of these, few. */
  private static final String STEADY =
      """
      *raw
      :PREROUTING ACCEPT [0:0]
      :OUTPUT ACCEPT [0:0]
      -A PREROUTING -s 10.0.0.0/8 -i eth0 -j DROP
      -A PREROUTING -p udp -m multiport --dports 53,5000
      COMMIT
      *mangle
      :PREROUTING ACCEPT [0:0]
      :INPUT ACCEPT [0:0]
      :FORWARD ACCEPT [0:0]
      :OUTPUT ACCEPT [0:0]
      :POSTROUTING ACCEPT [0:0]
      -A PREROUTING -j CONNMARK --restore-mark
      -A PREROUTING -m mark --mark 0x0 -i eth1 -j MARK --set-mark 0x7
      -A PREROUTING -m mark --mark 0x7 -p tcp -j CONNMARK --save-mark
      -A FORWARD -p tcp -m tcp --tcp-flags PSH PSH
      -A FORWARD -m tos --tos 0x10/0x3f
      -A POSTROUTING -m mark --mark 0x7 -j MARK --or-mark 0x100
      COMMIT
      *nat
      :PREROUTING ACCEPT [0:0]
      :INPUT ACCEPT [0:0]
      :OUTPUT ACCEPT [0:0]
      :POSTROUTING ACCEPT [0:0]
      -A PREROUTING -d 203.0.113.1/32 -i eth0 -p tcp -m multiport --dports 80,443 -j DNAT --to-destination 192.168.7.2
      -A POSTROUTING -s 192.168.7.0/24 -o eth0 -j MASQUERADE
      COMMIT
      *filter
      :INPUT ACCEPT [0:0]
      :FORWARD ACCEPT [0:0]
      :OUTPUT ACCEPT [0:0]
      :some - [0:0]
      -A INPUT -m conntrack --ctstate INVALID -j DROP
      -A INPUT -p tcp -j some
      -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j some
      -A FORWARD -p udp -m length --length 0:100 -j ACCEPT
      -A OUTPUT -m connmark --mark 0x7 -j some
      -A some -s 192.168.7.0/24 -j RETURN
      -A some -p tcp -m tcp --sport 1024:65535
      COMMIT
      """;

  private static Scenario scenario(long seed) {
    Scenario random = RandomScenario.of(seed);
    return seed % 2 == 0
        ? random
        : new Scenario(random.name(), random.host(), STEADY, random.steps());
  }

  @Test
  void nothingShows() {
    long repeated = 0;
    for (long seed = FROM; seed < FROM + SEEDS; seed++) {
      ModelMachine.Pair pair = ModelMachine.runBoth(scenario(seed));
      assertEquals(text(pair.judging()), text(pair.remembering()), "seed " + seed);
      repeated += pair.repeated();
    }
    assertTrue(repeated > SEEDS / 2, "so seldom was anything remembered: " + repeated);
    System.out.println(
        SEEDS + " random scenarios: " + repeated + " times a hook was passed by what was known");
  }

  private static String text(Outcome outcome) {
    StringBuilder text = new StringBuilder();
    for (Outcome.StepOutcome step : outcome.steps()) {
      for (Outcome.Sent sent : step.sent()) {
        text.append(sent.device()).append(' ');
        text.append(HexFormat.of().formatHex(sent.frame())).append('\n');
      }
      text.append(step.drops()).append(step.logs()).append('\n');
    }
    for (List<String> lines :
        List.of(
            outcome.counters(),
            outcome.conntrack(),
            outcome.sockets(),
            outcome.events(),
            outcome.expectations(),
            outcome.accounting(),
            outcome.ipsets())) {
      text.append(String.join("\n", lines)).append('\n');
    }
    return text.toString();
  }
}
