// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Rule sets drawn at random, as iptables-save text that iptables accepts. */
final class RandomRules extends Draws {
  private static final Map<String, String[]> CHAINS = new LinkedHashMap<>();

  static {
    CHAINS.put("raw", new String[] {"PREROUTING", "OUTPUT"});
    CHAINS.put("mangle", new String[] {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"});
    CHAINS.put("nat", new String[] {"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"});
    CHAINS.put("filter", new String[] {"INPUT", "FORWARD", "OUTPUT"});
    CHAINS.put("security", new String[] {"INPUT", "FORWARD", "OUTPUT"});
  }

  private static final String[] OTHER_PROTOCOLS = {"sctp", "dccp", "ah", "esp", "ipcomp"};

  private final RandomSets sets;
  private final RandomMatches matches;
  private final RandomTargets targets;

  RandomRules(Random random, RandomSets sets, RandomScenario.Pace pace) {
    super(random);
    this.sets = sets;
    matches = new RandomMatches(random, sets, pace);
    targets = new RandomTargets(random, sets);
  }

  /** The text, empty when the draw is that there are no rules. */
  String text() {
    if (oneIn(15)) {
      return "";
    }
    StringBuilder text = new StringBuilder();
    for (Map.Entry<String, String[]> entry : CHAINS.entrySet()) {
      String table = entry.getKey();
      boolean used =
          switch (table) {
            case "filter" -> !oneIn(5);
            case "nat" -> oneIn(2);
            case "security" -> oneIn(8);
            default -> oneIn(3);
          };
      if (used) {
        table(text, table, entry.getValue());
      }
    }
    return comparable(text.toString());
  }

  /**
   * Without what cannot be compared: a copy that TEE made has no link-layer header, and Linux logs
   * what happens to lie in memory there when it is sent, and looks for it in sets.
   */
  private String comparable(String rules) {
    if (sets.haveEthernetAddresses() && rules.contains("-set ")) {
      return rules.replaceAll("(?m)^.* -j TEE .*\n", "");
    }
    return rules.contains(" -j TEE ")
        ? rules.replaceAll("(?m)^-A (POSTROUTING|user\\d+) .*-j LOG .*\n|^.*-j TRACE\n", "")
        : rules;
  }

  private void table(StringBuilder text, String table, String[] builtIn) {
    text.append('*').append(table).append('\n');
    for (String chain : builtIn) {
      boolean drop = oneIn(table.equals("filter") ? 4 : 40);
      text.append(':').append(chain).append(drop ? " DROP" : " ACCEPT").append(" [0:0]\n");
    }
    List<String> users = new ArrayList<>();
    int count = random.nextInt(oneIn(4) ? 5 : 3);
    for (int i = 0; i < count; i++) {
      users.add("user" + i);
      text.append(":user").append(i).append(" - [0:0]\n");
    }
    for (String chain : builtIn) {
      int rules = random.nextInt(table.equals("filter") ? 7 : 4);
      for (int i = 0; i < rules; i++) {
        rule(text, table, chain, chain, users);
      }
    }
    for (int i = 0; i < count; i++) {
      // A user chain jumps only to later ones, so there is no loop; it may be reached from any
      // hook.
      int rules = random.nextInt(5);
      for (int j = 0; j < rules; j++) {
        rule(text, table, "user" + i, "", users.subList(i + 1, count));
      }
    }
    text.append("COMMIT\n");
  }

  private void rule(
      StringBuilder text, String table, String chain, String hook, List<String> users) {
    StringBuilder rule = new StringBuilder("-A ").append(chain);
    String target = targets.target(table, hook, users);
    String protocol = null;
    if (target.startsWith("@")) {
      protocol = target.substring(1, target.indexOf(' '));
      target = target.substring(target.indexOf(' '));
    } else if (oneIn(2)) {
      protocol = oneIn(6) ? pick(OTHER_PROTOCOLS) : pick("tcp", "udp", "icmp", "tcp", "udp");
    }
    basic(rule, hook);
    if (protocol != null) {
      rule.append(" -p ").append(protocol);
      if (oneIn(2) && !target.contains(" --dport") && !target.contains(" --tcp-flags")) {
        rule.append(matches.transport(protocol));
      }
    } else if (oneIn(12)) {
      rule.append(pick(" ! -p tcp", " -p 47", " ! -p icmp"));
    }
    int more = oneIn(2) ? 0 : 1 + random.nextInt(2);
    for (int i = 0; i < more; i++) {
      rule.append(matches.match(table, hook, protocol));
    }
    rule.append(target);
    text.append(rule).append('\n');
    matches.rateIsEstimated |= target.equals(RandomTargets.ESTIMATOR);
  }

  private void basic(StringBuilder rule, String hook) {
    if (oneIn(4)) {
      rule.append(oneIn(4) ? " !" : "")
          .append(" -s ")
          .append(
              pick(
                  "192.168.7.0/24",
                  "203.0.113.9/32",
                  "198.51.100.0/24",
                  "203.0.113.1/32",
                  "192.168.7.2/255.255.255.254",
                  "192.0.0.2/255.0.0.255"));
    }
    if (oneIn(4)) {
      rule.append(oneIn(4) ? " !" : "")
          .append(" -d ")
          .append(
              pick(
                  "192.168.7.0/24",
                  "203.0.113.1/32",
                  "198.51.100.0/24",
                  "192.168.7.80/32",
                  "224.0.0.0/4",
                  "203.0.113.0/24"));
    }
    boolean in = !hook.equals("OUTPUT") && !hook.equals("POSTROUTING");
    boolean out = !hook.equals("INPUT") && !hook.equals("PREROUTING");
    if (in && oneIn(5)) {
      rule.append(oneIn(4) ? " !" : "").append(" -i ").append(pick("eth0", "eth1", "eth+", "lo"));
    }
    if (out && oneIn(5)) {
      rule.append(oneIn(4) ? " !" : "").append(" -o ").append(pick("eth0", "eth1", "eth+", "lo"));
    }
    if (oneIn(20)) {
      rule.append(oneIn(2) ? " -f" : " ! -f");
    }
  }
}
