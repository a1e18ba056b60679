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

  /** Plays icmp_is_err: does a message of that type quote the packet that it is about? */
  public static boolean isError(int type) {
    return switch (type) {
      case DEST_UNREACH, SOURCE_QUENCH, REDIRECT, TIME_EXCEEDED, PARAMETER_PROBLEM -> true;
      default -> false;
    };
  }

  /** Type and code (RFC 792, RFC 1812) in tcpdump's words. */
  public static String name(int type, int code) {
    return switch (type) {
      case ECHO_REPLY -> "echo reply";
      case DEST_UNREACH ->
          switch (code) {
            case 0 -> "net unreachable";
            case 1 -> "host unreachable";
            case 2 -> "protocol unreachable";
            case 3 -> "port unreachable";
            case 4 -> "unreachable - need to frag";
            case 5 -> "source route failed";
            case 9 -> "net prohibited";
            case 10 -> "host prohibited";
            case 13 -> "admin prohibited filter";
            default -> "unreachable code " + code;
          };
      case SOURCE_QUENCH -> "source quench";
      case REDIRECT ->
          switch (code) {
            case 0 -> "redirect to net";
            case 1 -> "redirect to host";
            default -> "redirect code " + code;
          };
      case ECHO -> "echo request";
      case TIME_EXCEEDED ->
          switch (code) {
            case 0 -> "time exceeded in-transit";
            case 1 -> "ip reassembly time exceeded";
            default -> "time exceeded code " + code;
          };
      case PARAMETER_PROBLEM -> "parameter problem";
      case TIMESTAMP -> "time stamp query";
      case TIMESTAMP_REPLY -> "time stamp reply";
      case INFO_REQUEST -> "information request";
      case INFO_REPLY -> "information reply";
      case ADDRESS -> "address mask request";
      case ADDRESS_REPLY -> "address mask reply";
      default -> "type " + type + " code " + code;
    };
  }
}
