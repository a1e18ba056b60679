// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.snapshot;

import io.skbwalk.host.HostDescription.PolicyRule;
import io.skbwalk.host.HostDescription.RouteType;
import io.skbwalk.lib.Ip4;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Policy rules, as {@code ip -4 -N -j -d rule} prints them, besides the kernel's own three. */
final class SavedPolicyRules {
  private static final Map<Integer, Integer> KERNELS = Map.of(0, 255, 32_766, 254, 32_767, 253);
  private static final Set<String> KERNELS_KEYS = Set.of("priority", "src", "table", "protocol");
  private static final Set<String> KNOWN =
      Set.of(
          "priority",
          "not",
          "src",
          "srclen",
          "dst",
          "dstlen",
          "fwmark",
          "fwmask",
          "tos",
          "iif",
          "oif",
          "table",
          "action",
          "protocol");

  private final List<PolicyRule> rules = new ArrayList<>();

  SavedPolicyRules(String text, SavedInterfaces interfaces, List<Omission> omissions) {
    Set<Integer> kernels = new java.util.TreeSet<>(KERNELS.keySet());
    for (IpJson rule : IpJson.list(SavedOutput.POLICY_RULES.file, text)) {
      int priority = rule.number("priority", 0);
      int table = SavedRoutes.table(rule.text("table", "0"));
      if (KERNELS.getOrDefault(priority, 0) == table && KERNELS_KEYS.containsAll(keys(rule))) {
        kernels.remove(priority);
        continue;
      }
      String reason = reasonToLeaveOut(rule, priority, table, interfaces);
      if (reason == null) {
        rules.add(rule(rule, priority, table));
      } else {
        omissions.add(new Omission("policy rule " + priority, reason + "; it is left out"));
      }
    }
    for (int missing : kernels) {
      omissions.add(
          new Omission("policy rule " + missing, "the machine does not have it; here it is there"));
    }
  }

  List<PolicyRule> rules() {
    return rules;
  }

  private static Set<String> keys(IpJson rule) {
    return rule.fields().keySet();
  }

  private static String reasonToLeaveOut(
      IpJson rule, int priority, int table, SavedInterfaces interfaces) {
    for (String key : keys(rule)) {
      if (!KNOWN.contains(key)) {
        return "\"" + key + "\" is not modelled";
      }
    }
    if (priority < 1 || priority > 32_765) {
      return "only priorities from 1 to 32765 can be given";
    }
    if (table == -1) {
      return "the number of its table is not known (ip -N)";
    }
    if (rule.has("action") && action(rule) == null) {
      return "\"" + rule.text("action") + "\" is not modelled";
    }
    for (String key : new String[] {"iif", "oif"}) {
      if (rule.has(key) && !interfaces.has(rule.text(key))) {
        return "its interface " + rule.text(key) + " is not there";
      }
    }
    return null;
  }

  private static RouteType action(IpJson rule) {
    return switch (rule.text("action", "1")) {
      case "to_tbl", "1" -> RouteType.UNICAST;
      case "blackhole", "6" -> RouteType.BLACKHOLE;
      case "unreachable", "7" -> RouteType.UNREACHABLE;
      case "prohibit", "8" -> RouteType.PROHIBIT;
      default -> null;
    };
  }

  private static PolicyRule rule(IpJson rule, int priority, int table) {
    boolean marked = rule.has("fwmark") || rule.has("fwmask");
    return new PolicyRule(
        priority,
        address(rule, "src"),
        length(rule, "src"),
        address(rule, "dst"),
        length(rule, "dst"),
        rule.number("fwmark", 0),
        marked ? rule.number("fwmask", -1) : 0,
        rule.number("tos", 0),
        rule.text("iif"),
        rule.text("oif"),
        table,
        action(rule),
        rule.has("not"));
  }

  private static int address(IpJson rule, String key) {
    String text = rule.text(key, "all");
    return text.equals("all") ? 0 : Ip4.parse(text);
  }

  private static int length(IpJson rule, String key) {
    return rule.text(key, "all").equals("all") ? 0 : rule.number(key + "len", 32);
  }
}
