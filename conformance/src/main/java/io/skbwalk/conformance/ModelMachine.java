// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.conformance.Outcome.Sent;
import io.skbwalk.conformance.Outcome.StepOutcome;
import io.skbwalk.device.NetDevice;
import io.skbwalk.device.Refusal;
import io.skbwalk.host.Host;
import io.skbwalk.host.HostDescription;
import io.skbwalk.host.HostListener;
import io.skbwalk.language.IptablesSaveParser;
import io.skbwalk.language.IptablesSavePrinter;
import io.skbwalk.language.TcpAnswers;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.LogListener;
import io.skbwalk.netfilter.conntrack.ConntrackPrinter;
import io.skbwalk.netfilter.ipset.IpsetPrinter;
import io.skbwalk.netfilter.tables.RuleReference;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.netfilter.tables.VerdictRecorder;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;
import io.skbwalk.trace.TraceListener;
import io.skbwalk.transport.Sock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The model's side: the same scenario through {@link Host}. */
final class ModelMachine implements HostListener {
  /** Frames arrive a microsecond apart, which is faster than the kernel is given them. */
  private static final long BETWEEN = 1_000L;

  /** 2026-01-01T00:00:00Z. */
  private static final long START = 1_767_225_600L * 1_000_000_000L;

  private final List<Sent> sent = new ArrayList<>();
  private final List<String> drops = new ArrayList<>();
  private final List<String> logs = new ArrayList<>();
  private final TcpAnswers answers = new TcpAnswers();

  private ModelMachine() {}

  /** How often packets were not judged anew at a hook. */
  private long repeated;

  /** Runs {@code scenario}. */
  static Outcome run(Scenario scenario) {
    return run(scenario, null, -1, null);
  }

  /** Two runs of a scenario, and how often the first has not judged a packet anew. */
  record Pair(Outcome remembering, Outcome judging, long repeated) {}

  /** Runs {@code scenario} as always, and once with every packet judged by every rule. */
  static Pair runBoth(Scenario scenario) {
    ModelMachine machine = new ModelMachine();
    Outcome remembering = machine.run(scenario, null, -1, null, false);
    return new Pair(
        remembering, new ModelMachine().run(scenario, null, -1, null, true), machine.repeated);
  }

  /** How often each frame of {@code scenario} counted in the rules of line {@code line}. */
  static int[] counts(Scenario scenario, int line) {
    Counts counts = new Counts(line, scenario.steps().size());
    run(scenario, counts, -1, null);
    return counts.ofStep;
  }

  /** Counts the matches of one line's rules for each frame. */
  private static final class Counts implements VerdictRecorder {
    private final int line;
    private final int[] ofStep;
    private int step;

    Counts(int line, int steps) {
      this.line = line;
      this.ofStep = new int[steps];
    }

    @Override
    public void matched(SkBuff skb, Hook hook, RuleReference reference) {
      if (reference.rule().at().line() == line) {
        ofStep[step]++;
      }
    }

    @Override
    public void decided(SkBuff skb, Hook hook, RuleReference rule, int verdict) {
      // What a rule decides is compared as the frame's fate.
    }
  }

  /** The walk of frame {@code index} (from 0) of {@code scenario}. */
  static List<TraceEvent> walk(Scenario scenario, int index) {
    List<TraceEvent> events = new ArrayList<>();
    run(
        scenario,
        null,
        index,
        new TraceListener() {
          @Override
          public void on(TraceEvent event) {
            events.add(event);
          }

          @Override
          public boolean wantsMisses() {
            return true;
          }
        });
    return events;
  }

  private static Outcome run(Scenario scenario, Counts counts, int traced, TraceListener trace) {
    return new ModelMachine().run(scenario, counts, traced, trace, false);
  }

