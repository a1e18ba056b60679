// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.ipset;

/** Plays one run of {@code ipset restore}: commands that fill the sets of a machine at its boot. */
@FunctionalInterface
public interface IpsetRestore {
  /**
   * Does what the commands say, in order.
   *
   * @throws io.skbwalk.lib.SourceException at the first that ipset or the kernel refuses
   */
  void into(IpSets sets);
}
