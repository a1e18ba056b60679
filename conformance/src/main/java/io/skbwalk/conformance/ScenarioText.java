// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.host.HostDescription;
import io.skbwalk.host.HostDescription.Interface;
import io.skbwalk.host.HostDescription.PolicyRule;
import io.skbwalk.host.HostDescription.Route;
import io.skbwalk.host.HostDescription.RouteType;
import io.skbwalk.host.HostDescription.Socket;
import io.skbwalk.host.HostDescription.SocketKind;
import io.skbwalk.language.IptablesSavePrinter;
import io.skbwalk.language.RulesFile;
import io.skbwalk.language.ScenarioFile;
import io.skbwalk.language.ScenarioPacket;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.Mac;
import io.skbwalk.netfilter.SocketOwner;
import io.skbwalk.netfilter.Verdict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/** Scenarios as packet scenario files (YAML), written and read. */
final class ScenarioText {
  private ScenarioText() {}

  /**
   * The experiments of a file, each a scenario of its own: each runs on a machine that has seen
   * nothing yet.
   *
   * @throws io.skbwalk.lib.SourceException at the first thing that is wrong in the file
   */
  static List<Scenario> read(Path path) throws IOException {
    ScenarioFile file =
        ScenarioFile.parse(
            path.toString(),
            Files.readString(path),
            null,
            name -> Files.readString(path.resolveSibling(name)));
    String rules = IptablesSavePrinter.print(RulesFile.merge(List.of(RulesFile.of(file))), false);
    List<Scenario> scenarios = new ArrayList<>();
    for (ScenarioFile.Experiment experiment : file.experiments()) {
      List<Scenario.Step> steps = new ArrayList<>();
      for (ScenarioPacket packet : experiment.packets()) {
        steps.add(Scenario.Step.of(packet, packet.comment()));
      }
      scenarios.add(Scenario.on(file.host().description(), experiment.name(), rules, steps));
    }
    return scenarios;
  }

  /** A file that is {@code scenario}. */
  static String write(Scenario scenario, String comment) {
    StringBuilder text = new StringBuilder();
    comment.lines().forEach(line -> text.append("# ").append(line).append('\n'));
    host(text, scenario.host());
    netfilter(text, scenario);
    if (!scenario.rules().isBlank()) {
      text.append("rules: |\n");
      scenario.rules().lines().forEach(line -> text.append("  ").append(line).append('\n'));
    }
    text.append("experiments:\n  - name: \"").append(scenario.name()).append("\"\n    packets:");
    text.append(scenario.steps().isEmpty() ? " []\n" : "\n");
    for (Scenario.Step step : scenario.steps()) {
      text.append("      - {")
          .append(step.device() == null ? "sent: true" : "in: " + step.device())
          .append(step.owner() == null ? "" : owner(step.owner()))
          .append(step.afterNanos() == 0 ? "" : ", after: " + step.afterNanos() + "ns")
          .append(", comment: \"")
          .append(step.comment())
          .append("\", frame: \"")
          .append(HexFormat.of().formatHex(step.bytes()))
          .append("\"}\n");
    }
    return text.toString();
  }

  private static String owner(SocketOwner owner) {
    List<String> groups = owner.groups().stream().map(Integer::toUnsignedString).toList();
    return String.format(
        ", uid: %s, gid: %s, groups: [%s]",
        Integer.toUnsignedString(owner.uid()),
        Integer.toUnsignedString(owner.gid()),
        String.join(", ", groups));
  }

