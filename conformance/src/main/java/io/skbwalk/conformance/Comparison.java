// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.conformance.Outcome.Sent;
import io.skbwalk.conformance.Outcome.StepOutcome;
import io.skbwalk.kernel.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Compares what the kernel did (twice) with what the model did. Where the kernel's own two runs
 * differ, the kernel chose at random (the IP identification of packets that it makes itself, a port
 * when NAT tuples clash), and that is not compared.
 */
final class Comparison {
  /**
   * Something that differs.
   *
   * @param frame index of the frame that it shows at, from 0; the last one's when it shows at the
   *     end
   * @param text what, with both sides' view
   */
  record Difference(int frame, String text) {}

  private static final int ETHERNET = 14;

  /** So many frames surely reach the kernel within a bucket of its timer wheel. */
  private static final int TOGETHER = 2;

  private static final Pattern TIMEOUT = Pattern.compile("^(\\[\\w+\\] *)?(\\w+ +\\d+ )?(\\d+) ");

  /** What the second that is begun makes of an age. */
  private static final Pattern AGE = Pattern.compile(" delta-time=(\\d+)");

  private static final Pattern SECONDS = Pattern.compile("(?<=^add .{1,80}) timeout (\\d+)");

  private final Outcome kernel;
  private final Outcome again;
  private final Outcome model;
  private final ChosenNumbers chosen;
  private final boolean queues;
  private final List<Difference> differences = new ArrayList<>();

  private Comparison(Scenario scenario, Outcome kernel, Outcome again, Outcome model) {
    this.kernel = kernel;
    this.again = again;
    this.model = model;
    queues = !scenario.host().netfilter().queues().isEmpty();
    chosen = scenario.choosesSequences() ? ChosenNumbers.of(kernel.steps(), model.steps()) : null;
  }

  /** What differs, the first first; empty when all is equal. */
  static List<Difference> of(Scenario scenario, Outcome kernel, Outcome again, Outcome model) {
    Comparison comparison = new Comparison(scenario, kernel, again, model);
    for (int i = 0; i < scenario.steps().size(); i++) {
      comparison.step(i, scenario.steps().get(i));
    }
    comparison.lines("counters", kernel.counters(), again.counters(), model.counters());
    comparison.lines("sockets", kernel.sockets(), again.sockets(), model.sockets());
    comparison.timedLines(
        "connections", kernel.conntrack(), again.conntrack(), comparison.connectionsLeft());
    comparison.timedLines("events", kernel.events(), again.events(), model.events());
    comparison.timedLines(
        "expectations", kernel.expectations(), again.expectations(), model.expectations());
    comparison.lines("accounting", kernel.accounting(), again.accounting(), model.accounting());
    comparison.sets();
    return comparison.differences;
  }

  private void step(int index, Scenario.Step step) {
    StepOutcome expected = kernel.steps().get(index);
    StepOutcome second = again.steps().get(index);
    StepOutcome actual = model.steps().get(index);
    String where =
        "frame "
            + (index + 1)
            + " ("
            + (step.device() == null ? "sent by the host" : "in " + step.device())
            + (step.comment().isEmpty() ? "" : ", " + step.comment())
            + "): ";
    if (!drops(expected).equals(drops(actual)) && expected.drops().equals(second.drops())) {
      add(index, where + "drops\n  kernel " + expected.drops() + "\n  model  " + actual.drops());
    }
    boolean anyOrder = step.afterNanos() > 0 && index > TOGETHER;
    List<Sent> first = anyOrder ? withQuestionsSorted(expected.sent()) : expected.sent();
    List<Sent> other = anyOrder ? withQuestionsSorted(second.sent()) : second.sent();
    List<Sent> own = anyOrder ? withQuestionsSorted(actual.sent()) : actual.sent();
    for (int i = 0; i < Math.max(first.size(), own.size()); i++) {
      Sent ours = i < own.size() ? own.get(i) : null;
      Sent theirs = i < first.size() ? first.get(i) : null;
      Sent theirsAgain = i < other.size() ? other.get(i) : null;
      if (theirs != null && ours != null && theirsAgain != null) {
        byte[] model =
            chosen == null ? ours.frame() : chosen.inKernelsTerms(ours.frame(), theirs.frame());
        byte[] a = withoutChoices(theirs.frame(), theirs.frame(), theirsAgain.frame());
        byte[] b = withoutChoices(model, theirs.frame(), theirsAgain.frame());
        if (theirs.device().equals(ours.device()) && Arrays.equals(a, b)) {
          continue;
        }
      }
      add(
          index,
          where + "sent #" + (i + 1) + "\n  kernel " + text(theirs) + "\n  model  " + text(ours));
      break;
    }
    logs(index, where, expected.logs(), second.logs(), actual.logs());
  }

