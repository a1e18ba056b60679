// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.ipset;

import io.skbwalk.lib.SourcePosition;

/** What {@code ipset create} was told of a set; numbers as the user gave them. */
public final class SetOptions {
  /** No timeout at all (IPSET_NO_TIMEOUT), or none given. */
  public static final long NONE = -1;

  /** Its name. */
  public final String name;

  /** Its type. */
  public final SetType type;

  /** Where it was written. */
  public final SourcePosition at;

  /** family inet6. */
  public boolean inet6;

  /** First address or port of a bitmap. */
  public int from;

  /** Last address or port of a bitmap. */
  public int to;

  /** Prefix length under which addresses are kept; 0 for none. */
  public int netmask;

  /** Bits under which addresses are kept, four words in family inet6, else one; null for none. */
  public int[] bitmask;

  /** Bits under which marks are kept. */
  public int markmask = -1;

  /** Buckets at the start. */
  public long hashsize = 1024;

  /** So many elements, unsigned. */
  public int maxelem = 65_536;

  /** The longest bucket. */
  public int bucketsize = 12;

  /** Where the hash starts; null for a random one. */
  public Integer initval;

  /** What list:set was told of its size. */
  public long size = 8;

  /** Seconds that an element stays unless it says otherwise, 0 for always; {@link #NONE}. */
  public long timeout = NONE;

  /** Elements count packets and bytes. */
  public boolean counters;

  /** Elements have comments. */
  public boolean comment;

  /** Elements have a mark, a priority and a queue for {@code SET --map-set}. */
  public boolean skbinfo;

  /** A full set throws out an element for a new one. */
  public boolean forceadd;

  /** Defaults for a set. */
  public SetOptions(String name, SetType type, SourcePosition at) {
    this.name = name;
    this.type = type;
    this.at = at;
  }
}
