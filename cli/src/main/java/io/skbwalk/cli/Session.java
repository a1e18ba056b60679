// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import io.skbwalk.capture.CaptureMerger;
import io.skbwalk.capture.CaptureReader;
import io.skbwalk.capture.FrameFilter;
import io.skbwalk.capture.LinkType;
import io.skbwalk.device.NetDevice;
import io.skbwalk.host.Host;
import io.skbwalk.host.HostDescription;
import io.skbwalk.host.HostException;
import io.skbwalk.language.HostFile;
import io.skbwalk.language.IpsetSaveFile;
import io.skbwalk.language.RulesFile;
import io.skbwalk.language.ScenarioFile;
import io.skbwalk.language.ScenarioPacket;
import io.skbwalk.language.TypedPacket;
import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.ipset.IpsetRestore;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.replay.Machine;
import io.skbwalk.replay.Replay;
import io.skbwalk.replay.Replay.Answers;
import io.skbwalk.replay.ScenarioFolder;
import io.skbwalk.replay.Survey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;

/** One run of replay or walk: the frames and the machine that the options describe, opened. */
final class Session implements AutoCloseable {
  /** When a scenario begins, or a machine to which nothing comes. */
  static final long NEW_YEAR =
      Instant.parse("2026-01-01T00:00:00Z").getEpochSecond() * 1_000_000_000L;

  /** Reads what people write. */
  interface Texts {
    /** The whole text of a file that was named. */
    String read(String file) throws IOException;
  }

  private final MachineOptions options;
  private final Texts rulesTexts;
  private final List<String> names = new ArrayList<>();
  private final List<CaptureReader> readers = new ArrayList<>();
  private CaptureMerger merger;
  private List<ScenarioPacket> scenario;
  private HostFile hostFile;
  private RuleSet rules;
  private final List<IpsetRestore> ipsets;
  private FrameFilter filter;
  private Machine machine;

  /** The machine. */
  Host host;

  /** How its address was chosen, or null. */
  String choice;

  /** The replay, ready to run. */
  Replay replay;

  /**
   * Opens and checks everything.
   *
   * @param mayBeEmpty no frames at all are fine
   */
  Session(MachineOptions options, boolean mayBeEmpty) throws IOException {
    this(options, mayBeEmpty, false, TextFile::read);
  }

  /** Takes the rules' texts from {@code rulesTexts} instead of their files. */
  Session(MachineOptions options, Texts rulesTexts) throws IOException {
    this(options, false, false, rulesTexts);
  }

  /** Opens what can only be a scenario, whatever its name. */
  static Session ofScenario(MachineOptions options) throws IOException {
    return new Session(options, false, true, TextFile::read);
  }

  private Session(
      MachineOptions options, boolean mayBeEmpty, boolean scenarioOnly, Texts rulesTexts)
      throws IOException {
    this.options = options;
    this.rulesTexts = rulesTexts;
    if (options.capture != null && !options.inputs.isEmpty()) {
      throw new Unusable(
          "CAPTURE and --in are two ways to say where frames come from; give one of them");
    }
    if (options.host != null && !options.as.isEmpty()) {
      throw new Unusable("--host and --as both describe the machine; give one of them");
    }
    if (options.capture == null && options.inputs.isEmpty() && !mayBeEmpty) {
      throw new Unusable("a capture is missing: give CAPTURE or --in IFACE=CAPTURE");
    }
    if (options.host != null) {
      hostFile = HostFile.parse(options.host, TextFile.read(options.host));
    }
    rules = rules(options.rules);
    ipsets = ipsets(options.ipsets);
    if (scenarioOnly || options.capture != null && isScenario(options.capture)) {
      openScenario();
    } else {
      openCaptures();
    }
  }

  // ---- files ------------------------------------------------------------------------------------

  private RuleSet rules(List<String> files) throws IOException {
    if (files.isEmpty()) {
      return null;
    }
    List<RuleSet> all = new ArrayList<>();
    for (String file : files) {
      all.add(RulesFile.parse(file, rulesTexts.read(file)));
    }
    return RulesFile.merge(all);
  }

