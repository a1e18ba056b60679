// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.conformance.Comparison.Difference;
import io.skbwalk.conformance.Outcome.Sent;
import io.skbwalk.conformance.Outcome.StepOutcome;
import io.skbwalk.host.HostDescription;
import io.skbwalk.language.FrameBuilder;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What counts as a difference. */
class ComparisonTest {
  private static final HostDescription HOST =
      new HostDescription(
          "host", List.of(), List.of(), List.of(), List.of(), false, Map.of(), List.of());
  private static final Scenario SCENARIO =
      new Scenario("test", HOST, "", List.of(new Scenario.Step("eth0", new byte[14], "a frame")));
  private static final String UDP =
      "udp      17 29 src=1.1.1.1 dst=2.2.2.2 sport=1 dport=2 [UNREPLIED] src=2.2.2.2";
  private static final String UDP_LATER =
      "udp      17 27 src=1.1.1.1 dst=2.2.2.2 sport=1 dport=2 [UNREPLIED] src=2.2.2.2";
  private static final String TCP = "tcp      6 119 SYN_SENT src=1.1.1.1 dst=2.2.2.2";

  /** A frame that leaves, told apart by three of its fields. */
  private static FrameBuilder frame() {
    return new FrameBuilder(1, 2).ip(0x01010101, 0x02020202).udp(1, 2).id(7);
  }

  private static Outcome sent(FrameBuilder... frames) {
    return step(
        new StepOutcome(
            java.util.stream.Stream.of(frames)
                .map(frame -> new Sent("eth0", frame.frame()))
                .toList(),
            List.of(),
            List.of()));
  }

  private static Outcome step(StepOutcome step) {
    return new Outcome(
        List.of(step),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        0);
  }

  private static Outcome dropped(String... drops) {
    return step(new StepOutcome(List.of(), List.of(drops), List.of()));
  }

  /** An outcome with one line where {@code kind} says. */
  private static Outcome line(String kind, String... lines) {
    List<String> some = List.of(lines);
    List<String> none = List.of();
    return new Outcome(
        List.of(new StepOutcome(List.of(), List.of(), List.of())),
        kind.equals("counters") ? some : none,
        kind.equals("connections") ? some : none,
        kind.equals("sockets") ? some : none,
        kind.equals("events") ? some : none,
        kind.equals("expectations") ? some : none,
        kind.equals("accounting") ? some : none,
        kind.equals("sets") ? some : none,
        0);
  }

  private static void equal(Outcome kernel, Outcome again, Outcome model) {
    assertEquals(List.of(), Comparison.of(SCENARIO, kernel, again, model));
  }

  private static void differs(String beginning, Outcome kernel, Outcome again, Outcome model) {
    List<Difference> differences = Comparison.of(SCENARIO, kernel, again, model);
    assertEquals(1, differences.size(), differences::toString);
    assertTrue(differences.get(0).text().startsWith(beginning), differences::toString);
    assertEquals(0, differences.get(0).frame());
  }

  private static void differs(String beginning, Outcome kernel, Outcome model) {
    differs(beginning, kernel, kernel, model);
  }

  private static Outcome aside(long nanos, Outcome of) {
    return new Outcome(
        of.steps(),
        of.counters(),
        of.conntrack(),
        of.sockets(),
        of.events(),
        of.expectations(),
        of.accounting(),
        of.ipsets(),
        nanos);
  }

  @Test
  void theSameIsEqual() {
    equal(sent(frame()), sent(frame()), sent(frame()));
    equal(dropped("A b", "C d"), dropped("A b", "C d"), dropped("A b", "C d"));
  }

  @Test
  void framesThatLeave() {
    String where = "frame 1 (in eth0, a frame): sent #";
    differs(where + 1, sent(frame()), sent());
    differs(where + 1, sent(), sent(frame()));
    differs(where + 2, sent(frame(), frame()), sent(frame()));
    differs(where + 1, sent(frame()), sent(frame().ttl(63)));
    differs(where + 1, sent(frame()), sent(frame().payload(new byte[1])));
    differs(where + 1, sent(frame()), sent(new FrameBuilder(1, 3).ip(1, 2)));
    differs(
        where + 1,
        sent(frame()),
        step(new StepOutcome(List.of(new Sent("eth1", frame().frame())), List.of(), List.of())));
  }

  @Test
  void anIdentificationThatTheKernelKeepsIsCompared() {
    differs("frame 1 (in eth0, a frame): sent #1", sent(frame()), sent(frame().id(8)));
  }

