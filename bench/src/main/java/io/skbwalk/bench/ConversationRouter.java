// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench;

import io.skbwalk.host.Host;
import io.skbwalk.host.HostDescription;
import io.skbwalk.language.HostFile;
import io.skbwalk.language.RulesFile;
import io.skbwalk.netfilter.tables.RuleSet;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** The router of bench/conversations, through which {@link ConversationCapture}'s frames go. */
public final class ConversationRouter {
  /** When the conversations begin, nanoseconds since the epoch. */
  public static final long START = 1_767_225_600_000_000_000L;

  private ConversationRouter() {}

  /** The router, with its thirty rules or without any. */
  public static Host host(boolean withRules) {
    return host(withRules ? rules() : null);
  }

  /** The router with other rules, or null for none. */
  public static Host host(RuleSet rules) {
    return new Host(description(), rules, START, 1);
  }

  /** What host.yaml says. */
  public static HostDescription description() {
    return HostFile.parse("host.yaml", text("host.yaml")).description();
  }

  /** The thirty rules. */
  public static RuleSet rules() {
    return RulesFile.parse("rules.v4", rulesText());
  }

  /** The thirty rules as iptables-restore reads them. */
  public static String rulesText() {
    return text("rules.v4");
  }

  private static String text(String name) {
    try (InputStream in = ConversationRouter.class.getResourceAsStream(name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