  /** Reads sets of ipset. */
  static List<IpsetRestore> ipsets(List<String> files) throws IOException {
    List<IpsetRestore> sets = new ArrayList<>();
    for (String file : files) {
      sets.add(new IpsetSaveFile(file, TextFile.read(file)));
    }
    return sets;
  }

  private static boolean isScenario(String file) throws IOException {
    if (!file.endsWith(".yaml") && !file.endsWith(".yml")) {
      return false;
    }
    return ScenarioFile.looksLikeOne(TextFile.read(file));
  }

  private void openScenario() throws IOException {
    Path file = Path.of(options.capture);
    HostFile given = hostFile;
    if (!options.as.isEmpty()) {
      throw new Unusable(options.capture + ": a scenario's host has interfaces; give --host");
    }
    ScenarioFile parsed =
        ScenarioFile.parse(
            options.capture, TextFile.read(options.capture), given, new ScenarioFolder(file));
    if (options.filter != null) {
      throw new Unusable("--filter chooses frames of a capture; a scenario has none to leave out");
    }
    hostFile = parsed.host();
    RuleSet own = RulesFile.of(parsed);
    if (rules == null && !own.tables().isEmpty()) {
      rules = own;
    } else if (rules != null) {
      rules = RulesFile.merge(List.of(own, rules));
    }
    scenario = new ArrayList<>();
    for (ScenarioFile.Experiment experiment : parsed.experiments()) {
      scenario.addAll(experiment.packets());
    }
    machine = new Machine(hostFile.description());
    start(NEW_YEAR, false, Answers.STACK);
  }

  private void openCaptures() throws IOException {
    if (options.capture != null) {
      names.add(options.capture);
      deviceNames.add(null);
    }
    for (String input : options.inputs) {
      int equals = input.indexOf('=');
      if (equals <= 0 || equals == input.length() - 1) {
        throw new Unusable(
            "--in " + input + ": IFACE=CAPTURE is wanted, such as --in eth0=web.pcap");
      }
      deviceNames.add(input.substring(0, equals));
      names.add(input.substring(equals + 1));
    }
    if (options.filter != null) {
      filter = FrameFilter.compile(options.filter, LinkType.ETHERNET);
    }
    for (String name : names) {
      readers.add(CaptureReader.open(name));
    }
    merger = new CaptureMerger(readers);
    merger.peek();
    describeMachine();
    long first = merger.firstTime(NEW_YEAR);
    boolean lone = options.capture != null;
    start(first, lone, lone ? Answers.CAPTURE : Answers.STACK);
    devices = devices(host);
  }

  private final List<String> deviceNames = new ArrayList<>();
  private List<NetDevice> devices = List.of();

  private List<NetDevice> devices(Host on) {
    List<NetDevice> assigned = new ArrayList<>();
    for (String name : deviceNames) {
      assigned.add(name == null ? null : device(on, name));
    }
    return assigned;
  }

  private static NetDevice device(Host host, String name) {
    NetDevice dev = host.device(name);
    if (dev == null || dev.isLoopback() || dev.lower != null) {
      List<String> real = new ArrayList<>();
      for (NetDevice one : host.devices()) {
        if (!one.isLoopback() && one.lower == null) {
          real.add(one.name);
        }
      }
      throw new Unusable(
          "--in "
              + name
              + "=...: "
              + (dev == null ? "the host has no such interface" : "no frames can arrive there")
              + "; it has "
              + String.join(", ", real));
    }
    return dev;
  }

  // ---- the machine ------------------------------------------------------------------------------

