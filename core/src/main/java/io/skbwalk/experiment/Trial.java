// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.experiment;

import io.skbwalk.experiment.PacketExpectation.OfConversation;
import io.skbwalk.host.Host;
import io.skbwalk.language.ScenarioFile;
import io.skbwalk.language.ScenarioFile.Judged;
import io.skbwalk.language.YamlValue;
import io.skbwalk.replay.FrameRecord;
import io.skbwalk.replay.Replay;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** One experiment while it runs: its packets are judged as their fates become known. */
final class Trial {
  /** Packets of one step whose failure is told; a flood that fails would tell the same of each. */
  private static final int MOST_FAILURES = 3;

  final ScenarioFile.Experiment experiment;

  /** Of each step; of a conversation what is expected of each of its packets' kinds. */
  private final List<OfConversation> expectations = new ArrayList<>();

  /** The packet of each conversation that came last. */
  private final Map<Integer, FrameRecord> last = new HashMap<>();

  private final EndExpectation end;

  /** Packets that the machine has got before the first of this experiment. */
  private long base;

  private final int[] failed;
  private int judged;
  private final List<Failure> failures = new ArrayList<>();

  /** Reads what is expected. */
  Trial(ScenarioFile.Experiment experiment, RuleNames rules) {
    this.experiment = experiment;
    for (ScenarioFile.Step step : experiment.steps()) {
      expectations.add(step.expect() == null ? null : read(step, rules));
    }
    end = experiment.expect() == null ? null : EndExpectation.of(experiment.expect(), rules);
    failed = new int[expectations.size()];
  }

  private static OfConversation read(ScenarioFile.Step step, RuleNames rules) {
    if (step.judged() == Judged.CONVERSATION) {
      return PacketExpectation.ofConversation(step.expect(), rules);
    }
    PacketExpectation one = PacketExpectation.of(step.expect(), rules);
    return new OfConversation(one, null, null, null);
  }

  /** So many packets came before. */
  void begin(long packets) {
    base = packets;
  }

  /** Is the frame one of this experiment's? */
  boolean has(FrameRecord record) {
    return record.place > base && record.place <= base + experiment.packets().size();
  }

  /** The step that a frame of this experiment belongs to. */
  private int step(FrameRecord record) {
    long index = record.place - base - 1;
    int low = 0;
    int high = experiment.steps().size() - 1;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (experiment.steps().get(middle).first() <= index) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

  /** Shall the walk of the frame be kept? */
  boolean expects(FrameRecord record) {
    int number = step(record);
    return !checks(number, record).isEmpty()
        || expectations.get(number) != null && expectations.get(number).completes() != null;
  }

  /** What is asked of the frame, which belongs to that step. */
  private List<Check> checks(int number, FrameRecord record) {
    ScenarioFile.Step step = experiment.steps().get(number);
    OfConversation expected = expectations.get(number);
    if (expected == null) {
      return List.of();
    }
    long index = record.place - base - 1 - step.first();
    switch (step.judged()) {
      case EACH:
        return expected.first().checks();
      case LAST:
        return index == step.count() - 1 ? expected.first().checks() : List.of();
      default:
        List<Check> checks = new ArrayList<>();
        if (index == 0) {
          checks.addAll(expected.first().checks());
        }
        boolean reply = experiment.packets().get((int) (record.place - base - 1)).turn().reply();
        PacketExpectation others = reply ? expected.replies() : expected.every();
        if (others != null) {
          checks.addAll(others.checks());
        }
        return checks;
    }
  }

  /** The fate of one of its frames is known. */
  void judge(FrameRecord record) {
    if (!expects(record)) {
      return;
    }
    int number = step(record);
    if (expectations.get(number).completes() != null) {
      last.put(number, record);
    }
    List<Failure.Mismatch> mismatches = new ArrayList<>();
    int parts = Integer.MAX_VALUE;
    for (Check check : checks(number, record)) {
      judged++;
      if (!check.holds(record)) {
        mismatches.add(check.mismatch(record));
        parts = Math.min(parts, check.part().end(record));
      }
    }
    if (!mismatches.isEmpty() && failed[number]++ < MOST_FAILURES) {
      failures.add(
          new Failure(subject(number, record), mismatches, record, WalkPart.told(record, parts)));
    }
  }

  private String subject(int number, FrameRecord record) {
    ScenarioFile.Step step = experiment.steps().get(number);
    String subject = "packet " + (number + 1);
    long index = record.place - base - step.first();
    return step.count() == 1 ? subject : subject + " (" + index + " of " + step.count() + ")";
  }

  /**
   * Its packets are sent.
   *
   * @return nanoseconds that went by while it waited to look
   */
  long end(Host host, Replay replay) {
    for (int i = 0; i < expectations.size(); i++) {
      if (expectations.get(i) != null && expectations.get(i).completes() != null) {
        complete(i, replay);
      }
    }
    if (end == null) {
      return 0;
    }
    if (end.afterNanos > 0) {
      host.advanceTo(host.now() + end.afterNanos);
    }
    judged += end.size();
    List<Failure.Mismatch> mismatches = end.mismatches(host);
    if (!mismatches.isEmpty()) {
      failures.add(new Failure("the end", mismatches, null, List.of()));
    }
    return end.afterNanos;
  }

  private void complete(int number, Replay replay) {
    ScenarioFile.Step step = experiment.steps().get(number);
    YamlValue completes = expectations.get(number).completes();
    String broken = replay.broken(experiment.packets().get(step.first()).turn().conversation());
    judged++;
    if ((broken == null) != completes.bool()) {
      FrameRecord record = broken == null ? null : last.get(number);
      failures.add(
          new Failure(
              "packet " + (number + 1),
              List.of(
                  new Failure.Mismatch(
                      completes.position(),
                      "completes",
                      completes.text(),
                      broken == null ? "true" : "false: the " + broken + " does not arrive")),
              record,
              record == null ? List.of() : WalkPart.told(record, record.events.size())));
    }
  }

  /** How it ended, once the fates of all its frames are known. */
  Outcome outcome(String file) {
    return new Outcome(
        file,
        experiment.name(),
        experiment.position(),
        experiment.packets().size(),
        judged,
        failures);
  }
}
