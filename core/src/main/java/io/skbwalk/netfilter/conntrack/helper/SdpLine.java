// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack.helper;

/** Plays enum sdp_header_types: the lines of a session description (RFC 4566) that are read. */
enum SdpLine {
  /** {@code v=0}: where the description begins. */
  VERSION('v'),
  /** {@code o=name 1 1 IN IP4 192.168.7.2}. */
  OWNER('o'),
  /** {@code c=IN IP4 192.168.7.2}. */
  CONNECTION('c'),
  /** {@code m=audio 40000 RTP/AVP 0}. */
  MEDIA('m');

  final char letter;

  SdpLine(char letter) {
    this.letter = letter;
  }
}
