// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.tables.Options;

/**
 * Plays xtables_parse_val_mask and xtables_print_val_mask: {@code VALUE[/MASK]}, or a name from a
 * file of iproute2. The only names there by themselves are those of 0.
 *
 * @param zero the name of 0
 */
public record NamedValue(String option, String zero, int value, int mask, boolean inverted) {
  /** Null when the option was not given. */
  static NamedValue parse(Options options, String option, String zero) {
    if (!options.has(option)) {
      return null;
    }
    boolean named = options.text(option).equals(zero);
    long value = named ? 0xFFFFFFFFL : options.valueAndMask(option);
    return new NamedValue(
        option, zero, (int) (value >>> 32), (int) value, options.inverted(option));
  }

  void save(StringBuilder out) {
    out.append(inverted ? " ! --" : " --").append(option).append(' ');
    if (value == 0 && mask == -1) {
      out.append(zero);
      return;
    }
    out.append("0x").append(Integer.toHexString(value));
    if (mask != -1) {
      out.append("/0x").append(Integer.toHexString(mask));
    }
  }
}
