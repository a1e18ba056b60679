// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

/** A match that remembers nothing between packets, so the rule's own object evaluates. */
public interface StatelessMatch extends Match, PacketMatch {
  @Override
  default PacketMatch bind(Environment environment) {
    return this;
  }
}
