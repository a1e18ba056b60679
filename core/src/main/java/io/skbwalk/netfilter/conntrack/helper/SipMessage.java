// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack.helper;

import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.conntrack.ConntrackInfo;
import io.skbwalk.skb.SkBuff;
import java.nio.charset.StandardCharsets;

/**
 * A SIP message in the payload at hand (RFC 3261), as reusable working space: where it lies, and
 * what was found in it last. Plays the parsers ct_sip_get_header, ct_sip_parse_header_uri,
 * ct_sip_get_sdp_header and their kin, which know no more of SIP than they need.
 *
 * <p>All positions are offsets in the packet's buffer. Lines may end with CR, LF or both; a header
 * goes on in lines that begin with a blank.
 */
final class SipMessage {
  static final int SIP_PORT = 5060;

  private static final int MAX_PORT_DIGITS = 5;
  private static final int MIN_PORT = 1024;
  private static final int MAX_NUMBER_DIGITS = 11;
  private static final int ADDRESS_BYTES = 4;
  private static final int NOTHING = -1;
  private static final byte[] SIP = bytes("sip:");
  private static final byte[] COMMA = bytes(",");
  private static final byte[] SEMICOLON = bytes(";");
  private static final byte[] IN_IP4 = bytes("IN IP4 ");

  // The packet.
  Hook hook;
  SkBuff skb;
  int ct;
  int direction;

  /** Of the UDP or TCP header. */
  int transport;

  /** First byte of the message. */
  int start;

  /** Behind its last byte. */
  int end;

  // What was found last.
  int from;
  int to;
  int address;
  int port;

  /** Whether the last Contact was one of several in a header, so that the next may follow it. */
  private boolean inHeader;

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  /** Takes up a packet; {@link #start} and {@link #end} are still to be set. */
  void take(Hook hook, SkBuff skb, int transport) {
    this.hook = hook;
    this.skb = skb;
    this.transport = transport;
    ct = skb.ct;
    direction = ConntrackInfo.direction(skb.ctInfo);
  }

  boolean startsWith(int at, byte[] text) {
    return Payload.startsWithIgnoringCase(skb.head, at, end, text);
  }

  boolean isLetterAt(int at) {
    return Payload.isLetter(skb.head[at]);
  }

  private boolean isBlankAt(int at) {
    return skb.head[at] == ' ' || skb.head[at] == '\t';
  }

  private boolean isLineEndAt(int at) {
    return skb.head[at] == '\r' || skb.head[at] == '\n';
  }

  // ---- numbers, addresses, ports ----------------------------------------------------------------

  /**
   * Plays sip_strtouint: the number at {@code at}, -1 when there is none or it does not fit 32
   * bits.
   */
  long number(int at) {
    long number = NOTHING;
    for (int digit = at; digit < end && Payload.isDigit(skb.head[digit]); digit++) {
      number = Math.max(number, 0) * 10 + skb.head[digit] - '0';
      if (number > 0xFFFFFFFFL || digit - at >= MAX_NUMBER_DIGITS) {
        return NOTHING;
      }
    }
    return number;
  }

  private int skipDigits(int at) {
    return Payload.skipDigits(skb.head, at, end);
  }

  /**
   * Plays in4_pton without delimiter: reads {@link #address}; offset behind it, -1 when it is none.
   * Hexadecimal letters directly behind it make it none.
   */
  private int readAddress(int at, int limit) {
    int bytes = 0;
    int read = 0;
    int number = NOTHING;
    while (true) {
      int character = at < limit ? skb.head[at] : 0;
      if (Payload.isDigit(character)) {
        number = Math.max(number, 0) * 10 + character - '0';
        if (number > 0xFF) {
          return NOTHING;
        }
      } else if (number == NOTHING || Payload.isHexLetter(character)) {
        return NOTHING;
      } else {
        read = read << 8 | number;
        number = NOTHING;
        bytes++;
        if (character != '.') {
          address = read;
          return bytes == ADDRESS_BYTES ? at : NOTHING;
        }
        if (bytes == ADDRESS_BYTES) {
          return NOTHING;
        }
      }
      at++;
    }
  }

  /** Plays sip_parse_port: reads {@link #port}, 5060 without; offset behind it, -1 when wrong. */
  private int readPort(int at) {
    if (at >= end) {
      return NOTHING;
    }
    if (skb.head[at] != ':') {
      port = SIP_PORT;
      return at;
    }
    int digits = at + 1;
    int behind = skipDigits(digits);
    if (behind == digits || behind - digits > MAX_PORT_DIGITS || behind >= end) {
      return NOTHING;
    }
    int number = Payload.number(skb.head, digits, behind);
    if (number < MIN_PORT || number > 0xFFFF) {
      return NOTHING;
    }
    port = number;
    return behind;
  }

