// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.skbwalk.kernel.Clock;
import io.skbwalk.language.IptablesSaveParser;
import io.skbwalk.skb.Net;
import java.time.Instant;
import java.time.LocalDate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The time match at moments of the virtual clock. */
class TimeMatchTest {
  private static PacketMatch match(String options, Net net) {
    String text = "*filter\n-A FORWARD -m time " + options + "\nCOMMIT\n";
    return IptablesSaveParser.parse(text, "f")
        .table(TableKind.FILTER)
        .chain("FORWARD")
        .rules()
        .get(0)
        .matches()
        .get(0)
        .bind(new Environment(net, null, null, null, null));
  }

  @ParameterizedTest(name = "{0} at {1}")
  @CsvSource(
      delimiter = '|',
      value = {
        "--timestart 08:00 --timestop 17:30 | 2026-11-25T08:00:00Z | yes",
        "--timestart 08:00 --timestop 17:30 | 2026-11-25T17:30:00Z | yes",
        "--timestart 08:00 --timestop 17:30 | 2026-11-25T17:30:01Z | no: it is 17:30:01",
        "--timestart 08:00 --timestop 17:30 | 2026-11-25T07:59:59Z | no: it is 07:59:59",
        "--timestart 23:00 --timestop 01:00 | 2026-11-25T23:30:00Z | yes",
        "--timestart 23:00 --timestop 01:00 | 2026-11-26T00:59:00Z | yes",
        "--timestart 23:00 --timestop 01:00 | 2026-11-26T12:00:00Z | no: it is 12:00:00",
        "--weekdays Wed | 2026-11-25T00:00:00Z | yes",
        "--weekdays Wed | 2026-11-26T00:00:00Z | no: it is Thu, 2026-11-26T00:00:00",
        "! --weekdays 7 | 2026-11-29T00:00:00Z | no: it is Sun, 2026-11-29T00:00:00",
        "--weekdays 7 | 2026-11-29T23:59:59Z | yes",
        "--weekdays Wed --timestart 23:00 --timestop 01:00 | 2026-11-25T00:30:00Z | yes",
        "--weekdays Wed --timestart 23:00 --timestop 01:00 --contiguous | 2026-11-25T00:30:00Z"
            + " | no: it is Wed, 2026-11-25T00:30:00",
        "--weekdays Wed --timestart 23:00 --timestop 01:00 --contiguous | 2026-11-26T01:00:00Z"
            + " | yes",
        "--monthdays 1 --timestart 23:00 --timestop 01:00 --contiguous | 2026-03-02T00:10:00Z"
            + " | yes",
        "--monthdays 29 | 2028-02-29T10:00:00Z | yes",
        "--monthdays 1,31 | 2026-12-30T10:00:00Z | no: it is day 30 of the month,"
            + " 2026-12-30T10:00:00",
        "--datestart 2026-11-25 | 2026-11-24T23:59:59Z | no: it is 2026-11-24T23:59:59",
        "--datestart 2026-11-25 | 2026-11-25T00:00:00Z | yes",
        "--datestop 2026-11-25T12:00 | 2026-11-25T12:00:00.9Z | yes",
        "--datestop 2026-11-25T12:00 | 2026-11-25T12:00:01Z | no: it is 2026-11-25T12:00:01",
        "--utc | 2039-01-01T00:00:00Z | no: it is 2039-01-01T00:00:00",
      })
  void looksAtTheClock(String options, Instant at, String answer) {
    Net net = new Net(at.getEpochSecond() * Clock.SECOND + at.getNano(), 1);
    PacketMatch match = match(options, net);
    assertEquals(answer, match.matches(null, null) ? "yes" : "no: " + match.explain(null, null));
  }

  @Test
  void knowsEachDayOfTheMonth() {
    for (LocalDate day = LocalDate.EPOCH; day.getYear() < 2038; day = day.plusDays(1)) {
      Net net = new Net(day.toEpochDay() * 86_400L * Clock.SECOND, 1);
      String options = "--monthdays " + day.getDayOfMonth();
      assertEquals(true, match(options, net).matches(null, null), day.toString());
      assertEquals(false, match("! " + options, net).matches(null, null), day.toString());
    }
  }
}
