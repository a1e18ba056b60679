// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import io.skbwalk.lib.SourceException;
import io.skbwalk.lib.SourcePosition;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongPredicate;

/**
 * A packet scenario: frames made by hand for a host under rules (docs: packet scenarios). The host
 * and the rules stand in the file or in files that it names, relative to itself.
 */
public final class ScenarioFile {
  /** Reads a file that a scenario names. */
  @FunctionalInterface
  public interface FileReader {
    /** The text of {@code name}, as seen from the scenario's own folder. */
    String read(String name) throws IOException;

    /**
     * Frames of a capture, as Ethernet frames whatever its link type is.
     *
     * @param filter a tcpdump expression that they satisfy; null for all
     * @param numbers their numbers, from 1
     * @throws IOException when it cannot be read; also when this reads no captures
     */
    default List<CapturedFrame> frames(String name, String filter, LongPredicate numbers)
        throws IOException {
      throw new IOException("captures are not read here");
    }

    /** What errors and reports call that file. */
    default String called(String name) {
      return name;
    }
  }

  /**
   * A frame of a capture.
   *
   * @param number from 1
   * @param time nanoseconds since the epoch
   */
  public record CapturedFrame(long number, long time, byte[] bytes) {}

  /**
   * Rules that a scenario brings along, not parsed yet.
   *
   * @param file the file that they come from (the scenario itself when they stand in it)
   * @param text YAML or iptables-save, its lines where they are in the file; null when {@code
   *     tables} is set
   * @param tables the YAML mapping when they stand in the scenario
   */
  record Rules(String file, String text, YamlValue tables, SourcePosition position) {}

  /**
   * Packets that belong together.
   *
   * @param packets in order
   * @param steps the entries of the file that brought them, in order
   * @param expect what is expected at the end, as it is written; null for nothing
   * @param continues goes on with the machine of the experiment before
   * @param position where it is written
   */
  public record Experiment(
      String name,
      List<ScenarioPacket> packets,
      List<Step> steps,
      YamlValue expect,
      boolean continues,
      SourcePosition position) {
    /** Copies the lists. */
    public Experiment {
      packets = List.copyOf(packets);
      steps = List.copyOf(steps);
    }
  }

  /**
   * One entry of an experiment's packets.
   *
   * @param judged which of its packets what is expected is asked of
   * @param first index of its first packet in the experiment
   * @param count how many packets it brought
   * @param expect what is expected of them, as it is written; null for nothing
   * @param position where it is written
   */
  public record Step(
      Judged judged, int first, int count, YamlValue expect, SourcePosition position) {}

  /** Which packets of a step an expectation is about. */
  public enum Judged {
    /** Each: a packet, also one that repeats, and frames of a capture. */
    EACH,
    /** The last: a packet in fragments has its fate there. */
    LAST,
    /** The first decides about a conversation; the others can be asked for by name. */
    CONVERSATION
  }

  private static final String[] EXPERIMENT_KEYS = {
    "name", "cases", "continues", "packets", "expect"
  };

  private final HostFile host;
  private final List<Rules> rules;
  private final List<Experiment> experiments;

  private ScenarioFile(HostFile host, List<Rules> rules, List<Experiment> experiments) {
    this.host = host;
    this.rules = rules;
    this.experiments = List.copyOf(experiments);
  }

  /** Does this text look like a packet scenario rather than rules or a host? */
  public static boolean looksLikeOne(String text) {
    return text.lines().anyMatch(line -> line.startsWith("experiments:"));
  }

  /**
   * Reads a scenario.
   *
   * @param file its name, for errors
   * @param host the host to use whatever the scenario says; null for the scenario's own
   * @param files reads what the scenario refers to
   * @throws SourceException at the first thing that is wrong
   */
  public static ScenarioFile parse(String file, String text, HostFile host, FileReader files) {
    YamlValue root = YamlValue.parse(file, text);
    if (root == null) {
      throw new SourceException(
          new SourcePosition(file, 1, 1), "the file is empty; a scenario needs experiments");
    }
    YamlValue.Fields fields = root.fields("a scenario", "host", "rules", "experiments");
    HostFile machine = host;
    YamlValue described = fields.get("host");
    if (described != null && host == null) {
      machine =
          described.isMap()
              ? HostFile.of(described)
              : HostFile.parse(files.called(described.text()), read(described, files));
    }
    if (machine == null) {
      throw root.error("the scenario names no host; add host: FILE, or give --host");
    }
    List<Rules> rules = new ArrayList<>();
    YamlValue given = fields.get("rules");
    if (given != null) {
      for (YamlValue value : given.isList() ? given.list() : List.of(given)) {
        rules.add(rules(file, value, files));
      }
    }
    PacketReader packets = new PacketReader(machine.description(), files);
    List<Experiment> experiments = new ArrayList<>();
    for (YamlValue value : fields.require("experiments").list()) {
      YamlValue.Fields experiment = value.fields("an experiment", EXPERIMENT_KEYS);
      if (experiment.get("cases") == null) {
        experiments.add(experiment(experiment, packets, experiments.size() + 1, ""));
      } else {
        cases(experiment, packets, experiments);
      }
    }
    return new ScenarioFile(machine, rules, experiments);
  }

  private static void cases(
      YamlValue.Fields template, PacketReader packets, List<Experiment> experiments) {
    if (template.list("cases").isEmpty()) {
      throw template.get("cases").error("an experiment with cases has at least one");
    }
    for (YamlValue one : template.list("cases")) {
      Map<String, YamlValue> values = new LinkedHashMap<>();
      List<String> words = new ArrayList<>();
      for (Map.Entry<YamlValue, YamlValue> entry : one.entries().entrySet()) {
        values.put(entry.getKey().text(), entry.getValue());
        if (entry.getValue().isScalar()) {
          words.add(entry.getKey().text() + " " + entry.getValue().text());
        }
      }
      // Each case is told by its values, unless the name says some of them itself.
      boolean named = template.text("name", "").contains("${");
      YamlValue.Fields filled =
          template.without("cases").filledIn(values).fields("an experiment", EXPERIMENT_KEYS);
      String suffix = named ? "" : " (" + String.join(", ", words) + ")";
      experiments.add(experiment(filled, packets, experiments.size() + 1, suffix));
    }
  }

  private static Experiment experiment(
      YamlValue.Fields fields, PacketReader reader, int number, String suffix) {
    List<ScenarioPacket> packets = new ArrayList<>();
    List<Step> steps = new ArrayList<>();
    for (YamlValue packet : fields.require("packets").list()) {
      steps.add(reader.readStep(packet, packets));
    }
    return new Experiment(
        fields.text("name", "experiment " + number) + suffix,
        packets,
        steps,
        fields.get("expect"),
        fields.bool("continues", false),
        fields.owner().position());
  }

  private static Rules rules(String file, YamlValue value, FileReader files) {
    if (value.isMap()) {
      return new Rules(file, null, value, value.position());
    }
    String text = value.text();
    if (text.contains("\n")) {
      return new Rules(file, value.textInPlace(), null, value.position());
    }
    return new Rules(files.called(text), read(value, files), null, value.position());
  }

  private static String read(YamlValue name, FileReader files) {
    try {
      return files.read(name.text());
    } catch (IOException e) {
      throw name.error("cannot read " + name.text() + ": " + e.getMessage());
    }
  }

  /** The machine. */
  public HostFile host() {
    return host;
  }

  /** What it says of rules. */
  List<Rules> rules() {
    return rules;
  }

  /** The experiments in order. */
  public List<Experiment> experiments() {
    return experiments;
  }
}
