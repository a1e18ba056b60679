// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.host.HostDescription;
import io.skbwalk.language.IpsetSaveFile;
import io.skbwalk.language.ScenarioPacket;
import io.skbwalk.language.TcpAnswers;
import io.skbwalk.lib.SourceException;
import io.skbwalk.netfilter.SocketOwner;
import io.skbwalk.netfilter.ipset.IpSets;
import io.skbwalk.netfilter.ipset.IpsetPrinter;
import io.skbwalk.netfilter.ipset.IpsetRestore;
import io.skbwalk.skb.Net;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What both sides are given.
 *
 * @param name for people
 * @param host the machine
 * @param named what the rules name and other tools make
 * @param rules iptables-save text; empty for none
 * @param steps frames in order
 */
public record Scenario(
    String name, HostDescription host, NamedObjects named, String rules, List<Step> steps) {
  /** Copies the list. */
  public Scenario {
    steps = List.copyOf(steps);
  }

  /** One whose rules may name what {@code host} says that there is. */
  static Scenario on(HostDescription host, String name, String rules, List<Step> steps) {
    HostDescription.Netfilter others =
        host.netfilter().withIpsets(List.of()).withAccounting(List.of()).withTimeouts(List.of());
    return new Scenario(name, host.with(others), NamedObjects.of(host), rules, steps);
  }

  /** One whose rules name nothing. */
  public Scenario(String name, HostDescription host, String rules, List<Step> steps) {
    this(name, host, NamedObjects.NONE, rules, steps);
  }

  /**
   * What rules refer to by name and what must be there before them.
   *
   * @param ipsets as ipset save prints them; empty for none
   * @param accounting names of nfacct objects, or name and options as {@code nfacct add} takes them
   * @param timeouts policies as {@code nfct add timeout} takes them: name, family, protocol,
   *     timeouts
   */
  public record NamedObjects(String ipsets, List<String> accounting, List<String> timeouts) {
    /** Nothing. */
    public static final NamedObjects NONE = new NamedObjects("", List.of(), List.of());

    /** Copies the lists. */
    public NamedObjects {
      accounting = List.copyOf(accounting);
      timeouts = List.copyOf(timeouts);
    }

    /** What {@code host} has of these, in the words of the tools that make them. */
    static NamedObjects of(HostDescription host) {
      HostDescription.Netfilter netfilter = host.netfilter();
      StringBuilder ipsets = new StringBuilder();
      for (IpsetRestore restore : netfilter.ipsets()) {
        ipsets.append(restore instanceof IpsetSaveFile file ? file.text() : printed(restore));
      }
      String commands =
          ipsets
              .toString()
              .lines()
              .map(String::strip)
              .filter(line -> !line.isEmpty())
              .map(line -> line + "\n")
              .collect(Collectors.joining());
      return new NamedObjects(
          commands,
          netfilter.accounting().stream().map(HostDescription.Accounting::words).toList(),
          netfilter.timeouts().stream().map(HostDescription.ConntrackTimeout::words).toList());
    }

    private static String printed(IpsetRestore restore) {
      IpSets sets = new IpSets(new Net(0, 0));
      restore.into(sets);
      return IpsetPrinter.save(sets);
    }

    /** {@code host} with these besides its own. */
    HostDescription on(HostDescription host) {
      List<HostDescription.ConntrackTimeout> policies =
          new ArrayList<>(host.netfilter().timeouts());
      timeouts.forEach(words -> policies.add(new HostDescription.ConntrackTimeout(words)));
      List<HostDescription.Accounting> objects = new ArrayList<>(host.netfilter().accounting());
      accounting.forEach(words -> objects.add(new HostDescription.Accounting(words)));
      HostDescription.Netfilter named =
          host.netfilter().withTimeouts(policies).withAccounting(objects);
      HostDescription all = host.with(named);
      return ipsets.isBlank() ? all : all.withIpsets(List.of(new IpsetSaveFile("ipsets", ipsets)));
    }
  }

  /**
   * One frame.
   *
   * @param device interface that it arrives on; null when the machine sends it itself
   * @param bytes an Ethernet frame without check sequence, or an IP packet when the machine sends
   *     it
   * @param owner who sends it, when the machine does and the scenario says so; else null
   * @param comment what it is, for people
   * @param afterNanos time since the frame before, nanoseconds; 0 for at once
   * @param answering the packet when it answers what the machine has sent, so that each side's has
   *     bytes of its own; null otherwise
   * @param rules iptables-save text whose tables take the place of their namesakes just before;
   *     null for none
   */
  public record Step(
      String device,
      byte[] bytes,
      SocketOwner owner,
      String comment,
      long afterNanos,
      ScenarioPacket answering,
      String rules) {
    /** A frame at once. */
    public Step(String device, byte[] bytes, String comment) {
      this(device, bytes, comment, 0);
    }

    /** A frame that answers nothing. */
    public Step(String device, byte[] bytes, String comment, long afterNanos) {
      this(device, bytes, null, comment, afterNanos, null, null);
    }

    /** A packet as a file has it, called {@code comment}. */
    static Step of(ScenarioPacket packet, String comment) {
      if (packet.turn() != null) {
        throw new SourceException(
            packet.position(), "a conversation has no far end here; write its packets one by one");
      }
      return new Step(
          packet.device(),
          packet.bytes(),
          packet.owner(),
          comment,
          packet.afterNanos(),
          packet.answers().isEmpty() ? null : packet,
          null);
    }

    /** It comes when these rules have been loaded. */
    Step after(String rules) {
      return new Step(device, bytes, owner, comment, afterNanos, answering, rules);
    }

    /** The frame on the side that has sent what {@code answers} knows. */
    byte[] bytes(TcpAnswers answers) {
      return answering == null ? bytes : answers.fill(answering);
    }
  }

  /** All that rules say from the first to the last frame. */
  String everyRule() {
    StringBuilder all = new StringBuilder(rules);
    steps.stream().filter(step -> step.rules != null).forEach(step -> all.append(step.rules));
    return all.toString();
  }

  /** Does this machine answer handshakes with numbers of its own choice? */
  boolean choosesSequences() {
    return rules.contains("-j SYNPROXY");
  }

  /** Does time pass in it? */
  public boolean takesTime() {
    return waits() > 0;
  }

  /**
   * How long the rules are there before the first frame, nanoseconds. Each second from then on
   * hashlimit throws out what has not been used, so with frames a second apart it shows when the
   * first one comes.
   */
  long settlesNanos() {
    boolean pauses = steps.stream().anyMatch(step -> step.afterNanos() > 0);
    return pauses && rules.contains("hashlimit") ? 800_000_000L : 0;
  }

  /** Nanoseconds from its first to its last frame. */
  long waits() {
    return steps.stream().mapToLong(Step::afterNanos).sum();
  }
}
