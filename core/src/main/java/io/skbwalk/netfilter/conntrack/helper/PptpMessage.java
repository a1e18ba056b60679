// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack.helper;

/**
 * Plays nf_conntrack_pptp.h: the control messages of PPTP (RFC 2637, section 2), and where their
 * fields lie, in bytes from the beginning of the message.
 *
 * <pre>
 *   0                                8                12
 *   | length | type 1 | magic cookie | message | res. | what the message says
 * </pre>
 */
final class PptpMessage {
  static final int TYPE_OFFSET = 2;
  static final int COOKIE_OFFSET = 4;
  static final int MESSAGE_OFFSET = 8;

  /** struct pptp_pkt_hdr and struct PptpControlHeader. */
  static final int HEADER_LENGTH = 12;

  /** PPTP_PACKET_CONTROL. */
  static final int CONTROL = 1;

  static final int MAGIC_COOKIE = 0x1A2B3C4D;

  static final int START_SESSION_REQUEST = 1;
  static final int START_SESSION_REPLY = 2;
  static final int STOP_SESSION_REQUEST = 3;
  static final int STOP_SESSION_REPLY = 4;
  static final int ECHO_REQUEST = 5;
  static final int ECHO_REPLY = 6;
  static final int OUT_CALL_REQUEST = 7;
  static final int OUT_CALL_REPLY = 8;
  static final int IN_CALL_REQUEST = 9;
  static final int IN_CALL_REPLY = 10;
  static final int IN_CALL_CONNECT = 11;
  static final int CALL_CLEAR_REQUEST = 12;
  static final int CALL_DISCONNECT_NOTIFY = 13;
  static final int WAN_ERROR_NOTIFY = 14;
  static final int SET_LINK_INFO = 15;

  /** The first id that a message says: its sender's, or where it says one only, of whom it is. */
  static final int CALL_ID_OFFSET = HEADER_LENGTH;

  /** The second id of OUT_CALL_REPLY and IN_CALL_REPLY: its receiver's. */
  static final int PEERS_CALL_ID_OFFSET = HEADER_LENGTH + 2;

  /** Of OUT_CALL_REPLY and IN_CALL_REPLY. */
  static final int CALL_RESULT_OFFSET = HEADER_LENGTH + 4;

  static final int START_RESULT_OFFSET = HEADER_LENGTH + 2;
  static final int STOP_RESULT_OFFSET = HEADER_LENGTH;

  /** The result by which something begins, or ends as asked, in every reply. */
  static final int RESULT_OK = 1;

  private static final String[] NAMES = {
    "UNKNOWN_MESSAGE",
    "START_SESSION_REQUEST",
    "START_SESSION_REPLY",
    "STOP_SESSION_REQUEST",
    "STOP_SESSION_REPLY",
    "ECHO_REQUEST",
    "ECHO_REPLY",
    "OUT_CALL_REQUEST",
    "OUT_CALL_REPLY",
    "IN_CALL_REQUEST",
    "IN_CALL_REPLY",
    "IN_CALL_CONNECT",
    "CALL_CLEAR_REQUEST",
    "CALL_DISCONNECT_NOTIFY",
    "WAN_ERROR_NOTIFY",
    "SET_LINK_INFO"
  };

  /** Bytes behind the header without which a message is not looked at; echoes need none. */
  private static final int[] LENGTHS = {
    0, 144, 144, 4, 4, 0, 0, 156, 20, 208, 12, 16, 4, 136, 28, 12
  };

  private PptpMessage() {}

  static String name(int message) {
    return NAMES[message < NAMES.length ? message : 0];
  }

  static int length(int message) {
    return message < LENGTHS.length ? LENGTHS[message] : 0;
  }
}