  private void describeMachine() {
    if (hostFile != null) {
      machine = new Machine(hostFile.description());
      return;
    }
    boolean stream = names.contains("-");
    if (options.as.isEmpty()) {
      if (names.isEmpty() || stream) {
        throw new Unusable(
            "standard input can be read only once; say who the machine is with --host or --as");
      }
      Survey survey = Survey.ofBusiest(names, filter);
      if (survey == null) {
        throw new Unusable(
            String.join(", ", names)
                + ": no IPv4 packet to choose a machine by; give --host or --as");
      }
      choice =
          Ip4.format(survey.address)
              + ", which receives the most connections ("
              + survey.connections
              + "); --as or --host choose another";
      machine = Machine.of(survey, 24);
      return;
    }
    List<Machine.Card> cards = cards(options.as);
    int address = cards.get(0).address();
    int prefix = cards.get(0).prefixLength();
    if (cards.size() > 1 || !cards.get(0).device().equals("eth0")) {
      machine = Machine.of(cards);
    } else if (names.isEmpty()) {
      machine = Machine.of(address, prefix);
    } else if (stream) {
      CaptureReader reader = readers.get(0);
      machine =
          reader.frameNumber() == 0
              ? Machine.of(address, prefix)
              : Machine.of(firstOfStream(address, reader), prefix);
    } else {
      machine = Machine.of(Survey.of(address, names, filter), prefix);
    }
  }

  private static List<Machine.Card> cards(List<String> texts) {
    List<Machine.Card> cards = new ArrayList<>();
    for (String text : texts) {
      try {
        Machine.Card card = Machine.Card.parse(text);
        if (cards.stream().anyMatch(one -> one.device().equals(card.device()))) {
          throw new IllegalArgumentException(
              card.device() + " is there already; several are told apart as IFACE=ADDRESS");
        }
        cards.add(card);
      } catch (IllegalArgumentException e) {
        throw new Unusable("--as " + text + ": " + e.getMessage());
      }
    }
    return cards;
  }

  private void start(long time, boolean lone, Answers usual) {
    host = boot(hostFile, machine.description().withIpsets(ipsets), rules, time, options.seed);
    this.start = time;
    this.lone = lone;
    this.answers = options.answers == null ? usual : options.answers;
  }

  /**
   * Boots a machine; what no kernel would do is wrong where {@code file} says so.
   *
   * @param file the description as a file; null when there is none
   */
  static Host boot(
      HostFile file, HostDescription description, RuleSet rules, long time, long seed) {
    try {
      return new Host(description, rules, time, seed);
    } catch (HostException e) {
      if (file == null) {
        throw new Unusable(e.getMessage());
      }
      Object element = e.element();
      String place =
          (element instanceof String sysctl
                  ? file.positionOfSysctl(sysctl)
                  : file.positionOf(element))
              .toString();
      throw new Unusable(place + ": " + e.getMessage());
    }
  }

  private long start;
  private boolean lone;
  private final List<ScenarioPacket> typed = new ArrayList<>();

  /** Whose answers leave. */
  Answers answers;

  /** The interfaces and addresses of the machine, in a few words. */
  String machineInWords() {
    HostDescription description = host.description();
    List<String> parts = new ArrayList<>();
    for (HostDescription.Interface one : description.interfaces()) {
      List<String> addresses = new ArrayList<>();
      one.addresses().forEach(a -> addresses.add(Ip4.format(a.address()) + "/" + a.prefixLength()));
      parts.add(one.name() + (addresses.isEmpty() ? "" : " " + String.join(" ", addresses)));
    }
    return description.hostname() + " (" + String.join(", ", parts) + ")";
  }

  /** A stream is read once, so its first frame must show who the machine is. */
  private static Survey firstOfStream(int address, CaptureReader reader) {
    Survey survey = Survey.ofFirst(address, reader);
    if (!survey.knowsMac() && reader.linkType() == LinkType.ETHERNET) {
      throw new Unusable(
          "--as "
              + Ip4.format(address)
              + ": standard input can be read only once, and its first frame does not show that"
              + " machine's Ethernet address; describe it with --host, or give the capture as a"
              + " file");
    }
    return survey;
  }

  /** The packets of the scenario, or null when there are captures. */
  List<ScenarioPacket> scenario() {
    return scenario;
  }

  /** The files that frames are read from. */
  List<String> inputs() {
    return scenario != null ? List.of(options.capture) : names;
  }

  /** Of each capture the interface that its frames arrive on; null where each is assigned. */
  List<String> deviceNames() {
    return deviceNames;
  }

  /** Where the frames come from, in a few words. */
  String inputInWords() {
    return String.join(", ", inputs());
  }