  /**
   * The drops of a frame; sorted where programs listen on queues. The kernel's answer when it is
   * done with the frame, the model's at once, and what they let go on may be lost further on.
   */
  private List<String> drops(StepOutcome outcome) {
    return queues ? outcome.drops().stream().sorted().toList() : outcome.drops();
  }

  /**
   * {@code sent} with the ARP requests of each interface sorted. In which order timers repeat them
   * hangs on the buckets of the kernel's timer wheel: those of one run in reverse, and in which two
   * lie, on how many milliseconds after the first the second was asked.
   */
  private static List<Sent> withQuestionsSorted(List<Sent> sent) {
    List<Sent> sorted = new ArrayList<>(sent);
    Map<String, List<Sent>> questions =
        sent.stream().filter(Comparison::isQuestion).collect(Collectors.groupingBy(Sent::device));
    questions.forEach(
        (device, ofDevice) -> {
          List<Sent> inOrder = new ArrayList<>(ofDevice);
          inOrder.sort((a, b) -> Arrays.compare(a.frame(), b.frame()));
          sorted.replaceAll(one -> ofDevice.contains(one) ? inOrder.remove(0) : one);
        });
    return sorted;
  }

  private static boolean isQuestion(Sent sent) {
    byte[] frame = sent.frame();
    return frame.length > ETHERNET + 7
        && frame[12] == 0x08
        && frame[13] == 0x06
        && frame[ETHERNET + 7] == 1;
  }

  /** Lines of the kernel log; a word in which the kernel's own runs differ is not compared. */
  private void logs(
      int index, String where, List<String> expected, List<String> second, List<String> actual) {
    for (int i = 0; i < Math.max(expected.size(), actual.size()); i++) {
      String theirs = i < expected.size() ? expected.get(i) : "(nothing)";
      String ours = i < actual.size() ? actual.get(i) : "(nothing)";
      String again = i < second.size() ? second.get(i) : theirs;
      if (!sameWords(theirs.split(" "), again.split(" "), ours.split(" "))) {
        add(index, where + "log, line " + (i + 1) + "\n  kernel " + theirs + "\n  model  " + ours);
        return;
      }
    }
  }

  private static boolean sameWords(String[] once, String[] twice, String[] words) {
    if (words.length != once.length) {
      return false;
    }
    for (int i = 0; i < words.length; i++) {
      boolean chosen = twice.length == once.length && !twice[i].equals(once[i]);
      if (!chosen && !words[i].equals(once[i])) {
        return false;
      }
    }
    return true;
  }

  private void add(int frame, String text) {
    differences.add(new Difference(frame, text));
  }

  private static String text(Sent sent) {
    return sent == null ? "nothing" : sent.device() + " " + HexFormat.of().formatHex(sent.frame());
  }

  /**
   * {@code frame} with zeros where two runs of the kernel differ: the IP identification, checksums,
   * and whole 32-bit words that are read from the clock.
   */
  private static byte[] withoutChoices(byte[] frame, byte[] once, byte[] twice) {
    if (Arrays.equals(once, twice) || once.length != twice.length || frame.length != once.length) {
      return frame;
    }
    byte[] bytes = frame.clone();
    int ip = once.length >= ETHERNET && once[12] == (byte) 0x81 ? ETHERNET + 4 : ETHERNET;
    for (int word = ip; word < bytes.length; word += 4) {
      int end = Math.min(word + 4, bytes.length);
      if (!Arrays.equals(once, word, end, twice, word, end)) {
        // Beside the identification stand the fragment's flags and offset; beside the checksum the
        // TTL.
        int from = word == ip + 8 ? word + 2 : word;
        if (word >= ip + 20) {
          // A clock's four bytes may lie across words, as in an option that is quoted.
          from = word + Arrays.mismatch(once, word, end, twice, word, end) - 3;
        }
        Arrays.fill(bytes, from, word == ip + 4 ? word + 2 : end, (byte) 0);
      }
    }
    return bytes;
  }

  /**
   * Sets and their elements. Where a set's hash begins at random the kernel's order is random too,
   * so lines are compared sorted; the seconds that are left may be a little fewer in the kernel.
   */
  private void sets() {
    List<String> expected = sortedSets(kernel.ipsets());
    List<String> actual = sortedSets(model.ipsets());
    // A port that NAT chose may stand in an element.
    List<String> second = seconds(sortedSets(again.ipsets()), false);
    lines("sets", seconds(expected, false), second, seconds(actual, false));
    List<String> theirs = seconds(expected, true);
    List<String> ours = seconds(actual, true);
    for (int i = 0; i < Math.min(theirs.size(), ours.size()); i++) {
      long difference = Long.parseLong(ours.get(i)) - Long.parseLong(theirs.get(i));
      if (difference < 0 || difference > secondsAside()) {
        add(
            kernel.steps().size() - 1,
            "sets: timeout\n  kernel " + expected.get(i) + "\n  model  " + actual.get(i));
        return;
      }
    }
  }