  private boolean findsAddressAndPort(int at) {
    int behind = readAddress(at, end);
    if (behind >= 0) {
      behind = readPort(behind);
    }
    return behind >= 0 && found(at, behind);
  }

  /** Plays skp_epaddr_len: what stands before @ in a URI does not count. */
  private boolean findsAddressBehindUser(int uri) {
    int at = uri;
    while (at < end && skb.head[at] != '@' && !isLineEndAt(at)) {
      at++;
    }
    return findsAddressAndPort(at < end && skb.head[at] == '@' ? at + 1 : uri);
  }

  private boolean found(int from, int to) {
    this.from = from;
    this.to = to;
    return to > from;
  }

  // ---- the first line ---------------------------------------------------------------------------

  /** Plays ct_sip_parse_request: finds the address of the URI that a request is for. */
  boolean findsRequestUri() {
    int at = start;
    while (at < end && isLetterAt(at)) {
      at++;
    }
    if (at == start || ++at >= end) {
      return false;
    }
    for (; at < end - SIP.length; at++) {
      if (isLineEndAt(at)) {
        return false;
      }
      if (startsWith(at, SIP)) {
        at += SIP.length;
        break;
      }
    }
    return findsAddressBehindUser(at);
  }

  // ---- headers ----------------------------------------------------------------------------------

  /** Plays ct_sip_get_header for the first one; with a value that is not right there is none. */
  boolean finds(SipHeader header) {
    return find(header, start) > 0;
  }

  /** Plays ct_sip_parse_header_uri for the first one whose address can be read. */
  boolean findsAddress(SipHeader header) {
    inHeader = false;
    return findsNextAddress(header, start);
  }

  /**
   * The same for the next one, perhaps of the same header.
   *
   * @param at {@link #to} of the one before
   */
  boolean findsNextAddress(SipHeader header, int at) {
    int place = at;
    int next = 0;
    while (inHeader && (next = findBehindComma(header, place)) < 0) {
      place = from;
    }
    if (next == 0) {
      while ((next = find(header, place)) < 0) {
        place = from;
      }
    }
    inHeader = next > 0;
    return inHeader;
  }

  /** 1 when found, 0 when there is none, -1 when it cannot be read; {@link #from} is set then. */
  private int find(SipHeader header, int begin) {
    for (int line = nextLine(begin); line >= 0; line = nextLine(line + 1)) {
      int behind = isBlankAt(line) ? NOTHING : behindName(header, line);
      if (behind < 0) {
        continue;
      }
      behind = skipBlanks(behind);
      if (behind < 0 || skb.head[behind] != ':' || behind + 1 >= end) {
        return 0;
      }
      int value = skipBlanks(behind + 1);
      if (value < 0) {
        return 0;
      }
      int at = search(value, end, header.before);
      if (at >= 0 && reads(header, at + header.before.length)) {
        return 1;
      }
      from = value;
      return -1;
    }
    return 0;
  }

  /** Plays ct_sip_next_header: the next of several values in one header. */
  private int findBehindComma(SipHeader header, int begin) {
    int at = search(begin, end, COMMA);
    if (at >= 0) {
      at = search(at, end, header.before);
    }
    if (at < 0) {
      return 0;
    }
    int value = at + header.before.length;
    if (reads(header, value)) {
      return 1;
    }
    from = value;
    return -1;
  }

  private boolean reads(SipHeader header, int value) {
    return switch (header.value) {
      case DIGITS -> found(value, skipDigits(value));
      case ADDRESS -> findsAddressAndPort(value);
      case URI -> findsAddressBehindUser(value);
    };
  }

  /** Where the line behind the next line end begins, -1 when there is none. */
  private int nextLine(int at) {
    while (at < end && !isLineEndAt(at)) {
      at++;
    }
    at++;
    if (at < end && skb.head[at - 1] == '\r' && skb.head[at] == '\n') {
      at++;
    }
    return at < end ? at : NOTHING;
  }

  /** A longer word that begins with the name will do; short names must stand alone. */
  private int behindName(SipHeader header, int line) {
    if (startsWith(line, header.name)) {
      return line + header.name.length;
    }
    int behind = line + header.compactName.length;
    return behind > line
            && behind < end
            && startsWith(line, header.compactName)
            && !isLetterAt(behind)
        ? behind
        : NOTHING;
  }

