// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack.helper;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Messages of SIP and what Linux expects after them; ^ ends a line. */
class SipMessageTest {
  private static final String REGISTER =
      "REGISTER sip:198.51.100.1 SIP/2.0^Via: SIP/2.0/UDP 192.168.7.2:4000^";
  private static final String INVITE =
      "INVITE sip:b@198.51.100.1 SIP/2.0^Via: SIP/2.0/UDP 192.168.7.2:4000^CSeq: 1 INVITE^^";

  private static String after(String message) {
    return new Overheard("sip", "udp", 5060).after(true, Overheard.bytes(message));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '~',
      value = {
        "CSeq: 1 REGISTER^Contact: <sip:a@192.168.7.2:5070>^Expires: 60^^| udp/192.168.7.2:5070",
        "CSeq: 1 REGISTER^Contact: <sip:192.168.7.2>^Expires: 60^^| udp/192.168.7.2:5060",
        // Short names, names in any case, blanks, lines that go on.
        "CSeq: 1 REGISTER^m: <sip:a@192.168.7.2:5070>^Expires: 60^^| udp/192.168.7.2:5070",
        "cseq:1 REGISTER^CONTACT:<SIP:a@192.168.7.2:5070>^expires:60^^| udp/192.168.7.2:5070",
        "CSeq  :  1 REGISTER^Contact : <sip:a@192.168.7.2:5070>^Expires : 60^^"
            + "| udp/192.168.7.2:5070",
        "CSeq:^ 1 REGISTER^Contact: a^ <sip:a@192.168.7.2:5070>^Expires:^ 60^^"
            + "| udp/192.168.7.2:5070",
        "CSeq: 1 REGISTER{a}Contact: <sip:a@192.168.7.2:5070>{a}Expires: 60{a}{a}"
            + "| udp/192.168.7.2:5070",
        "CSeq: 1 REGISTER{d}Contact: <sip:a@192.168.7.2:5070>{d}Expires: 60{d}{d}"
            + "| udp/192.168.7.2:5070",
        // A longer name is another.
        "CSeqX: 1 REGISTER^ContactX: <sip:a@192.168.7.2:5070>^ExpiresX: 60^^| dropped",
        // How long: of the Contact, else of the message; without either, or with 0, not at all.
        "CSeq: 1 REGISTER^Contact: <sip:a@192.168.7.2:5070>,expires=9^^| nothing",
        "CSeq: 1 REGISTER^Contact: <sip:a@192.168.7.2:5070> expires=9^^| udp/192.168.7.2:5070",
        "CSeq: 1 REGISTER^Contact: <sip:a@192.168.7.2:5070> expires=0^Expires: 60^^| nothing",
        "CSeq: 1 REGISTER^Contact: <sip:a@192.168.7.2:5070> expires=x^Expires: 60^^| dropped",
        "CSeq: 1 REGISTER^Contact: <sip:a@192.168.7.2:5070> expires=99999999999^Expires: 60^^"
            + "| dropped",
        "CSeq: 1 REGISTER^Contact: <sip:a@192.168.7.2:5070>^Expires: 99999999999^^| nothing",
        "CSeq: 1 REGISTER^Contact: <sip:a@192.168.7.2:5070>^^| nothing",
        "CSeq: 1 REGISTER^Contact: <sip:a@192.168.7.2:5070>^Expires: 0^^| nothing",
        // Nobody registers for others, by another protocol, or at a port for the privileged.
        "CSeq: 1 REGISTER^Contact: <sip:a@192.168.7.3:5070>^Expires: 60^^| nothing",
        "CSeq: 1 REGISTER^Contact: <sip:a@192.168.7.2:5070> transport=TCP^Expires: 60^^| nothing",
        "CSeq: 1 REGISTER^Contact: <sip:a@192.168.7.2:5070> transport=udp^Expires: 60^^"
            + "| udp/192.168.7.2:5070",
        "CSeq: 1 REGISTER^Contact: <sip:a@192.168.7.2:80>^Expires: 60^^| nothing",
        "CSeq: 1 REGISTER^Contact: <sip:a@192.168.7.2:65536>^Expires: 60^^| nothing",
        "CSeq: 1 REGISTER^Contact: <sip:a@192.168.7.2:99999999>^Expires: 60^^| nothing",
        "CSeq: 1 REGISTER^Contact: <sip:a@192.168.7.2:>^Expires: 60^^| nothing",
        "CSeq: 1 REGISTER^Contact: <sip:a@192.168.7>^Expires: 60^^| nothing",
        "CSeq: 1 REGISTER^Contact: <sip:a@192.168.7.256>^Expires: 60^^| nothing",
        "CSeq: 1 REGISTER^Contact: <sip:a@host.example>^Expires: 60^^| nothing",
        "CSeq: 1 REGISTER^Contact: *^Expires: 60^^| nothing",
        // What cannot be read is passed over, with all of its header.
        "CSeq: 1 REGISTER^Contact: <sip:a@b>, <sip:a@192.168.7.2:5070>^Expires: 60^^| nothing",
        "CSeq: 1 REGISTER^Contact: <sip:a@b>^Contact: <sip:a@192.168.7.2:5070>^Expires: 60^^"
            + "| udp/192.168.7.2:5070",
        // Numbers that are none, and messages cut short.
        "Contact: <sip:a@192.168.7.2:5070>^Expires: 60^^| dropped",
        "CSeq: REGISTER^Contact: <sip:a@192.168.7.2:5070>^Expires: 60^^| dropped",
        "CSeq: 4294967296 REGISTER^Contact: <sip:a@192.168.7.2:5070>^Expires: 60^^| dropped",
        "CSeq: 1| nothing",
        "CSeq| dropped",
        "CSeq:| dropped",
      })
  void registrations(String row) {
    String[] headers = row.split("\\| *");
    assertEquals(headers[1], after(REGISTER + headers[0]));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "v=0^c=IN IP4 192.168.7.2^m=audio 30000 RTP/AVP 0^"
            + "| udp/192.168.7.2:30000 udp/192.168.7.2:30001",
        // Each kind of media has a port, and perhaps an address of its own.
        "v=0^c=IN IP4 192.168.7.2^m=audio 30000 RTP/AVP 0^m=video 30010 RTP/AVP 1^"
            + "| udp/192.168.7.2:30000 udp/192.168.7.2:30001 udp/192.168.7.2:30010"
            + " udp/192.168.7.2:30011",
        "v=0^c=IN IP4 192.168.7.3^m=audio 30000 RTP/AVP 0^c=IN IP4 192.168.7.2^"
            + "| udp/192.168.7.2:30000 udp/192.168.7.2:30001",
        "v=0^m=audio 30000 RTP/AVP 0^c=IN IP4 192.168.7.2^"
            + "| udp/192.168.7.2:30000 udp/192.168.7.2:30001",
        "v=0^c=IN IP4 192.168.7.2^m=image 30000 udptl t38^"
            + "| udp/192.168.7.2:30000 udp/192.168.7.2:30001",
        "v=0^c=IN IP4 192.168.7.2^m=application 30000 TCP x^| nothing",
        // An odd port, none, and one for the privileged.
        "v=0^c=IN IP4 192.168.7.2^m=audio 30001 RTP/AVP 0^"
            + "| udp/192.168.7.2:30000 udp/192.168.7.2:30001",
        "v=0^c=IN IP4 192.168.7.2^m=audio 0 RTP/AVP 0^| nothing",
        "v=0^c=IN IP4 192.168.7.2^m=audio 80 RTP/AVP 0^| dropped",
        "v=0^c=IN IP4 192.168.7.2^m=audio 65536 RTP/AVP 0^| dropped",
        "v=0^c=IN IP4 192.168.7.2^m=audio x RTP/AVP 0^| nothing",
        "v=0^c=IN IP4 192.168.7.2^m=audio| nothing",
        // No address, or one that is none.
        "v=0^m=audio 30000 RTP/AVP 0^| dropped",
        "v=0^c=IN IP6 ::1^m=audio 30000 RTP/AVP 0^| dropped",
        "v=0^c=IN IP4 192.168.7^m=audio 30000 RTP/AVP 0^| dropped",
        "v=0^c=IN IP4 host^m=audio 30000 RTP/AVP 0^| dropped",
        "c=IN IP4 192.168.7.2^m=audio 30000 RTP/AVP 0^| nothing",
        "v=0^| nothing",
      })
  void calls(String description, String expected) {
    assertEquals(expected, after(INVITE + description));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "SIP/2.0 200 OK^CSeq: 1 INVITE^^| nothing",
        "SIP/2.0 2x0 OK^CSeq: 1 INVITE^^| nothing",
        "SIP/2.0 x00 OK^CSeq: 1 INVITE^^| dropped",
        "SIP/2.0 000 OK^CSeq: 1 INVITE^^| dropped",
        "SIP/2.0 200 OK^^| dropped",
        "SIP/2.0 200| dropped",
        "SIP/2.0| nothing",
        "INVITE| nothing",
        "INVITE sip:b SIP/2.0^^| dropped",
        "INVITEsip:b SIP/2.0^^| nothing",
        "OPTIONS sip:b SIP/2.0^^| nothing",
        "{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}| nothing",
        "^^^^^^^^^^^^^^^^| nothing",
      })
  void firstLines(String message, String expected) {
    assertEquals(expected, after(message));
  }
}
