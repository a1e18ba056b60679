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

  /**
   * The packet waits for a program's answer, in the queue of {@link #queueNumber}; see {@link
   * #queue}.
   */
  public static final int QUEUE = 3;

  /** The same hook function is called again. */
  public static final int REPEAT = 4;

  /** A program accepts the packet for the whole hook. */
  public static final int STOP = 5;

  private static final int MASK = 0xFF;
  private static final int QUEUE_SHIFT = 16;
  private static final int QUEUE_BYPASS = 0x8000;

  private static final String[] NAMES = {"DROP", "ACCEPT", "STOLEN", "QUEUE", "REPEAT", "STOP"};

  private Verdict() {}

  /**
   * Plays NF_QUEUE_NR: QUEUE with a number.
   *
   * @param number 0 to 65535
   * @param bypass NF_VERDICT_FLAG_QUEUE_BYPASS: goes on when no program listens
   */
  public static int queue(int number, boolean bypass) {
    return number << QUEUE_SHIFT | (bypass ? QUEUE_BYPASS : 0) | QUEUE;
  }

  /** Is it QUEUE, with whatever number? */
  public static boolean isQueue(int verdict) {
    return (verdict & MASK) == QUEUE;
  }

  /** The number of a QUEUE. */
  static int queueNumber(int verdict) {
    return verdict >>> QUEUE_SHIFT;
  }

  /** Does a QUEUE go on when no program listens? */
  static boolean bypassesQueue(int verdict) {
    return (verdict & QUEUE_BYPASS) != 0;
  }

  /** The verdict's name without NF_. */
  public static String name(int verdict) {
    return NAMES[verdict & MASK];
  }
}