  /** Plays sip_skip_whitespace, over one line end at most; -1 at the end of the header. */
  private int skipBlanks(int at) {
    while (at < end && isBlankAt(at)) {
      at++;
    }
    if (at < end && isLineEndAt(at)) {
      at = continuation(at, end);
    }
    return at < end ? at : NOTHING;
  }

  /** Plays sip_follow_continuation: behind the line end and the blanks after it, -1 without. */
  private int continuation(int at, int limit) {
    int line = at + 1;
    if (line < limit && skb.head[at] == '\r' && skb.head[line] == '\n') {
      line++;
    }
    if (line >= limit || !isBlankAt(line)) {
      return NOTHING;
    }
    while (line < limit && isBlankAt(line)) {
      line++;
    }
    return line;
  }

  /** Plays ct_sip_header_search: {@code text} in the rest of a header's value, -1 when absent. */
  private int search(int at, int limit, byte[] text) {
    if (text.length == 0) {
      return at;
    }
    int last = limit - text.length;
    while (at < last) {
      if (isLineEndAt(at)) {
        at = continuation(at, last);
        if (at < 0) {
          return NOTHING;
        }
      } else if (Payload.startsWithIgnoringCase(skb.head, at, limit, text)) {
        return at;
      }
      at++;
    }
    return NOTHING;
  }

  // ---- parameters -------------------------------------------------------------------------------

  private int endOfValue(int at) {
    int comma = search(at, end, COMMA);
    return comma < 0 ? end : comma;
  }

  private int parameter(int at, byte[] name) {
    int place = search(at, endOfValue(at), name);
    return place < 0 ? NOTHING : place + name.length;
  }

  /** Plays ct_sip_parse_param: finds what a parameter is, up to the next one. */
  boolean findsParameter(int at, byte[] name) {
    int value = parameter(at, name);
    if (value < 0) {
      return false;
    }
    int limit = endOfValue(at);
    int semicolon = search(value, limit, SEMICOLON);
    from = value;
    to = semicolon < 0 ? limit : semicolon;
    return true;
  }

  /** Plays ct_sip_parse_address_param: finds the address that a parameter is. */
  boolean findsAddressParameter(int at, byte[] name) {
    int value = parameter(at, name);
    int behind = value < 0 ? NOTHING : readAddress(value, endOfValue(at));
    return behind >= 0 && found(value, behind);
  }

  /** Is there such a parameter, be it right or wrong? */
  boolean hasParameter(int at, byte[] name) {
    return parameter(at, name) >= 0;
  }

  /** Plays ct_sip_parse_numerical_param: the number that a parameter is, -1 when it is none. */
  long numberParameter(int at, byte[] name) {
    int value = parameter(at, name);
    long number = value < 0 ? NOTHING : number(value);
    if (number >= 0) {
      found(value, skipDigits(value));
    }
    return number;
  }

  // ---- the session description ------------------------------------------------------------------

  /**
   * Plays ct_sip_get_sdp_header: finds the value in a line behind {@code at}.
   *
   * @param stop a line of this kind ends the search; null for none
   */
  boolean finds(SdpLine kind, int at, SdpLine stop) {
    for (int line = nextLine(at); line >= 0; line = nextLine(line + 1)) {
      if (stop != null && isLine(line, stop)) {
        return false;
      }
      if (isLine(line, kind)) {
        return readsLine(kind, line + 2);
      }
    }
    return false;
  }

  private boolean isLine(int line, SdpLine kind) {
    return line + 2 <= end
        && Payload.upperCase(skb.head[line]) == Payload.upperCase(kind.letter)
        && skb.head[line + 1] == '=';
  }

  private boolean readsLine(SdpLine kind, int value) {
    switch (kind) {
      case VERSION:
        return found(value, skipDigits(value));
      case MEDIA:
        int at = value;
        while (at < end && isLetterAt(at)) {
          at++;
        }
        return at < end && skb.head[at] == ' ' && found(value, skipDigits(at + 1));
      default:
        int place = value;
        while (place < end - IN_IP4.length
            && !isLineEndAt(place)
            && !Payload.startsWith(skb.head, place, end, IN_IP4)) {
          place++;
        }
        if (place >= end - IN_IP4.length || isLineEndAt(place)) {
          return false;
        }
        int number = place + IN_IP4.length;
        int behind = readAddress(number, end);
        return behind >= 0 && found(number, behind);
    }
  }
}
