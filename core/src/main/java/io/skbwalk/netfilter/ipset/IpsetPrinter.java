// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.ipset;

/**
 * Prints the sets of a machine as {@code ipset save} (7.17) does: each set in the order of
 * creation, lists last, the elements of a hash bucket by bucket as the kernel lists them.
 */
public final class IpsetPrinter {
  private IpsetPrinter() {}

  /** All sets with their elements. */
  public static String save(IpSets sets) {
    StringBuilder out = new StringBuilder();
    sets.all().forEach(set -> set.save(out));
    return out.toString();
  }
}
