// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import java.nio.charset.StandardCharsets;

/** Plays xt_check_proc_name and xtopt_parse_string: names that become files below /proc. */
public final class ProcName {
  private ProcName() {}

  /** The first {@code bytes} bytes of {@code text}: iptables cuts a name that is too long. */
  public static String cut(String text, int bytes) {
    byte[] all = text.getBytes(StandardCharsets.UTF_8);
    return all.length <= bytes ? text : new String(all, 0, bytes, StandardCharsets.UTF_8);
  }

  /** Can a file have this name? */
  public static boolean isValid(String name) {
    return !name.isEmpty() && !name.equals(".") && !name.equals("..") && name.indexOf('/') < 0;
  }
}