  /** The model's connections without those that have ended in the kernel while it was asked. */
  private List<String> connectionsLeft() {
    List<String> known =
        kernel.conntrack().stream().map(Comparison::withoutTimeout).collect(Collectors.toList());
    List<String> left = new ArrayList<>(model.conntrack());
    for (String line : model.conntrack()) {
      boolean there = known.remove(withoutTimeout(line));
      if (!there && timeout(line) <= secondsAside() && left.size() > kernel.conntrack().size()) {
        left.remove(line);
      }
    }
    return left;
  }

  /** By how many seconds timeouts may have run down further in the kernel, whose time passes. */
  private long secondsAside() {
    return 2 + kernel.aside() / Clock.SECOND;
  }

  private static List<String> sortedSets(List<String> lines) {
    return lines.stream()
        .map(line -> line.replaceFirst(" initval 0x[0-9a-f]{8}", ""))
        .sorted(Comparator.comparing(line -> SECONDS.matcher(line).replaceFirst("")))
        .toList();
  }

  /** The seconds that each line says are left, -1 for none; or the lines without them. */
  private static List<String> seconds(List<String> lines, boolean only) {
    List<String> out = new ArrayList<>();
    for (String line : lines) {
      Matcher matcher = SECONDS.matcher(line);
      boolean found = matcher.find();
      out.add(only ? (found ? matcher.group(1) : "-1") : matcher.replaceFirst(" timeout *"));
    }
    return out;
  }

  private void lines(String what, List<String> expected, List<String> second, List<String> actual) {
    for (int i = 0; i < Math.max(expected.size(), actual.size()); i++) {
      String theirs = i < expected.size() ? expected.get(i) : "(nothing)";
      String ours = i < actual.size() ? actual.get(i) : "(nothing)";
      boolean chosen = i < second.size() && i < expected.size() && !second.get(i).equals(theirs);
      if (!theirs.equals(ours) && !chosen) {
        add(
            kernel.steps().size() - 1,
            what + ", line " + (i + 1) + "\n  kernel " + theirs + "\n  model  " + ours);
        return;
      }
    }
  }

  /**
   * Lines with a timeout in seconds, which may be a little less in the kernel, and perhaps an age.
   */
  private void timedLines(
      String what, List<String> expected, List<String> second, List<String> actual) {
    lines(
        what,
        expected.stream().map(Comparison::withoutTimeout).sorted(order(what)).toList(),
        second.stream().map(Comparison::withoutTimeout).sorted(order(what)).toList(),
        actual.stream().map(Comparison::withoutTimeout).sorted(order(what)).toList());
    List<String> byText = expected.stream().sorted(order(what)).toList();
    List<String> oursByText = actual.stream().sorted(order(what)).toList();
    for (int i = 0; i < Math.min(byText.size(), oursByText.size()); i++) {
      long theirs = timeout(byText.get(i));
      long ours = timeout(oursByText.get(i));
      if (withoutTimeout(byText.get(i)).equals(withoutTimeout(oursByText.get(i)))
          && (ours - theirs > secondsAside()
              || theirs > ours
              || Math.abs(age(byText.get(i)) - age(oursByText.get(i))) >= secondsAside())) {
        add(
            kernel.steps().size() - 1,
            what + ": timeout\n  kernel " + byText.get(i) + "\n  model  " + oursByText.get(i));
        return;
      }
    }
  }

  /** Events keep their order; the connection table has none. */
  private static Comparator<String> order(String what) {
    return what.equals("events") ? (a, b) -> 0 : Comparator.comparing(Comparison::withoutTimeout);
  }

  private static String withoutTimeout(String line) {
    return AGE.matcher(TIMEOUT.matcher(line).replaceFirst("$1$2* ")).replaceFirst(" delta-time=*");
  }

  private static long age(String line) {
    Matcher matcher = AGE.matcher(line);
    return matcher.find() ? Long.parseLong(matcher.group(1)) : 0;
  }

  private static long timeout(String line) {
    Matcher matcher = TIMEOUT.matcher(line);
    return matcher.find() ? Long.parseLong(matcher.group(3)) : 0;
  }
}
