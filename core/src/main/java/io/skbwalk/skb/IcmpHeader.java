// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.skb;

/** Plays struct icmphdr (RFC 792): offsets from a transport header, types and codes. */
public final class IcmpHeader {
  /** Offset of the type. */
  public static final int TYPE_OFFSET = 0;

  /** Offset of the code. */
  public static final int CODE_OFFSET = 1;

  /** Offset of the checksum. */
  public static final int CHECKSUM_OFFSET = 2;

  /** Offset of the identifier of a query, or of the rest of an error's header. */
  public static final int ID_OFFSET = 4;

  /** Offset of the sequence number of a query, or of the next-hop MTU. */
  public static final int SEQUENCE_OFFSET = 6;

  /** Header length in bytes. */
  public static final int LENGTH = 8;

  /** Echo reply. */
  public static final int ECHO_REPLY = 0;

  /** Destination unreachable. */
  public static final int DEST_UNREACH = 3;

  /** Source quench. */
  public static final int SOURCE_QUENCH = 4;

  /** Redirect. */
  public static final int REDIRECT = 5;

  /** Echo request. */
  public static final int ECHO = 8;

  /** Time exceeded. */
  public static final int TIME_EXCEEDED = 11;

  /** Parameter problem. */
  public static final int PARAMETER_PROBLEM = 12;

  /** Timestamp request. */
  public static final int TIMESTAMP = 13;

  /** Timestamp reply. */
  public static final int TIMESTAMP_REPLY = 14;

  /** Information request. */
  public static final int INFO_REQUEST = 15;

  /** Information reply. */
  public static final int INFO_REPLY = 16;

  /** Address mask request. */
  public static final int ADDRESS = 17;

  /** Address mask reply. */
  public static final int ADDRESS_REPLY = 18;

  private IcmpHeader() {}
}
