// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.ipset;

import io.skbwalk.device.NetDevice;

/**
 * Plays struct ip_set_adt_opt: what one rule asks of a set, and, for the packet at hand, what the
 * element says. One object per rule, reused for every packet.
 */
public final class SetQuery {
  /** A comparison of a counter. */
  public enum Comparison {
    /** None. */
    NONE,
    /** Equal. */
    EQ,
    /** Not equal. */
    NE,
    /** Less. */
    LT,
    /** More. */
    GT;

    boolean holds(long counter, long value) {
      int order = Long.compareUnsigned(counter, value);
      return switch (this) {
        case NONE -> true;
        case EQ -> order == 0;
        case NE -> order != 0;
        case LT -> order < 0;
        case GT -> order > 0;
      };
    }
  }

  private final int dimension;
  private final int sources;

  /** {@code ! --update-counters}. */
  public boolean keepsCounters;

  /** {@code ! --update-subcounters}. */
  public boolean keepsSubcounters;

  /** {@code --return-nomatch}. */
  public boolean returnsNomatch;

  /** How packets are compared. */
  public Comparison packetsComparison = Comparison.NONE;

  /** With what, unsigned. */
  public long packets;

  /** How bytes are compared. */
  public Comparison bytesComparison = Comparison.NONE;

  /** With what, unsigned. */
  public long bytes;

  /** {@code --timeout} in seconds; {@link SetEntry#NONE}. */
  public long timeout = SetEntry.NONE;

  /** {@code --exist}. */
  public boolean exist;

  // ---- for the packet at hand

  NetDevice in;
  NetDevice out;
  boolean skipsCounters;
  boolean skipsSubcounters;
  boolean comparesCounters;

  /** The element's mark. */
  public int skbMark;

  /** The bits that the packet's mark loses. */
  public int skbMask;

  /** The element's priority. */
  public int skbPriority;

  /** The element's queue. */
  public int skbQueue;

  /** The set, and the element in it, that decided; null when none did. */
  IpSet foundIn;

  int found;

  /** What adding or deleting came to: IpSet's answers, or a SetError's code. */
  int result;

  /**
   * A question.
   *
   * @param dimension how many directions the rule gives
   * @param sources bit n is set when direction n (from 1) is src
   */
  public SetQuery(int dimension, int sources) {
    this.dimension = dimension;
    this.sources = sources;
  }

  /** A packet comes, in on and out on these interfaces, either of which may be null. */
  public SetQuery of(NetDevice in, NetDevice out) {
    this.in = in;
    this.out = out;
    skipsCounters = keepsCounters;
    skipsSubcounters = keepsSubcounters;
    comparesCounters = packetsComparison != Comparison.NONE || bytesComparison != Comparison.NONE;
    skbMark = 0;
    skbMask = 0;
    skbPriority = 0;
    skbQueue = 0;
    foundIn = null;
    return this;
  }

  int dimension() {
    return dimension;
  }

  /** Is direction {@code number}, from 1, src? */
  boolean isSource(int number) {
    return (sources & 1 << number) != 0;
  }
}
