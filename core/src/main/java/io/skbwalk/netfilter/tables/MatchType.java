// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.lib.SourceException;
import java.util.List;

/** Plays struct xtables_match: a kind of match, its options and where it is allowed. */
public abstract class MatchType {
  /** The name behind {@code -m}. */
  public final String name;

  /** One sentence for people: what it asks or does. */
  public final String about;

  /** Its options. */
  public final List<OptionSpec> options;

  /** The protocol ({@code -p}) without which it is refused, 0 for none. */
  public final int protocol;

  /** A match of any protocol. */
  protected MatchType(String name, String about, OptionSpec... options) {
    this(name, about, 0, options);
  }

  /** A match that needs {@code -p protocol}, whose options bring it in by themselves. */
  protected MatchType(String name, String about, int protocol, OptionSpec... options) {
    this.name = name;
    this.about = about;
    this.protocol = protocol;
    this.options = List.of(options);
  }

  /**
   * Reads the options.
   *
   * @param protocol the rule's protocol, 0 when it names none or inverts it
   * @throws SourceException when a value is wrong
   */
  public abstract Match parse(Options options, int protocol);

  @Override
  public final String toString() {
    return name;
  }
}