  @Test
  void anIdentificationThatTheKernelChoosesIsNotComparedButAllElseIs() {
    equal(sent(frame()), sent(frame().id(8)), sent(frame().id(9)));
    differs(
        "frame 1 (in eth0, a frame): sent #1",
        sent(frame()),
        sent(frame().id(8)),
        sent(frame().id(9).ttl(63)));
    differs(
        "frame 1 (in eth0, a frame): sent #1",
        sent(frame()),
        sent(frame().id(8)),
        sent(frame().id(9).fragment(0x4000)));
    differs(
        "frame 1 (in eth0, a frame): sent #1",
        sent(frame()),
        sent(frame().id(8)),
        sent(frame().id(9).udp(1, 3)));
  }

  /** Four frames, the last after a pause in which {@code questions} are asked. */
  private static Outcome asked(Sent... questions) {
    StepOutcome nothing = new StepOutcome(List.of(), List.of(), List.of());
    StepOutcome last = new StepOutcome(List.of(questions), List.of(), List.of());
    List<String> none = List.of();
    return new Outcome(
        List.of(nothing, nothing, nothing, last), none, none, none, none, none, none, none, 0);
  }

  @Test
  void questionsThatTimersRepeatHaveNoOrderOnAnInterfaceWhenManyFramesCameBefore() {
    Scenario.Step frame = new Scenario.Step("eth0", new byte[14], "a frame");
    Scenario.Step later = new Scenario.Step("eth0", new byte[14], "a frame", 1_400_000_000L);
    Scenario many = new Scenario("test", HOST, "", List.of(frame, frame, frame, later));
    byte[] one = new byte[42];
    one[12] = 8;
    one[13] = 6;
    one[21] = 1;
    byte[] two = one.clone();
    two[41] = 2;
    byte[] answer = two.clone();
    answer[21] = 2;
    Outcome kernel = asked(new Sent("eth0", one), new Sent("eth0", two), new Sent("eth1", one));
    Outcome other = asked(new Sent("eth0", two), new Sent("eth0", one), new Sent("eth1", one));
    assertEquals(List.of(), Comparison.of(many, kernel, kernel, other));
    Outcome less = asked(new Sent("eth0", two), new Sent("eth1", one));
    assertEquals(1, Comparison.of(many, kernel, kernel, less).size());
    Outcome elsewhere = asked(new Sent("eth0", one), new Sent("eth1", two), new Sent("eth1", one));
    assertEquals(1, Comparison.of(many, kernel, kernel, elsewhere).size());
    Outcome answered = asked(new Sent("eth0", answer), new Sent("eth0", one));
    Outcome asks = asked(new Sent("eth0", one), new Sent("eth0", answer));
    assertEquals(1, Comparison.of(many, answered, answered, asks).size());
    Scenario few = new Scenario("test", HOST, "", List.of(later));
    assertEquals(1, Comparison.of(few, last(kernel), last(kernel), last(other)).size());
  }

  private static Outcome last(Outcome outcome) {
    return step(outcome.steps().get(3));
  }

  @Test
  void dropsTheirReasonsFunctionsAndOrder() {
    String where = "frame 1 (in eth0, a frame): drops";
    differs(where, dropped("A b"), dropped());
    differs(where, dropped(), dropped("A b"));
    differs(where, dropped("A b"), dropped("A c"));
    differs(where, dropped("A b", "C d"), dropped("C d", "A b"));
  }

  @Test
  void dropsThatTheKernelDoesNotRepeatAreNotCompared() {
    equal(dropped("A b"), dropped("C d"), dropped());
  }

  @ParameterizedTest
  @CsvSource({"counters", "connections", "sockets", "events", "expectations", "accounting"})
  void linesOfEachKind(String kind) {
    equal(line(kind, TCP, UDP), line(kind, TCP, UDP), line(kind, TCP, UDP));
    differs(kind, line(kind, TCP), line(kind, UDP));
    differs(kind, line(kind, TCP), line(kind));
    differs(kind, line(kind), line(kind, TCP));
    equal(line(kind, TCP), line(kind, TCP + " x"), line(kind, TCP + " y"));
  }

  @Test
  void theConnectionTableHasNoOrderButEventsDo() {
    Outcome ordered = line("connections", TCP, UDP);
    equal(ordered, ordered, line("connections", UDP, TCP));
    differs("events", line("events", TCP, UDP), line("events", UDP, TCP));
  }

  @Test
  void theKernelsTimeoutsMayHaveRunForAMomentButNoLongerAndNeverBackwards() {
    Outcome kernel = line("connections", UDP_LATER);
    equal(kernel, kernel, line("connections", UDP));
    differs("connections: timeout", line("connections", UDP), line("connections", UDP_LATER));
    Outcome longer = line("connections", UDP.replace("17 29", "17 30"));
    differs("connections: timeout", kernel, longer);
    Outcome slow = aside(1_000_000_000L, kernel);
    equal(slow, slow, longer);
    differs("connections: timeout", slow, line("connections", UDP.replace("17 29", "17 31")));
  }
}
