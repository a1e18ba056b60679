// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.index;

/** Something of a packet that rules ask for and that the index looks up: a number without sign. */
public enum PacketKey {
  /** Source address. */
  SOURCE(32),
  /** Destination address. */
  DESTINATION(32),
  /** Source port of a whole packet or first fragment. */
  SOURCE_PORT(16),
  /** Destination port, likewise. */
  DESTINATION_PORT(16),
  /** The packet's mark. */
  MARK(32),
  /** The mark of its connection. */
  CONNMARK(32),
  /** Total length of the IP packet, bytes. */
  LENGTH(16),
  /** IANA number. */
  PROTOCOL(8),
  /** 1 for all fragments but the first, else 0. */
  FRAGMENT(1),
  /** The flags byte of a TCP header. */
  TCP_FLAGS(8),
  /** Type of an ICMP message. */
  ICMP_TYPE(8),
  /** State of the connection, as bits that {@link PacketKeys} names. */
  STATE(7),
  /** Time to live. */
  TTL(8),
  /** Type of service. */
  TOS(8);

  /** How wide it is. */
  final int bits;

  /** Its bit in sets of keys. */
  final int bit = 1 << ordinal();

  PacketKey(int bits) {
    this.bits = bits;
  }

  /** Has it so few values that each can have its own bitmap of rules? */
  boolean isNarrow() {
    return bits <= 8;
  }

  /** The largest value. */
  int highest() {
    return -1 >>> 32 - bits;
  }
}
