// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter;

/** The verdicts of a hook function, by the kernel's numbers (include/uapi/linux/netfilter.h). */
public final class Verdict {
  /** The packet is dropped; the caller frees it. */
  public static final int DROP = 0;

  /** The packet goes on. */
  public static final int ACCEPT = 1;

  /** The hook function owns the packet now (or has freed it). */
  public static final int STOLEN = 2;

  /** The packet waits for a program's answer. */
  public static final int QUEUE = 3;

  /** The same hook function is called again. */
  public static final int REPEAT = 4;

  private static final String[] NAMES = {"DROP", "ACCEPT", "STOLEN", "QUEUE", "REPEAT"};

  private Verdict() {}

  /** The verdict's name without NF_. */
  public static String name(int verdict) {
    return NAMES[verdict];
  }
}
