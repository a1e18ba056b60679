// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_CONFIRMED;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_DYING;

import io.skbwalk.kernel.Clock;
import java.util.ArrayList;
import java.util.List;

/** Plays nf_conntrack_expect.c: the connections that others have announced. */
public final class ConntrackExpectations {
  /** {@link #related}: another expectation would catch the same packets. */
  public static final int EBUSY = 16;

  /** {@link #related}: the table is full (nf_conntrack_expect_max). */
  public static final int EMFILE = 24;

  /** {@link #related}: the master has no helper any more. */
  public static final int ESHUTDOWN = 108;

  /** {@link #related}: another connection, or one of another class, expects the very same. */
  public static final int EALREADY = 114;

  private static final int BUCKETS = 256;

  private final Conntrack conntrack;
  private final ConntrackExpect[] buckets = new ConntrackExpect[BUCKETS];
  private int count;

  ConntrackExpectations(Conntrack conntrack) {
    this.conntrack = conntrack;
  }

  /** How many are expected. */
  public int count() {
    return count;
  }

  /** All of them, those that were announced last first in each bucket, for a listing. */
  public List<ConntrackExpect> list() {
    List<ConntrackExpect> all = new ArrayList<>();
    for (ConntrackExpect expect : buckets) {
      for (; expect != null; expect = expect.nextInHash) {
        all.add(expect);
      }
    }
    return all;
  }

  private static int bucket(ConntrackTuple tuple) {
    int hash = tuple.destination * 0x9E3779B9 + tuple.destinationPort * 31 + tuple.protocol;
    return (hash ^ hash >>> 15) & BUCKETS - 1;
  }

  /** Plays __nf_ct_expect_find: an expectation, inactive ones too, or null. */
  public ConntrackExpect find(ConntrackTuple tuple, int zone) {
    if (count == 0) {
      return null;
    }
    for (ConntrackExpect expect = buckets[bucket(tuple)];
        expect != null;
        expect = expect.nextInHash) {
      if (expect.matches(tuple) && expect.zone == zone) {
        return expect;
      }
    }
    return null;
  }

  /**
   * Plays nf_ct_find_expectation: what expected the first packet of a connection, or null. Unless
   * it is permanent it is fulfilled with that and goes.
   */
  ConntrackExpect take(ConntrackTuple tuple, int zone) {
    if (count == 0) {
      return null;
    }
    ConntrackExpect expect = buckets[bucket(tuple)];
    while (expect != null
        && ((expect.flags & ConntrackExpect.INACTIVE) != 0
            || !expect.matches(tuple)
            || expect.zone != zone)) {
      expect = expect.nextInHash;
    }
    // Until the master's own packet has left, nobody can know of what it announced.
    if (expect == null
        || (conntrack.status(expect.master) & (IPS_CONFIRMED | IPS_DYING)) != IPS_CONFIRMED) {
      return null;
    }
    if ((expect.flags & ConntrackExpect.PERMANENT) == 0) {
      remove(expect);
    }
    return expect;
  }

  /**
   * Plays nf_ct_expect_related: announces {@code expect}. One that expects the very same for the
   * same master gives way; when the helper's class is full the oldest does.
   *
   * @return 0, or why not: {@link #EBUSY} and so on
   */
  public int related(ConntrackExpect expect) {
    return related(expect, false);
  }

  /**
   * The same.
   *
   * @param skipMaster NF_CT_EXP_F_SKIP_MASTER: the very same for another master is told as {@link
   *     #EALREADY}, not as {@link #EBUSY}
   */
  public int related(ConntrackExpect expect, boolean skipMaster) {
    ConntrackHelp help = conntrack.help(expect.master);
    if (help == null) {
      return ESHUTDOWN;
    }
    for (ConntrackExpect other = buckets[bucket(expect.tuple)];
        other != null;
        other = other.nextInHash) {
      if ((skipMaster || other.master == expect.master) && other.sameAs(expect)) {
        if (other.expectClass != expect.expectClass || other.master != expect.master) {
          return EALREADY;
        }
        remove(other);
        break;
      }
      if (other.clashes(expect)) {
        return EBUSY;
      }
    }
    ConntrackHelper helper = help.helper();
    if (helper != null) {
      int max = helper.policy(expect.expectClass).maxExpected();
      if (max != 0 && help.expecting(expect.expectClass) >= max) {
        remove(help.oldest(expect.expectClass));
      }
    }
    if (count >= conntrack.sysctls.expectMax) {
      return EMFILE;
    }
    insert(expect, help);
    return 0;
  }

  private void insert(ConntrackExpect expect, ConntrackHelp help) {
    help.add(expect);
    int bucket = bucket(expect.tuple);
    expect.nextInHash = buckets[bucket];
    buckets[bucket] = expect;
    count++;
    ConntrackHelper helper = help.helper();
    expireIn(expect, helper == null ? 0 : helper.policy(expect.expectClass).timeoutSeconds());
  }

  private void expireIn(ConntrackExpect expect, int seconds) {
    // Linux multiplies in 32 bits.
    long ticks = seconds * Clock.HZ & 0xFFFFFFFFL;
    expect.expiresTick = conntrack.net.clock.jiffies() + ticks;
    long nanos = ticks * (Clock.SECOND / Clock.HZ);
    conntrack.net.timers.modify(expect, conntrack.net.clock.now() + nanos);
  }

  /** Plays mod_timer on one that is in the table: it lives that long from now. */
  public void refresh(ConntrackExpect expect, int seconds) {
    if (expect.isExpected()) {
      expireIn(expect, seconds);
    }
  }

  /** Whole seconds until it runs out, as conntrack -L expect prints them. */
  public int timeoutSeconds(ConntrackExpect expect) {
    return (int) Math.max(0, (expect.expiresTick - conntrack.net.clock.jiffies()) / Clock.HZ);
  }

  /** Plays nf_ct_unexpect_related and nf_ct_unlink_expect; nothing when it is gone already. */
  public void remove(ConntrackExpect expect) {
    int bucket = bucket(expect.tuple);
    ConntrackExpect before = null;
    ConntrackExpect at = buckets[bucket];
    while (at != expect) {
      if (at == null) {
        return;
      }
      before = at;
      at = at.nextInHash;
    }
    if (before == null) {
      buckets[bucket] = expect.nextInHash;
    } else {
      before.nextInHash = expect.nextInHash;
    }
    count--;
    conntrack.net.timers.cancel(expect);
    conntrack.help(expect.master).remove(expect);
  }

  /** Plays nf_ct_remove_expectations: nobody waits for what {@code ct} announced any more. */
  public void removeOf(int ct) {
    ConntrackHelp help = conntrack.help(ct);
    while (help != null && help.newest() != null) {
      remove(help.newest());
    }
  }
}
