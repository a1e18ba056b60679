// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.netfilter.tables.matches.*;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The matches and targets that there are; to add one, write its class and name it here. */
public final class Extensions {
  private static final Map<String, MatchType> MATCHES = new LinkedHashMap<>();
  private static final Map<String, TargetType> TARGETS = new LinkedHashMap<>();

  static {
    List<MatchType> matches =
        List.of(
            CommentMatch.TYPE,
            IcmpMatch.TYPE,
            MarkMatch.TYPE,
            MultiportMatch.TYPE,
            TcpMatch.TYPE,
            UdpMatch.TYPE);
    List<TargetType> targets = List.of();
    matches.forEach(type -> MATCHES.put(type.name, type));
    targets.forEach(type -> TARGETS.put(type.name, type));
  }

  private Extensions() {}

  /** The match behind {@code -m name}, or null. */
  public static MatchType match(String name) {
    return MATCHES.get(name);
  }

  /** The target behind {@code -j name}, or null. */
  public static TargetType target(String name) {
    return TARGETS.get(name);
  }

  /** The names of all matches, in alphabetical order. */
  public static List<String> matchNames() {
    return MATCHES.keySet().stream().sorted().toList();
  }

  /** The names of all targets, in alphabetical order. */
  public static List<String> targetNames() {
    return TARGETS.keySet().stream().sorted().toList();
  }

  /**
   * The match that {@code -p protocol} brings in when one of its options is written without {@code
   * -m}, or null.
   */
  public static MatchType matchOfProtocol(int protocol) {
    for (MatchType type : MATCHES.values()) {
      if (type.protocol == protocol && protocol != 0) {
        return type;
      }
    }
    return null;
  }

  /**
   * The matches that have the option {@code longName} (without dashes); those of a protocol last.
   */
  public static List<MatchType> matchesWithOption(String longName) {
    List<MatchType> found = new ArrayList<>();
    for (boolean ofProtocol : new boolean[] {false, true}) {
      for (MatchType type : MATCHES.values()) {
        if ((type.protocol != 0) == ofProtocol
            && type.options.stream().anyMatch(spec -> spec.names().contains(longName))) {
          found.add(type);
        }
      }
    }
    return found;
  }
}
