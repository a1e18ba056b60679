// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.ipset;

import io.skbwalk.lib.SourcePosition;

/**
 * Plays the attributes of {@code ipset add} and {@code del}: one element, or a range of them, and
 * what is kept with it. Reusable: {@link #reset} before each.
 */
public final class SetEntry {
  /** No timeout, counter or end of a range was given. */
  public static final long NONE = -1;

  /** First address: one word, or four in family inet6. */
  public final int[] ip = new int[4];

  /** End of the range that begins with {@link #ip}, unsigned; {@link #NONE}. */
  public long ipTo;

  /** Prefix length of {@link #ip}; {@link #NONE}. */
  public int cidr;

  /** Second address. */
  public final int[] ip2 = new int[4];

  /** End of the range that begins with {@link #ip2}, unsigned; {@link #NONE}. */
  public long ip2To;

  /** Prefix length of {@link #ip2}; {@link #NONE}. */
  public int cidr2;

  /** Protocol. */
  public int protocol;

  /** Port, or type and code of ICMP in its two bytes. */
  public int port;

  /** End of a range of ports; {@link #NONE}. */
  public int portTo;

  /** Ethernet address; {@link #NONE}. */
  public long mac;

  /** Mark. */
  public int mark;

  /** Interface. */
  public String iface;

  /** The interface is a bridge's port. */
  public boolean physdev;

  /** The interface is the beginning of a name. */
  public boolean wildcard;

  /** The element is an exception. */
  public boolean nomatch;

  /** The set that is the element. */
  public String set;

  /** The set before or behind which it goes, or null. */
  public String reference;

  /** Before {@link #reference}, not behind. */
  public boolean before;

  /** Seconds, 0 for always; {@link #NONE} for the set's. */
  public long timeout;

  /** Packets counted so far; {@link #NONE}. */
  public long packets;

  /** Bytes counted so far; {@link #NONE}. */
  public long bytes;

  /** Comment, or null. */
  public String comment;

  /** Was one of skbmark, skbprio and skbqueue given? */
  public boolean skbinfo;

  /** Mark for the packet. */
  public int skbMark;

  /** The bits of its mark that it loses before. */
  public int skbMask;

  /** Its priority. */
  public int skbPriority;

  /** Its queue. */
  public int skbQueue;

  /** A rule adds it, not the user. */
  boolean byRule;

  /** Where it was written. */
  public SourcePosition at;

  /** An entry that says nothing yet. */
  public SetEntry() {
    reset(SourcePosition.NONE);
  }

  /** Forgets everything; {@code at} is where the next one stands. */
  public void reset(SourcePosition at) {
    java.util.Arrays.fill(ip, 0);
    java.util.Arrays.fill(ip2, 0);
    ipTo = NONE;
    ip2To = NONE;
    cidr = -1;
    cidr2 = -1;
    protocol = 0;
    port = 0;
    portTo = -1;
    mac = NONE;
    mark = 0;
    iface = null;
    physdev = false;
    wildcard = false;
    nomatch = false;
    set = null;
    reference = null;
    before = false;
    timeout = NONE;
    packets = NONE;
    bytes = NONE;
    comment = null;
    skbinfo = false;
    skbMark = 0;
    skbMask = 0;
    skbPriority = 0;
    skbQueue = 0;
    this.at = at;
  }
}
