// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import java.util.List;

/**
 * Plays struct xt_option_entry: one option of a match or target as it is written on the command
 * line, and as a key in YAML. rules/rules.schema.json and docs/extensions.md are made from it.
 *
 * @param names long names without dashes; the first is the one that iptables-save prints
 * @param arguments how many words follow: 0, 1 or 2
 * @param optional may its one word be left out?
 * @param invertible may {@code !} stand before it
 * @param required refused without it
 * @param halves what the two words are called in YAML when there are two; else empty
 * @param repeatable may it be given several times? (XTOPT_MULTI)
 * @param about one sentence for people: what its value says
 * @param examples values that may be written
 */
public record OptionSpec(
    List<String> names,
    int arguments,
    boolean optional,
    boolean invertible,
    boolean required,
    List<String> halves,
    boolean repeatable,
    String about,
    List<String> examples) {
  /** Copies the lists. */
  public OptionSpec {
    names = List.copyOf(names);
    halves = List.copyOf(halves);
    examples = List.copyOf(examples);
  }

  private static OptionSpec plain(
      int arguments, boolean optional, List<String> halves, String... names) {
    return new OptionSpec(
        List.of(names), arguments, optional, false, false, halves, false, "", List.of());
  }

  /** An option without a value. */
  public static OptionSpec flag(String... names) {
    return plain(0, false, List.of(), names);
  }

  /** An option with one value. */
  public static OptionSpec value(String... names) {
    return plain(1, false, List.of(), names);
  }

  /** An option with one value that may be left out. */
  public static OptionSpec optionalValue(String... names) {
    return plain(1, true, List.of(), names);
  }

  /** An option with two values, which YAML calls {@code first} and {@code second}. */
  public static OptionSpec pair(String first, String second, String... names) {
    return plain(2, false, List.of(first, second), names);
  }

  /** The same with {@code !} allowed. */
  public OptionSpec inverted() {
    return new OptionSpec(
        names, arguments, optional, true, required, halves, repeatable, about, examples);
  }

  /** The same, required. */
  public OptionSpec needed() {
    return new OptionSpec(
        names, arguments, optional, invertible, true, halves, repeatable, about, examples);
  }

  /** The same that may be given several times; {@link Options#given()} has them all. */
  public OptionSpec repeated() {
    return new OptionSpec(
        names, arguments, optional, invertible, required, halves, true, about, examples);
  }

  /** The same with a sentence for people and values that may be written. */
  public OptionSpec about(String text, String... values) {
    return new OptionSpec(
        names,
        arguments,
        optional,
        invertible,
        required,
        halves,
        repeatable,
        text,
        List.of(values));
  }

  /**
   * Does it begin another element, to which the options behind it belong ({@code --next})? In YAML
   * they are its value, a mapping or a list of them.
   */
  public boolean beginsElement() {
    return repeatable && arguments == 0;
  }

  /** The name by which the code asks for it. */
  public String name() {
    return names.get(0);
  }
}
