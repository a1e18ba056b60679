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

  private int bottomHalvesOff;
  private Runnable raised;

  /**
   * A namespace whose clock starts at {@code startNanos} and whose randomness is {@code seed}'s.
   */
  public Net(long startNanos, long seed) {
    clock = new Clock(startNanos);
    timers = new Timers(clock);
    random = new Prandom(seed);
  }

  /**
   * Plays local_bh_disable: no softirq begins until {@link #enableBottomHalves} has been called as
   * often.
   */
  public void disableBottomHalves() {
    bottomHalvesOff++;
  }

  /** Plays local_bh_enable: the softirq that was raised meanwhile runs now. */
  public void enableBottomHalves() {
    bottomHalvesOff--;
    if (bottomHalvesOff == 0 && raised != null) {
      Runnable softirq = raised;
      raised = null;
      softirq.run();
    }
  }

  /** Plays raise_softirq of a process: {@code softirq} runs now, or as soon as softirqs may. */
  public void raiseSoftirq(Runnable softirq) {
    if (bottomHalvesOff > 0) {
      raised = softirq;
    } else {
      softirq.run();
    }
  }
}
