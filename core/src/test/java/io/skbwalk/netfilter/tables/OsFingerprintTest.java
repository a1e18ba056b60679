// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Lines of pf.os: what they say, and which are none. */
class OsFingerprintTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "S4:64:1:60:M*,S,T,N,W7:Linux:3:x:y | 1 4 64 true 60 [2, 4, 8, 1, 3] [4, 2, 10, 1, 3] Linux 3 x",
        "T%2:128:1:48:M1460, N,N,S:@Two:::  | 2 2 128 true 48 [2, 1, 1, 4] [4, 1, 1, 2] Two",
        "%512:255:0:44:M*:*Three:3::        | 3 512 255 false 44 [2] [4] Three 3",
        "8192:64:0:40:.:Four:::             | 0 8192 64 false 40 [] [] Four",
        "*:64:0:41:E,?12:Five:::            | 0 0 64 false 41 [0] [1] Five",
        "S*:64:0:40::Six:::                 | 1 0 64 false 40 [] [] Six",
      })
  void saysHowASynLooks(String line, String said) {
    OsFingerprint one = OsFingerprint.parse(line);
    String text =
        "%d %d %d %b %d %s %s %s %s %s"
            .formatted(
                one.windowIs(),
                one.window(),
                one.ttl(),
                one.df(),
                one.size(),
                one.kinds(),
                one.lengths(),
                one.genre(),
                one.version(),
                one.subtype());
    assertEquals(said, text.strip());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "S4:64:1:60:M*:Linux",
        "x:64:1:60:M*:Linux:::",
        "S4:256:1:60:M*:Linux:::",
        "S4:64:2:60:M*:Linux:::",
        "S4:64:1::M*:Linux:::",
        "%0:64:1:60:M*:Linux:::",
        "S4:64:1:60:T,T,T,T,N:Linux:::",
      })
  void isRefused(String line) {
    assertThrows(IllegalArgumentException.class, () -> OsFingerprint.parse(line));
  }

  @Test
  void theSameTwiceIsOnce() {
    OsFingerprints all = new OsFingerprints();
    all.add("S4:64:1:60:M*:Linux:::one");
    all.add("S4:64:1:60:M*:Linux:::other details");
    assertEquals(1, all.list().size());
  }
}
