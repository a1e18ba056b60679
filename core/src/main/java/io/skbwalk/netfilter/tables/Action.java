// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

/** What a rule does with the packets that it matches. */
public sealed interface Action {
  /** No {@code -j}: it only counts. */
  record Nothing() implements Action {}

  /** A verdict of x_tables itself. */
  enum Standard implements Action {
    /** NF_ACCEPT. */
    ACCEPT,
    /** NF_DROP. */
    DROP,
    /** NF_QUEUE to queue 0. */
    QUEUE,
    /** Back to the caller, or to the policy. */
    RETURN;

    private static final Standard[] ALL = values();

    /** The verdict called {@code name}, or null. */
    public static Standard of(String name) {
      for (Standard one : ALL) {
        if (one.name().equals(name)) {
          return one;
        }
      }
      return null;
    }
  }

  /** {@code -j CHAIN} or, {@code goTo}, {@code -g CHAIN}. */
  record ToChain(String chain, boolean goTo) implements Action {}

  /** {@code -j TARGET} of an extension. */
  record Extension(Target target) implements Action {}

  /** The name behind {@code -j} or {@code -g}; empty for {@link Nothing}. */
  default String label() {
    if (this instanceof ToChain to) {
      return to.chain;
    }
    if (this instanceof Extension extension) {
      return extension.target.type().name;
    }
    return this instanceof Standard standard ? standard.name() : "";
  }
}
