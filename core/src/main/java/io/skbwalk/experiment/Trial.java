// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.experiment;

import io.skbwalk.host.Host;
import io.skbwalk.language.ScenarioFile;
import io.skbwalk.language.ScenarioFile.Judged;
import io.skbwalk.replay.FrameRecord;
import java.util.ArrayList;
import java.util.List;

/** One experiment while it runs: its packets are judged as their fates become known. */
final class Trial {
  /** Packets of one step whose failure is told; a flood that fails would tell the same of each. */
  private static final int MOST_FAILURES = 3;

  final ScenarioFile.Experiment experiment;
  private final List<PacketExpectation> expectations = new ArrayList<>();
  private final EndExpectation end;

  /** Frames of the machine before the first of this experiment. */
  private long base;

  private final int[] failed;
  private int judged;
  private final List<Failure> failures = new ArrayList<>();

  /** Reads what is expected. */
  Trial(ScenarioFile.Experiment experiment, RuleNames rules) {
    this.experiment = experiment;
    for (ScenarioFile.Step step : experiment.steps()) {
      expectations.add(step.expect() == null ? null : PacketExpectation.of(step.expect(), rules));
    }
    end = experiment.expect() == null ? null : EndExpectation.of(experiment.expect(), rules);
    failed = new int[expectations.size()];
  }

  /** So many frames came before. */
  void begin(long frames) {
    base = frames;
  }

  /** Is the frame one of this experiment's? */
  boolean has(FrameRecord record) {
    return record.number > base && record.number <= base + experiment.packets().size();
  }

  /** The step that a frame of this experiment belongs to. */
  private int step(FrameRecord record) {
    long index = record.number - base - 1;
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

  /** Is something expected of the frame? */
  boolean expects(FrameRecord record) {
    int number = step(record);
    ScenarioFile.Step step = experiment.steps().get(number);
    long last = base + step.first() + step.count();
    return expectations.get(number) != null
        && (step.judged() == Judged.EACH || record.number == last);
  }

  /** The fate of one of its frames is known. */
  void judge(FrameRecord record) {
    if (!expects(record)) {
      return;
    }
    int number = step(record);
    List<Failure.Mismatch> mismatches = new ArrayList<>();
    int parts = Integer.MAX_VALUE;
    for (Check check : expectations.get(number).checks()) {
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
    long index = record.number - base - step.first();
    return step.count() == 1 ? subject : subject + " (" + index + " of " + step.count() + ")";
  }

  /**
   * Its packets are sent.
   *
   * @return nanoseconds that went by while it waited to look
   */
  long end(Host host) {
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
