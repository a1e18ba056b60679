// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack.helper;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Datagrams to TFTP's port and the transfer that Linux expects after them. */
class TftpRequestTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{0}{1}file{0}octet{0}; udp/192.168.7.2:4000",
        "{0}{2}file{0}octet{0}; udp/192.168.7.2:4000",
        // What is asked for does not matter.
        "{0}{1}; udp/192.168.7.2:4000",
        "{0}{2}file; udp/192.168.7.2:4000",
        "{0}{1}{ff}{ff}; udp/192.168.7.2:4000",
        // Data, acknowledgements, errors, options and what nobody knows.
        "{0}{3}{0}{1}data; nothing",
        "{0}{4}{0}{1}; nothing",
        "{0}{5}{0}{1}no{0}; nothing",
        "{0}{6}blksize{0}; nothing",
        "{0}{0}file{0}; nothing",
        "{1}{0}file{0}octet{0}; nothing",
        "{1}{1}file{0}octet{0}; nothing",
        "{1}; nothing",
      })
  void expects(String datagram, String expected) {
    assertEquals(expected, new Overheard("tftp", "udp", 69).after(true, Overheard.bytes(datagram)));
  }

  @Test
  void anEmptyDatagramIsNoRequest() {
    assertEquals("nothing", new Overheard("tftp", "udp", 69).after(true, new byte[0]));
  }

  @Test
  void theSameRequestAgainIsExpectedOnce() {
    Overheard tftp = new Overheard("tftp", "udp", 69);
    tftp.after(true, Overheard.bytes("{0}{1}file{0}octet{0}"));
    assertEquals(
        "udp/192.168.7.2:4000", tftp.after(true, Overheard.bytes("{0}{2}other{0}octet{0}")));
  }

  @Test
  void anAnswerIsReadAsARequestToo() {
    Overheard tftp = new Overheard("tftp", "udp", 69);
    tftp.after(true, Overheard.bytes("{0}{4}{0}{1}"));
    assertEquals(
        "udp/192.168.7.2:4000", tftp.after(false, Overheard.bytes("{0}{1}file{0}octet{0}")));
  }
}
