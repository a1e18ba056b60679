// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack.helper;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Control messages of PPTP and the GRE that Linux expects after them. */
class PptpCallTest {
  private static final String CALL =
      "gre/192.168.7.2:8>7 gre/198.51.100.1:7>8"; // source and destination call ids

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        // c or s for who says it, the message, what it says behind its header in hexadecimal
        "c1 s2=01000100 c7=0007 s8=0008000701; both",
        "c1 s2=01000100 c7=0007; nothing",
        // Not before the session, not for another call, not when it is refused.
        "c7=0007 s8=0008000701; nothing",
        "c1 c7=0007 s8=0008000701; nothing",
        "c1 s2=01000200 c7=0007 s8=0008000701; nothing",
        "c1 s2=01000100 s8=0008000701; nothing",
        "c1 s2=01000100 c7=0007 s8=0008000901; nothing",
        "c1 s2=01000100 c7=0007 s8=0008000702; nothing",
        "c1 s2=01000100 c7=0007 s8=0008000702 s8=0008000701; nothing",
        // The server calls.
        "c1 s2=01000100 s9=0008 c10=0007000801 s11=0007; both",
        "c1 s2=01000100 s9=0008 c10=0007000801; nothing",
        "c1 s2=01000100 s9=0008 c10=0007000901 s11=0007; nothing",
        "c1 s2=01000100 s9=0008 c10=0007000802 s11=0007; nothing",
        "c1 s2=01000100 s9=0008 c10=0007000801 s11=0009; nothing",
        "c1 s2=01000100 s11=0000; nothing",
        // Again: the same.
        "c1 s2=01000100 c7=0007 s8=0008000701 s8=0008000701; both",
        // It ends with the server's word, not with the client's.
        "c1 s2=01000100 c7=0007 s8=0008000701 c12=0007; both",
        "c1 s2=01000100 c7=0007 s8=0008000701 s13=0008; nothing",
        "c1 s2=01000100 c7=0007 s8=0008000701 c13=0008; both",
        // Nobody says what the other should.
        "s1 c2=01000100 s7=0007 c8=0008000701; nothing",
        // Echoes and messages that nobody knows change nothing.
        "c1 s2=01000100 c5 s6 c7=0007 c99 s0 c16 s8=0008000701; both",
        // No control message, another cookie, and cut short by a byte.
        "c1 s2=01000100 c7=0007 s8=0008000701/type=2; nothing",
        "c1 s2=01000100 c7=0007 s8=0008000701/cookie=1a2b3c4e; nothing",
        "c1 s2=01000100 c7=0007 s8=0008000701/cut; nothing",
        "c1/cut s2=01000100 c7=0007 s8=0008000701; nothing",
        // The length that a message says of itself is not looked at.
        "c1 s2=01000100 c7=0007 s8=0008000701/length=3; both",
        "c1 s2=01000100 c7=0007 s8=0008000701/length=ffff; both",
      })
  void expects(String messages, String expected) {
    Overheard pptp = new Overheard("pptp", "tcp", 1723);
    String then = "nothing";
    for (String message : messages.split(" ")) {
      then = pptp.after(message.startsWith("c"), message(message.substring(1)));
    }
    assertEquals(expected.equals("both") ? CALL : expected, then);
  }

  private static byte[] message(String words) {
    String[] parts = words.split("/");
    String[] said = parts[0].split("=");
    int number = Integer.parseInt(said[0]);
    int length = PptpMessage.HEADER_LENGTH + PptpMessage.length(number);
    byte[] says = HexFormat.of().parseHex(said.length > 1 ? said[1] : "");
    ByteBuffer message = ByteBuffer.allocate(Math.max(length, 12 + says.length));
    message.putShort((short) length).putShort((short) 1).putInt(0x1A2B3C4D);
    message.putShort((short) number).putShort((short) 0).put(says);
    if (parts.length == 1) {
      return message.array();
    }
    String[] wrong = parts[1].split("=");
    switch (wrong[0]) {
      case "type" -> message.putShort(2, Short.parseShort(wrong[1]));
      case "cookie" -> message.putInt(4, Integer.parseUnsignedInt(wrong[1], 16));
      case "length" -> message.putShort(0, (short) Integer.parseInt(wrong[1], 16));
      default -> {
        return java.util.Arrays.copyOf(message.array(), message.capacity() - 1);
      }
    }
    return message.array();
  }
}