  private static void host(StringBuilder text, HostDescription host) {
    text.append("host:\n  hostname: ").append(host.hostname()).append("\n  interfaces:\n");
    for (Interface nic : host.interfaces()) {
      text.append("    ").append(nic.name()).append(":\n");
      text.append("      macaddress: \"").append(Mac.format(nic.macAddress())).append("\"\n");
      text.append("      addresses: [");
      String separator = "";
      for (HostDescription.Address address : nic.addresses()) {
        text.append(separator).append(prefix(address.address(), address.prefixLength()));
        separator = ", ";
      }
      text.append("]\n      mtu: ").append(nic.mtu());
      text.append("\n      promiscuous: ").append(nic.promiscuous()).append('\n');
    }
    if (!host.routes().isEmpty()) {
      text.append("  routes:\n");
      for (Route route : host.routes()) {
        text.append("    - {to: ").append(prefix(route.destination(), route.prefixLength()));
        if (route.type() != RouteType.UNICAST) {
          text.append(", type: ").append(lower(route.type()));
        }
        if (route.gateway() != 0) {
          text.append(", via: ").append(Ip4.format(route.gateway()));
        }
        if (route.device() != null) {
          text.append(", interface: ").append(route.device());
        }
        if (route.metric() != 0) {
          text.append(", metric: ").append(Integer.toUnsignedString(route.metric()));
        }
        if (route.source() != 0) {
          text.append(", from: ").append(Ip4.format(route.source()));
        }
        if (route.mtu() != 0) {
          text.append(", mtu: ").append(route.mtu());
        }
        if (route.onLink()) {
          text.append(", on-link: true");
        }
        text.append(", table: ").append(Integer.toUnsignedString(route.table())).append("}\n");
      }
    }
    if (!host.policyRules().isEmpty()) {
      text.append("  routing-policy:\n");
      for (PolicyRule rule : host.policyRules()) {
        text.append("    - {priority: ").append(rule.priority());
        text.append(", from: ").append(prefix(rule.from(), rule.fromLength()));
        if (rule.toLength() != 0) {
          text.append(", to: ").append(prefix(rule.to(), rule.toLength()));
        }
        if (rule.tos() != 0) {
          text.append(", type-of-service: ").append(rule.tos());
        }
        if (rule.iif() != null) {
          text.append(", iif: ").append(rule.iif());
        }
        if (rule.oif() != null) {
          text.append(", oif: ").append(rule.oif());
        }
        if (rule.inverted()) {
          text.append(", not: true");
        }
        if (rule.markMask() != 0) {
          text.append(String.format(", mark: \"0x%x/0x%x\"", rule.mark(), rule.markMask()));
        }
        if (rule.action() == RouteType.UNICAST) {
          text.append(", table: ").append(Integer.toUnsignedString(rule.table()));
        } else {
          text.append(", type: ").append(lower(rule.action()));
        }
        text.append("}\n");
      }
    }
    text.append("  neighbours:\n");
    host.neighbours()
        .forEach(
            neighbour ->
                text.append("    - {address: ")
                    .append(Ip4.format(neighbour.address()))
                    .append(", macaddress: \"")
                    .append(Mac.format(neighbour.macAddress()))
                    .append("\", interface: ")
                    .append(neighbour.device())
                    .append("}\n"));
    if (!host.sysctls().isEmpty()) {
      text.append("  sysctls:\n");
      host.sysctls().forEach((key, value) -> text.append("    " + key + ": " + value + "\n"));
    }
    if (!host.sockets().isEmpty()) {
      text.append("  sockets:\n");
      for (Socket socket : host.sockets()) {
        text.append("    - {");
        switch (socket.kind()) {
          case RAW -> text.append("raw: true, protocol: ").append(socket.protocol());
          case PACKET -> text.append("packet: true, protocol: ").append(socket.protocol());
          default ->
              text.append("protocol: ")
                  .append(lower(socket.kind()))
                  .append(", port: ")
                  .append(socket.port());
        }
        if (socket.address() != 0 && socket.kind() != SocketKind.PACKET) {
          text.append(", address: ").append(Ip4.format(socket.address()));
        }
        if (socket.device() != null) {
          text.append(", interface: ").append(socket.device());
        }
        if (socket.receiveBuffer() != 0) {
          text.append(", receive-buffer: ").append(socket.receiveBuffer());
        }
        if (socket.transparent()) {
          text.append(", transparent: true");
        }
        if (socket.mark() != 0) {
          text.append(", mark: ").append(Integer.toUnsignedString(socket.mark()));
        }
        text.append("}\n");
      }
    }
  }

  /** What the rules name. */
  private static void netfilter(StringBuilder text, Scenario scenario) {
    list(text, "conntrack-timeouts", scenario.named().timeouts());
    list(text, "nfacct", scenario.named().accounting());
    if (!scenario.named().ipsets().isBlank()) {
      text.append("  ipsets: |\n");
      scenario.named().ipsets().lines().forEach(line -> text.append("    " + line + "\n"));
    }
    List<HostDescription.Queue> queues = scenario.host().netfilter().queues();
    if (!queues.isEmpty()) {
      text.append("  queues:\n");
    }
    for (HostDescription.Queue queue : queues) {
      text.append("    ").append(queue.number()).append(": {answer: ");
      text.append(Verdict.name(queue.verdict()).toLowerCase(Locale.ROOT));
      text.append(queue.verdict() == Verdict.QUEUE ? ", to: " + queue.to() : "");
      text.append(queue.mark() == null ? "" : ", mark: " + queue.mark()).append("}\n");
    }
  }

  private static void list(StringBuilder text, String key, List<String> values) {
    if (!values.isEmpty()) {
      text.append("  ").append(key).append(":\n");
      values.forEach(value -> text.append("    - ").append(value).append('\n'));
    }
  }

  private static String lower(Enum<?> name) {
    return name.name().toLowerCase(Locale.ROOT);
  }

  private static String prefix(int address, int length) {
    return length == 0 && address == 0 ? "default" : Ip4.format(address) + "/" + length;
  }
}
