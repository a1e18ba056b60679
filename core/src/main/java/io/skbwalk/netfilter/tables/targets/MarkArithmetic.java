// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.targets;

import io.skbwalk.netfilter.tables.Options;

/**
 * The five ways in which MARK and CONNMARK say what becomes of a mark, all as {@code --set-xmark}.
 */
final class MarkArithmetic {
  private MarkArithmetic() {}

  /** Value in the upper, mask in the lower half. */
  static long parse(Options options, String option) {
    if (option.equals("set-xmark")) {
      return options.valueAndMask(option);
    }
    if (option.equals("set-mark")) {
      long mark = options.valueAndMask(option);
      return mark | mark >>> 32;
    }
    long bits = options.number(option, 0, 0xFFFFFFFFL, 0);
    return switch (option) {
      case "and-mark" -> ~bits & 0xFFFFFFFFL;
      case "or-mark" -> bits << 32 | bits;
      default -> bits << 32;
    };
  }

  static void save(StringBuilder out, int value, int mask) {
    out.append(" --set-xmark 0x").append(Integer.toHexString(value));
    out.append("/0x").append(Integer.toHexString(mask));
  }
}
