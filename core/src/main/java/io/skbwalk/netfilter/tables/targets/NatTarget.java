// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.targets;

import io.skbwalk.netfilter.nat.NatRange;
import io.skbwalk.netfilter.tables.StatelessTarget;

/** What the targets of the nat table have in common: a range, printed behind their first option. */
interface NatTarget extends StatelessTarget {
  /** What to choose from. */
  NatRange range();

  @Override
  default void save(StringBuilder out) {
    NatRangeOptions.save(out, type().options.get(0).name(), range());
  }

  @Override
  default boolean needsConntrack() {
    return true;
  }
}