  // ---- running ----------------------------------------------------------------------------------

  /** Makes the replay of what the filter takes. */
  Replay prepare(Replay.Walks walks) {
    replay = new Replay(host, lone, answers, filter, walks);
    return replay;
  }

  /** Makes the replay of everything, of which the filter chooses what is told. */
  Replay prepareToTell(Replay.Walks walks) {
    replay = new Replay(host, lone, answers, null, walks);
    replay.choose(filter);
    return replay;
  }

  /**
   * Makes the replay of the same frames on a second machine, which {@link #run} lets go beside the
   * first.
   *
   * @param ruleFiles its rules; none for those of the first machine, likewise the others
   * @param hostName the file that describes it, or null
   * @param ipsetFiles its sets
   */
  Replay prepareBeside(List<String> ruleFiles, String hostName, List<String> ipsetFiles)
      throws IOException {
    HostFile file = hostName == null ? hostFile : HostFile.parse(hostName, TextFile.read(hostName));
    HostDescription description = hostName == null ? machine.description() : file.description();
    List<IpsetRestore> sets = ipsetFiles.isEmpty() ? ipsets : ipsets(ipsetFiles);
    RuleSet own = ruleFiles.isEmpty() ? rules : rules(ruleFiles);
    Host second = boot(file, description.withIpsets(sets), own, start, options.seed);
    if (scenario != null) {
      for (ScenarioPacket packet : scenario) {
        if (packet.device() != null && second.device(packet.device()) == null) {
          throw new Unusable(
              packet.position() + ": " + hostName + " has no interface " + packet.device());
        }
      }
    }
    return beside(second);
  }

  /** Makes the replay of the same frames on the same machine under other rules. */
  Replay prepareBeside(RuleSet others) {
    HostDescription description = machine.description().withIpsets(ipsets);
    return beside(boot(hostFile, description, others, start, options.seed));
  }

  private Replay beside(Host second) {
    beside = new Replay(second, lone, answers, null, null);
    beside.choose(filter);
    return beside;
  }

  /** The replay on the second machine, or null. */
  private Replay beside;

  /** Packets that were typed come behind all others. */
  void typed(List<String> texts) {
    for (String text : texts) {
      typed.add(TypedPacket.parse("--send", text, host.description()));
    }
  }

  /** Is there a rule that asks for the walk of what it matches? */
  boolean tracesSome() {
    return rules != null && rules.hasTarget("TRACE");
  }

  /** Runs it to the end of the frames; breaks in captures are in its totals afterwards. */
  void run() {
    if (scenario != null) {
      replay.run(scenario, start);
      if (beside != null) {
        beside.run(scenario, start);
      }
    } else if (merger != null && !names.isEmpty()) {
      if (beside == null) {
        replay.run(merger, devices);
      } else {
        Replay.runTogether(
            merger, List.of(replay, beside), List.of(devices, devices(beside.host())));
      }
      for (CaptureReader reader : readers) {
        if (reader.truncation() != null) {
          replay.totals.truncations.add(reader.truncation());
        }
      }
    }
    if (!typed.isEmpty()) {
      replay.runTyped(typed);
    }
  }

  /** Hands on the numbers of the frames that the filter takes, without a machine. */
  void choose(LongConsumer numbers) {
    for (long number = 1; merger.next(); number++) {
      if (filter.matches(merger.current())) {
        numbers.accept(number);
      }
    }
  }

  /** Bytes of the captures that have been read. */
  long bytesRead() {
    long bytes = 0;
    for (CaptureReader reader : readers) {
      bytes += reader.bytesRead();
    }
    return bytes;
  }

  /** Bytes that the captures have; -1 when that is not known. */
  long bytesInAll() {
    long bytes = 0;
    for (String name : names) {
      try {
        if (name.equals("-")) {
          return -1;
        }
        bytes += Files.size(Path.of(name));
      } catch (IOException e) {
        return -1;
      }
    }
    return scenario != null ? -1 : bytes;
  }

  @Override
  public void close() {
    readers.forEach(CaptureReader::close);
  }
}
