// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.skb;

/** Plays struct udphdr (RFC 768): offsets from a transport header. */
public final class UdpHeader {
  /** Offset of the source port. */
  public static final int SOURCE_OFFSET = 0;

  /** Offset of the destination port. */
  public static final int DESTINATION_OFFSET = 2;

  /** Offset of the length, header included. */
  public static final int LENGTH_OFFSET = 4;

  /** Offset of the checksum; 0 means none. */
  public static final int CHECKSUM_OFFSET = 6;

  /** Header length in bytes. */
  public static final int LENGTH = 8;

  private UdpHeader() {}
}
