// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack.helper;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.skbwalk.lib.Ip4;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Lines of FTP's control connection and what Linux reads in them. */
class FtpCommandTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        // command; line, / for CR and \ for LF; address:port and the text that they stand in
        "PORT; PORT 192,168,7,2,156,64/\\; 192.168.7.2:40000 192,168,7,2,156,64",
        "PORT; port 192,168,7,2,156,64/\\; 192.168.7.2:40000 192,168,7,2,156,64",
        "PORT; PORT 192,168,7,2,156,64\\; not whole",
        "PORT; PORT 192,168,7,2,156,64; not whole",
        "PORT; PORT 192,168,7,2,156/\\; not whole",
        "PORT; PORT ,,,,,/\\; 0.0.0.0:0 ,,,,,",
        "PORT; PORT 192,168,7,2,0,256/\\; 192.168.7.2:256 192,168,7,2,0,256",
        "PORT; PORT 192,168,7,2,99999999999999999999,1/\\; 192.168.7.2:65281"
            + " 192,168,7,2,99999999999999999999,1",
        "PORT; PORT 192,168,7,-2,156,64/\\; not whole",
        "PORT; PORT; not whole",
        "PORT; PO; not whole",
        "PORT; STOR 1,2,3,4,5,6/\\; another",
        "EPRT; EPRT |1|192.168.7.2|40000|/\\; 192.168.7.2:40000 |1|192.168.7.2|40000|",
        "EPRT; EPRT !1!192.168.7.2!40000!; 192.168.7.2:40000 !1!192.168.7.2!40000!",
        "EPRT; EPRT |2|fe80::1|40000|/\\; not whole",
        "EPRT; EPRT |1|192.168.7.2|0|/\\; not whole",
        "EPRT; EPRT |1|192.168.7.2|65537|/\\; 192.168.7.2:1 |1|192.168.7.2|65537|",
        "EPRT; EPRT |1|192.168.7.2|40000/\\; not whole",
        "EPRT; EPRT |1|192.168.7|40000|/\\; not whole",
        "EPRT; EPRT |1|; not whole",
        "PASV; 227 Entering Passive Mode (203,0,113,1,156,64)/\\; 203.0.113.1:40000"
            + " 203,0,113,1,156,64",
        "PASV; 227 =203,0,113,1,156,64/\\; 203.0.113.1:40000 203,0,113,1,156,64",
        "PASV; 227 203,0,113,1,156,64; not whole",
        "PASV; 227 none at all/\\; not whole",
        "EPSV; 229 Entering (|||40000|)/\\; :40000 |||40000|",
        "EPSV; 229 Entering (|||40000)/\\; not whole",
        "EPSV; 229 Entering (|1||40000|)/\\; not whole",
        "EPSV; 229 Entering (|||port|)/\\; not whole",
        "EPSV; 229 Entering |||40000|/\\; not whole",
      })
  void reads(FtpCommand command, String line, String expected) {
    byte[] bytes =
        line.replace('/', '\r').replace('\\', '\n').getBytes(StandardCharsets.ISO_8859_1);
    FtpCommand.Announced announced = new FtpCommand.Announced();
    if (!command.find(bytes, 0, bytes.length, announced)) {
      assertEquals(expected, "another");
      return;
    }
    if (!announced.whole) {
      assertEquals(expected, "not whole");
      return;
    }
    String text = new String(bytes, announced.from, announced.length, StandardCharsets.ISO_8859_1);
    String address = command == FtpCommand.EPSV ? "" : Ip4.format(announced.address);
    assertEquals(expected, address + ":" + announced.port + " " + text);
  }
}
