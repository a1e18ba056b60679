// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.index;

import io.skbwalk.device.NetDevice;
import io.skbwalk.netfilter.tables.InterfacePattern;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The rules that each interface leaves, as bitmaps; made when a packet first meets it, since only
 * then its name is known.
 */
final class DeviceFilter {
  private record Asked(InterfacePattern pattern, boolean inverted) {
    // The JVM makes a record's own at run time, which takes longer than to read all rules.

    @Override
    public boolean equals(Object object) {
      return object instanceof Asked other
          && pattern.equals(other.pattern)
          && inverted == other.inverted;
    }

    @Override
    public int hashCode() {
      return 2 * pattern.hashCode() + (inverted ? 1 : 0);
    }
  }

  private final Map<Asked, List<Integer>> asked = new LinkedHashMap<>();
  private final Map<BitSet, long[]> classes = new HashMap<>();
  private final int size;
  private long[] none;
  private long[][] byIndex = new long[8][];

  /** Of a table of {@code size} rules. */
  DeviceFilter(int size) {
    this.size = size;
  }

  void add(int rule, InterfacePattern pattern, boolean inverted) {
    asked.computeIfAbsent(new Asked(pattern, inverted), made -> new ArrayList<>()).add(rule);
  }

  boolean asksNothing() {
    return asked.isEmpty();
  }

  /** The rules left, a bitmap; {@code null} for no interface. */
  long[] of(NetDevice device) {
    if (device == null) {
      if (none == null) {
        none = make(null);
      }
      return none;
    }
    int index = device.ifindex;
    if (index >= byIndex.length) {
      byIndex = Arrays.copyOf(byIndex, index + 8);
    }
    long[] left = byIndex[index];
    if (left == null) {
      left = make(device);
      byIndex[index] = left;
    }
    return left;
  }

  private long[] make(NetDevice device) {
    BitSet refusing = new BitSet();
    int number = 0;
    for (Asked one : asked.keySet()) {
      refusing.set(number++, one.pattern.matches(device) == one.inverted);
    }
    return classes.computeIfAbsent(
        refusing, made -> ClassFilter.without(made, asked.values(), size));
  }
}
