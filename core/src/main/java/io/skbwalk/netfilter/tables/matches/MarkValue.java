// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.index.Conditions;
import io.skbwalk.netfilter.tables.index.PacketKey;

/** The {@code --mark VALUE[/MASK]} of the mark and connmark matches. */
public record MarkValue(int value, int mask, boolean inverted) {
  static MarkValue parse(Options options) {
    long mark = options.valueAndMask("mark");
    return new MarkValue((int) (mark >>> 32), (int) mark, options.inverted("mark"));
  }

  void save(StringBuilder out) {
    out.append(inverted ? " ! --mark 0x" : " --mark 0x").append(Integer.toHexString(value));
    if (mask != -1) {
      out.append("/0x").append(Integer.toHexString(mask));
    }
  }

  void ask(PacketKey key, Conditions conditions) {
    conditions.masked(key, value, mask, inverted);
  }

  boolean matches(int mark) {
    return ((mark & mask) == value) != inverted;
  }
}
