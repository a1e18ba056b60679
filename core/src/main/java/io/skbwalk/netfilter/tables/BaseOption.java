// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Plays original_opts of iptables: an option of iptables itself, which comes before those of every
 * match and target.
 *
 * @param letter what stands behind one dash; {@code '0'} for --line-numbers, which has none
 * @param argument does a value follow? Perhaps means: only attached to it
 * @param names behind two dashes
 */
record BaseOption(char letter, Argument argument, List<String> names) {
  /** Does a value follow? */
  enum Argument {
    NONE,
    NEEDED,
    ATTACHED
  }

  /** What a rule asks without {@code -m}, what is done with it, and its counters. */
  static final List<OptionSpec> OF_RULES =
      List.of(
          OptionSpec.value("source", "src")
              .inverted()
              .about("Source address or network; a list makes one rule each.", "192.0.2.0/24"),
          OptionSpec.value("destination", "dst")
              .inverted()
              .about("Destination address or network; a list makes one rule each.", "192.0.2.1"),
          OptionSpec.value("in-interface")
              .inverted()
              .about(
                  "The interface that it came in by; a trailing + stands for any rest.",
                  "eth0",
                  "eth+"),
          OptionSpec.value("out-interface")
              .inverted()
              .about("The interface that it will leave by.", "eth0"),
          OptionSpec.value("protocol")
              .inverted()
              .about("A protocol's name or number.", "tcp", "udp", "icmp"),
          OptionSpec.flag("fragments")
              .inverted()
              .about("Later fragments only; {not: true} for first fragments and whole packets."),
          OptionSpec.value("match")
              .about("Matches, by name; a list to have one several times or in a certain order."),
          OptionSpec.value("jump")
              .about(
                  "What happens to a packet that matches: a target, a user chain, or {TARGET: {options}}."),
          OptionSpec.value("goto")
              .about("A user chain, from which RETURN does not come back here."),
          OptionSpec.pair("packets", "bytes", "set-counters")
              .about("Packets and bytes counted so far."));

  private static final List<BaseOption> ALL =
      List.of(
          of('A', Argument.NEEDED, "append"),
          of('D', Argument.NEEDED, "delete"),
          of('C', Argument.NEEDED, "check"),
          of('I', Argument.NEEDED, "insert"),
          of('R', Argument.NEEDED, "replace"),
          of('L', Argument.ATTACHED, "list"),
          of('S', Argument.ATTACHED, "list-rules"),
          of('F', Argument.ATTACHED, "flush"),
          of('Z', Argument.ATTACHED, "zero"),
          of('N', Argument.NEEDED, "new-chain"),
          of('X', Argument.ATTACHED, "delete-chain"),
          of('E', Argument.NEEDED, "rename-chain"),
          of('P', Argument.NEEDED, "policy"),
          of('s', Argument.NEEDED, "source", "src"),
          of('d', Argument.NEEDED, "destination", "dst"),
          of('p', Argument.NEEDED, "protocol"),
          of('i', Argument.NEEDED, "in-interface"),
          of('o', Argument.NEEDED, "out-interface"),
          of('j', Argument.NEEDED, "jump"),
          of('g', Argument.NEEDED, "goto"),
          of('m', Argument.NEEDED, "match"),
          of('c', Argument.NEEDED, "set-counters"),
          of('f', Argument.NONE, "fragments"),
          of('t', Argument.NEEDED, "table"),
          of('n', Argument.NONE, "numeric"),
          of('v', Argument.NONE, "verbose"),
          of('x', Argument.NONE, "exact"),
          of('0', Argument.NONE, "line-numbers"),
          of('w', Argument.ATTACHED, "wait"),
          of('W', Argument.ATTACHED, "wait-interval"),
          of('M', Argument.NEEDED, "modprobe"),
          of('V', Argument.NONE, "version"),
          of('h', Argument.ATTACHED, "help"),
          of('4', Argument.NONE, "ipv4"),
          of('6', Argument.NONE, "ipv6"));

  private static final Map<String, OptionSpec> SPECS =
      OF_RULES.stream()
          .collect(java.util.stream.Collectors.toUnmodifiableMap(OptionSpec::name, one -> one));

  private static BaseOption of(char letter, Argument argument, String... names) {
    return new BaseOption(letter, argument, List.of(names));
  }

  /** The option with that letter, or null. */
  static BaseOption of(char letter) {
    for (BaseOption one : ALL) {
      if (one.letter == letter && letter != '0') {
        return one;
      }
    }
    return null;
  }

  /** The option with that long name, or null. */
  static BaseOption of(String longName) {
    for (BaseOption one : ALL) {
      if (one.names.contains(longName)) {
        return one;
      }
    }
    return null;
  }

  /** The options of which a long name begins so. */
  static List<BaseOption> beginningWith(String start) {
    List<BaseOption> found = new ArrayList<>();
    for (BaseOption one : ALL) {
      if (one.names.stream().anyMatch(name -> name.startsWith(start))) {
        found.add(one);
      }
    }
    return found;
  }

  /** How a rule keeps it; null for commands and what only concerns the program. */
  OptionSpec spec() {
    return SPECS.get(names.get(0));
  }

  /** Is it one of the commands, such as {@code -A}? */
  boolean isCommand() {
    return "ADCIRLSFZNXEP".indexOf(letter) >= 0;
  }
}
