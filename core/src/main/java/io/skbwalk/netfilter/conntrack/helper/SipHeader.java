// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack.helper;

import java.nio.charset.StandardCharsets;

/**
 * Plays enum sip_header_types: the headers of a SIP message (RFC 3261) that the helper reads, with
 * their short names (RFC 3261, 7.3.3).
 */
enum SipHeader {
  CSEQ("CSeq", "", "", Value.DIGITS),
  FROM("From", "f", "sip:", Value.URI),
  TO("To", "t", "sip:", Value.URI),
  CONTACT("Contact", "m", "sip:", Value.URI),
  VIA_UDP("Via", "v", "UDP ", Value.ADDRESS),
  VIA_TCP("Via", "v", "TCP ", Value.ADDRESS),
  EXPIRES("Expires", "", "", Value.DIGITS),
  CONTENT_LENGTH("Content-Length", "l", "", Value.DIGITS);

  /** What is read of a header. */
  enum Value {
    /** A number. */
    DIGITS,
    /** Address and port behind a user's name. */
    URI,
    /** Address and port. */
    ADDRESS
  }

  final byte[] name;
  final byte[] compactName;

  /** What stands before the value; empty when it begins at once. */
  final byte[] before;

  final Value value;

  SipHeader(String name, String compactName, String before, Value value) {
    this.name = name.getBytes(StandardCharsets.US_ASCII);
    this.compactName = compactName.getBytes(StandardCharsets.US_ASCII);
    this.before = before.getBytes(StandardCharsets.US_ASCII);
    this.value = value;
  }
}
