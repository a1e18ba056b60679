// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.lib.SourceException;
import java.util.List;

/** Plays struct xtables_target: a kind of target, its options and where it is allowed. */
public abstract class TargetType {
  /** The name behind {@code -j}. */
  public final String name;

  /** One sentence for people: what it does. */
  public final String about;

  /** Its options. */
  public final List<OptionSpec> options;

  /** A target. */
  protected TargetType(String name, String about, OptionSpec... options) {
    this.name = name;
    this.about = about;
    this.options = List.of(options);
  }

  /**
   * Reads the options.
   *
   * @param protocol the rule's protocol, inverted or not; 0 when it names none
   * @throws SourceException when a value is wrong
   */
  public abstract Target parse(Options options, int protocol);

  @Override
  public final String toString() {
    return name;
  }
}