  private Outcome run(
      Scenario scenario, Counts counts, int traced, TraceListener trace, boolean interprets) {
    RuleSet rules =
        scenario.rules().isBlank()
            ? null
            : IptablesSaveParser.parse(scenario.rules(), scenario.name() + ".v4");
    LogListener log =
        KernelLog.isWrittenBy(scenario)
            ? (time, level, line) -> logs.add(level + " " + line)
            : null;
    Host host = new Host(scenario.named().on(describe(scenario.host())), rules, log, START, 1);
    host.setListener(this);
    if (interprets && rules != null) {
      host.tables().interpret(true);
    }
    if (counts != null && rules != null) {
      host.tables().record(counts);
    }
    List<String> events = new ArrayList<>();
    host.conntrack()
        .setEventListener(
            (type, conntrack, entry, bits) ->
                events.add(ConntrackPrinter.event(type, conntrack, entry, bits).strip()));
    List<StepOutcome> steps = new ArrayList<>();
    long time = START + scenario.settlesNanos();
    for (int i = 0; i < scenario.steps().size(); i++) {
      Scenario.Step step = scenario.steps().get(i);
      time += BETWEEN + step.afterNanos();
      if (step.afterNanos() > 0) {
        // What the kernel's timers drop is no thread's doing, and no trace of a thread shows it.
        host.advanceTo(time);
        drops.clear();
      }
      if (counts != null) {
        counts.step = i;
      }
      TraceListener listener = i == traced ? trace : null;
      if (step.rules() != null) {
        host.replaceRules(IptablesSaveParser.parse(step.rules(), scenario.name() + ".v4"));
      }
      byte[] bytes = step.bytes(answers);
      if (step.device() == null) {
        host.send(bytes, 0, bytes.length, step.owner(), time, listener);
      } else {
        host.receive(host.device(step.device()), bytes, time, listener);
      }
      steps.add(take(scenario.host()));
    }
    List<String> counters = new ArrayList<>();
    if (rules != null) {
      IptablesSavePrinter.print(host.tables().counters(), true).lines().forEach(counters::add);
    }
    repeated = host.flows() == null ? 0 : host.flows().repeated();
    List<String> connections = new ArrayList<>();
    for (int ct = host.conntrack().first(); ct != 0; ct = host.conntrack().next(ct)) {
      connections.add(ConntrackPrinter.list(host.conntrack(), ct));
    }
    connections.sort(null);
    List<String> sockets = new ArrayList<>();
    List<Sock> all = host.sockets().sockets();
    for (int i = 0; i < scenario.host().sockets().size(); i++) {
      HostDescription.Socket socket = scenario.host().sockets().get(i);
      if (socket.kind() != HostDescription.SocketKind.TCP) {
        sockets.add(Outcomes.socketLine(socket, all.get(i).packets, all.get(i).bytes));
      }
    }
    List<String> expectations =
        host.conntrack().expectations().list().stream()
            .map(expect -> ConntrackPrinter.expectation(host.conntrack(), expect))
            .sorted()
            .toList();
    return new Outcome(
        steps,
        counters,
        connections,
        sockets,
        events,
        expectations,
        host.accounting().list().stream().sorted().toList(),
        IpsetPrinter.save(host.ipsets()).lines().toList(),
        0);
  }

  /** The kernel's side switches the rate limit of ICMP errors off, unless the scenario sets it. */
  private static HostDescription describe(HostDescription host) {
    Map<String, String> sysctls = new LinkedHashMap<>();
    sysctls.put("net.ipv4.icmp_ratemask", "0");
    sysctls.putAll(host.sysctls());
    return host.withSysctls(sysctls);
  }

  /** What happened since the last call; frames in the order of the host's interfaces. */
  private StepOutcome take(HostDescription host) {
    List<Sent> ordered = new ArrayList<>();
    for (HostDescription.Interface nic : host.interfaces()) {
      sent.stream().filter(one -> one.device().equals(nic.name())).forEach(ordered::add);
    }
    StepOutcome outcome = new StepOutcome(ordered, List.copyOf(drops), List.copyOf(logs));
    sent.clear();
    drops.clear();
    logs.clear();
    return outcome;
  }

  @Override
  public void transmitted(NetDevice dev, SkBuff skb) {
    if (!dev.isLoopback() && dev.lower == null) {
      byte[] frame = Arrays.copyOfRange(skb.head, skb.data, skb.tail);
      sent.add(new Sent(dev.name, frame));
      answers.sent(frame, TcpAnswers.network(frame), frame.length);
    }
  }

  @Override
  public void dropped(SkBuff skb, DropReason reason, String function) {
    // Where the model's listening socket finds a wrong checksum only after taking a long segment,
    // the
    // kernel's, which refuses everything, has refused it before.
    drops.add(
        reason == DropReason.TCP_CSUM && function.equals("tcp_v4_do_rcv")
            ? "SOCKET_FILTER tcp_v4_rcv"
            : reason + " " + function);
  }

  @Override
  public void refused(NetDevice dev, long frame, Refusal refusal) {
    // The TAP driver refuses a frame without an Ethernet header before any packet is made.
  }

  @Override
  public void received(Sock sock, SkBuff skb) {
    if (sock.kind == Sock.Kind.TCP) {
      // The kernel's listening socket is kept silent by a filter that drops what comes.
      drops.add("SOCKET_FILTER tcp_v4_rcv");
    }
  }
}
