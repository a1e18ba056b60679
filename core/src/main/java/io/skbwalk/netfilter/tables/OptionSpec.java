// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import java.util.List;

/**
 * Plays struct xt_option_entry: one option of a match or target as it is written on the command
 * line, and as a key in YAML.
 *
 * @param names long names without dashes; the first is the one that iptables-save prints
 * @param arguments how many words follow: 0, 1 or 2
 * @param invertible may {@code !} stand before it
 * @param required refused without it
 */
public record OptionSpec(List<String> names, int arguments, boolean invertible, boolean required) {
  /** Copies the list. */
  public OptionSpec {
    names = List.copyOf(names);
  }

  /** An option without a value. */
  public static OptionSpec flag(String... names) {
    return new OptionSpec(List.of(names), 0, false, false);
  }

  /** An option with one value. */
  public static OptionSpec value(String... names) {
    return new OptionSpec(List.of(names), 1, false, false);
  }

  /** An option with two values. */
  public static OptionSpec pair(String... names) {
    return new OptionSpec(List.of(names), 2, false, false);
  }

  /** The same with {@code !} allowed. */
  public OptionSpec inverted() {
    return new OptionSpec(names, arguments, true, required);
  }

  /** The same, required. */
  public OptionSpec needed() {
    return new OptionSpec(names, arguments, invertible, true);
  }

  /** The name by which the code asks for it. */
  public String name() {
    return names.get(0);
  }
}
