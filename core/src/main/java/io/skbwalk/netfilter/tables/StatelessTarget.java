// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

/** A target that remembers nothing between packets, so the rule's own object acts. */
public interface StatelessTarget extends Target, PacketTarget {
  @Override
  default PacketTarget bind(Environment environment) {
    return this;
  }
}
