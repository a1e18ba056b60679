// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import io.skbwalk.replay.Replay.Answers;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What replay and walk have in common: the frames, and the machine that they meet. */
final class MachineOptions implements Cloneable {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "CAPTURE",
      description = {
        "A pcap or pcapng file (.gz and .zst too), - for standard input, or a packet scenario"
            + " (YAML). Each frame is assigned to an interface: the one that pcapng names, else by"
            + " destination MAC, else the one that routes to its source. Frames that the machine"
            + " itself sent take its way out."
      })
  String capture;

  @Option(
      names = "--in",
      paramLabel = "IFACE=CAPTURE",
      description =
          "These frames arrive on that interface. Repeatable; merged by time, equal times in the"
              + " order of the options.")
  List<String> inputs = new ArrayList<>();

  @Option(
      names = "--host",
      paramLabel = "HOST.yaml",
      description = "The machine: interfaces, addresses, routes, sysctls, sockets.")
  String host;

  @Option(
      names = "--as",
      paramLabel = "[IFACE=]ADDRESS",
      description =
          "Instead of --host: a machine with one interface, eth0, that owns ADDRESS (/24 unless a"
              + " prefix length is given). Repeatable, such as --as eth0=203.0.113.1 --as"
              + " eth1=192.168.7.1: a router. Without either: the address that receives the most"
              + " connections.")
  List<String> as = new ArrayList<>();

  @Option(
      names = "--rules",
      paramLabel = "RULES",
      description =
          "Rules in YAML, as iptables-save prints them, or a script of iptables commands."
              + " Repeatable; later files add to earlier"
              + " ones.")
  List<String> rules = new ArrayList<>();

  @Option(
      names = "--ipset",
      paramLabel = "FILE",
      description =
          "Sets for -m set and -j SET, as ipset save prints them, besides those of the host file."
              + " Repeatable.")
  List<String> ipsets = new ArrayList<>();

  @Option(
      names = "--filter",
      paramLabel = "EXPR",
      description = "Only frames that this tcpdump expression takes.")
  String filter;

  @Option(
      names = "--answers",
      paramLabel = "capture|stack",
      converter = AnswersConverter.class,
      description =
          "Whose answers (resets, ICMP, ARP) count: those in the capture (the default for a lone"
              + " CAPTURE), or the stack's own (the default with --in and for scenarios).")
  Answers answers;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Seed of everything random. Default: ${DEFAULT-VALUE}")
  long seed;

  /** The same machine for another capture. */
  MachineOptions with(String capture) {
    MachineOptions other = clone();
    other.capture = capture;
    return other;
  }

  @Override
  protected MachineOptions clone() {
    try {
      return (MachineOptions) super.clone();
    } catch (CloneNotSupportedException e) {
      throw new IllegalStateException(e);
    }
  }
}
