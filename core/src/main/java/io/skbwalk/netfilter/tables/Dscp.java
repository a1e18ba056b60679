// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** Names of DSCP values (RFC 2474, RFC 2597, RFC 3246), as the dscp match and target share them. */
public final class Dscp {
  private static final Map<String, Integer> CLASSES = new LinkedHashMap<>();

  static {
    for (int i = 0; i < 8; i++) {
      CLASSES.put("CS" + i, i << 3);
    }
    CLASSES.put("BE", 0);
    for (int group = 1; group <= 4; group++) {
      for (int drop = 1; drop <= 3; drop++) {
        CLASSES.put("AF" + group + drop, group << 3 | drop << 1);
      }
    }
    CLASSES.put("EF", 46);
  }

  private Dscp() {}

  /** The value of {@code option}: a name when the option's name ends with class, else a number. */
  public static int parse(Options options, String option) {
    if (!option.endsWith("class")) {
      return (int) options.number(option, 0, 63, 0);
    }
    Integer value = CLASSES.get(options.text(option).toUpperCase(Locale.ROOT));
    if (value == null) {
      throw options.error(
          option, "--" + option + " takes one of " + String.join(", ", CLASSES.keySet()));
    }
    return value;
  }

  /** As iptables-save writes it. */
  public static String text(int dscp) {
    return String.format(Locale.ROOT, "0x%02x", dscp);
  }
}
