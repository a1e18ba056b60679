// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@link Timers} run when and in which order those of Linux do; orders were seen there. */
class TimersTest {
  private static final long MILLI = 1_000_000L;

  /** Where buckets of all widths begin. */
  private static final long START = Clock.nanos(1L << 36);

  private final Clock clock = new Clock(START);
  private final Timers timers = new Timers(clock);
  private final List<String> ran = new ArrayList<>();

  /** Tells when it ran; armed again as often as said. */
  private final class Told extends Timer {
    private final String name;
    private final long everyMillis;

    Told(String name, long everyMillis) {
      this.name = name;
      this.everyMillis = everyMillis;
    }

    void arm() {
      timers.modify(this, clock.now() + everyMillis * MILLI);
    }

    @Override
    protected void expired() {
      ran.add(name + " " + (clock.now() - START) / MILLI);
      arm();
    }
  }

  private void armed(int atMillis, Told... told) {
    timers.advanceTo(START + atMillis * MILLI);
    for (Told one : told) {
      one.arm();
    }
  }

  @ParameterizedTest(name = "{0} ms from {1} ms on: runs at {2} ms")
  @CsvSource({
    "1, 0, 4",
    "4, 0, 8",
    "4, 3, 8",
    "100, 0, 104",
    "251, 1, 256",
    "252, 0, 256",
    "260, 0, 288",
    "1000, 0, 1024",
    "1000, 24, 1056",
    "1000, 20, 1024",
    "2016, 0, 2048",
    "30000, 0, 30720",
    "300000, 0, 311296"
  })
  void aTimerIsLateByUpToAnEighthOfItsTime(int millis, int from, int runs) {
    Told timer = new Told("it", millis);
    armed(from, timer);
    assertEquals(START + runs * MILLI, timers.nextExpiry());
    assertEquals(START + (from + millis) * MILLI, timer.expires());
  }

  @Test
  void timersOfOneBucketRunInReverseAndTheirNextRunInReverseAgain() {
    armed(0, new Told("a", 1000));
    armed(3, new Told("b", 1000));
    armed(10, new Told("c", 1000));
    timers.advanceTo(START + 2500 * MILLI);
    assertEquals(List.of("c 1024", "b 1024", "a 1024", "a 2048", "b 2048", "c 2048"), ran);
  }

  @Test
  void timersOfTwoBucketsRunInTheOrderOfTheBuckets() {
    armed(0, new Told("a", 1000));
    armed(23, new Told("b", 1000));
    armed(24, new Told("c", 1000));
    timers.advanceTo(START + 1100 * MILLI);
    assertEquals(List.of("b 1024", "a 1024", "c 1056"), ran);
  }

  @Test
  void whatFallsIntoTheSameBucketAgainKeepsItsPlace() {
    Told first = new Told("a", 1000);
    armed(0, first, new Told("b", 1000));
    armed(8, first);
    timers.advanceTo(START + 1024 * MILLI);
    assertEquals(List.of("b 1024", "a 1024"), ran);
  }

  @Test
  void ofAllBucketsThatEndNowTheWidestIsFirst() {
    Told soon = new Told("soon", 20);
    armed(0, new Told("late", 1000));
    armed(1000, soon);
    timers.advanceTo(START + 1024 * MILLI);
    assertEquals(List.of("late 1024", "soon 1024"), ran);
  }
}
