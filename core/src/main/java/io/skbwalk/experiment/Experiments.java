// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.experiment;

import io.skbwalk.host.Host;
import io.skbwalk.language.ScenarioFile;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.replay.FrameRecord;
import io.skbwalk.replay.Replay;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * The experiments of one file. Each runs on a machine of its own, except one that continues: it
 * finds the machine, its connections and its time as the one before has left them.
 */
public final class Experiments {
  private final String file;
  private final Supplier<Host> boot;
  private final List<Trial> trials = new ArrayList<>();

  /**
   * Reads what the experiments of {@code scenario} expect.
   *
   * @param file the scenario's name, for reports
   * @param rules the rules that the machines have
   * @param boot makes a machine
   * @throws io.skbwalk.lib.SourceException at the first expectation that makes no sense
   */
  public Experiments(String file, ScenarioFile scenario, RuleSet rules, Supplier<Host> boot) {
    this.file = file;
    this.boot = boot;
    RuleNames names = new RuleNames(rules);
    scenario.experiments().forEach(one -> trials.add(new Trial(one, names)));
  }

  /** The names of the experiments. */
  public List<String> names() {
    return trials.stream().map(trial -> trial.experiment.name()).toList();
  }

  /**
   * Runs those whose name {@code wanted} takes, and those that one of them continues.
   *
   * @param coverage is told which rules were matched
   * @return how each of those that are wanted ended
   */
  public List<Outcome> run(Predicate<String> wanted, RuleCoverage coverage) {
    List<Outcome> outcomes = new ArrayList<>();
    for (int first = 0; first < trials.size(); ) {
      int end = first + 1;
      int needed = wanted.test(trials.get(first).experiment.name()) ? end : first;
      while (end < trials.size() && trials.get(end).experiment.continues()) {
        needed = wanted.test(trials.get(end++).experiment.name()) ? end : needed;
      }
      List<Trial> machine = trials.subList(first, needed);
      if (!machine.isEmpty()) {
        run(machine, coverage);
        machine.stream()
            .filter(trial -> wanted.test(trial.experiment.name()))
            .forEach(trial -> outcomes.add(trial.outcome(file)));
      }
      first = end;
    }
    return outcomes;
  }

  private void run(List<Trial> machine, RuleCoverage coverage) {
    Host host = boot.get();
    Replay replay = new Replay(host, false, Replay.Answers.STACK, null, new Judging(machine));
    replay.keepFrames();
    replay.keepDepartures();
    replay.add(record -> of(machine, record).judge(record));
    long time = host.now();
    for (Trial trial : machine) {
      trial.begin(replay.places());
      time = replay.run(trial.experiment.packets(), time);
      time += trial.end(host, replay);
    }
    replay.finish();
    if (host.tables() != null) {
      coverage.add(host.tables().rules(), host.tables().counters());
    }
  }

  private static Trial of(List<Trial> machine, FrameRecord record) {
    return machine.stream().filter(trial -> trial.has(record)).findFirst().orElseThrow();
  }

  /** Walks are told of packets of which something is expected. */
  private record Judging(List<Trial> machine) implements Replay.Walks {
    @Override
    public boolean wanted(FrameRecord record) {
      return of(machine, record).expects(record);
    }

    @Override
    public boolean misses() {
      return true;
    }
  }
}
