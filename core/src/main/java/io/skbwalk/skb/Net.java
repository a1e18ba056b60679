// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.skb;

import io.skbwalk.kernel.Clock;
import io.skbwalk.kernel.Prandom;
import io.skbwalk.kernel.Sysctls;
import io.skbwalk.kernel.Timers;

/** Plays struct net: what every part of one machine (one network namespace) shares. */
public final class Net {
  /** The virtual clock. */
  public final Clock clock;

  /** Timers on that clock. */
  public final Timers timers;

  /** Where packets come from and go to. */
  public final SkBuffPool skbs = new SkBuffPool();

  /** Settings by their kernel names. */
  public final Sysctls sysctls = new Sysctls();

  /** Seeded randomness. */
  public final Prandom random;

  /**
   * What this machine answers by itself (resets, ICMP, ARP) is made but not sent: its real answers
   * are in the capture that is replayed.
   */
  public boolean withholdsAnswers;

  /** Packets that were withheld. */
  public long withheld;

  /**
   * A namespace whose clock starts at {@code startNanos} and whose randomness is {@code seed}'s.
   */
  public Net(long startNanos, long seed) {
    clock = new Clock(startNanos);
    timers = new Timers(clock);
    random = new Prandom(seed);
  }
}
