// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import java.util.List;
import java.util.Locale;

/** Type-of-service values (RFC 1349), as the tos match and target share them. */
public final class Tos {
  private static final List<String> NAMES =
      List.of(
          "Minimize-Delay",
          "Maximize-Throughput",
          "Maximize-Reliability",
          "Minimize-Cost",
          "Normal-Service");

  private static final int[] VALUES = {0x10, 0x08, 0x04, 0x02, 0x00};

  /** A name says nothing about the two upper bits. */
  private static final int NAMED_MASK = 0x3F;

  private Tos() {}

  /** {@code VALUE[/MASK]} or a name: value in bits 8 to 15, mask in bits 0 to 7. */
  public static int parse(Options options, String option) {
    String text = options.text(option);
    for (int i = 0; i < VALUES.length; i++) {
      if (NAMES.get(i).equalsIgnoreCase(text)) {
        return VALUES[i] << 8 | NAMED_MASK;
      }
    }
    int slash = text.indexOf('/');
    long value = Options.integer(slash < 0 ? text : text.substring(0, slash));
    long mask = slash < 0 ? 0xFF : Options.integer(text.substring(slash + 1));
    if (value < 0 || value > 0xFF || mask < 0 || mask > 0xFF) {
      throw options.error(
          option,
          "--"
              + option
              + " takes a number from 0 to 255, perhaps with /MASK, or one of "
              + String.join(", ", NAMES)
              + ", not \""
              + text
              + "\"");
    }
    return (int) (value << 8 | mask);
  }

  /** As iptables-save writes it. */
  public static String text(int tos) {
    return String.format(Locale.ROOT, "0x%02x", tos);
  }
}
