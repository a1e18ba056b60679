// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.host.Host;
import io.skbwalk.host.HostDescription;
import io.skbwalk.language.IptablesSaveParser;
import io.skbwalk.language.IptablesSavePrinter;
import io.skbwalk.lib.SourcePosition;
import io.skbwalk.netfilter.tables.RuleSet;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/**
 * A rule as somebody types it, of which is asked only whether it is taken and how it is printed.
 *
 * @param rule as it is typed, without chain
 * @param rules with all that is around it, for iptables-restore
 * @param named what it names
 * @param at where it is written
 */
record TypedRule(String rule, String rules, Scenario.NamedObjects named, SourcePosition at) {
  private static final HostDescription HOST =
      new HostDescription(
          "host", List.of(), List.of(), List.of(), List.of(), false, Map.of(), List.of());

  /** Why this project refuses it; null when it does not. */
  String refusal() {
    try {
      loaded();
      return null;
    } catch (io.skbwalk.lib.SourceException | io.skbwalk.host.HostException e) {
      return e.getMessage();
    }
  }

  private RuleSet loaded() {
    RuleSet parsed = IptablesSaveParser.parse(rules, "rules");
    new Host(named.on(HOST), parsed, 0, 1);
    return parsed;
  }

  /** What is wrong when both sides should refuse it; null when they do. */
  String notRefused() throws IOException {
    String kernel = null;
    try {
      kernel = KernelMachine.saved(named, rules);
    } catch (IOException e) {
      // That is what is asked for.
    }
    String model = refusal();
    if (kernel == null && model != null) {
      return null;
    }
    return "kernel "
        + (kernel == null ? "refuses it" : "takes it:\n" + kernel)
        + "\nmodel  "
        + (model == null ? "takes it" : "refuses it: " + model);
  }

  /** What is wrong when both sides should print it alike; null when they do. */
  String notPrintedAlike() throws IOException {
    String kernel;
    try {
      kernel = KernelMachine.saved(named, rules);
    } catch (IOException e) {
      return "the kernel refuses it: " + e.getMessage();
    }
    String model;
    try {
      model = IptablesSavePrinter.print(loaded(), false);
    } catch (io.skbwalk.lib.SourceException | io.skbwalk.host.HostException e) {
      return "the kernel prints\n" + kernel + "the model refuses it: " + e.getMessage();
    }
    return kernel.equals(model) ? null : "kernel\n" + kernel + "model\n" + model;
  }
}
