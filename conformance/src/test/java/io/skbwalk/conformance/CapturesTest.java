// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.skbwalk.host.HostDescription;
import io.skbwalk.language.HostFile;
import io.skbwalk.language.IptablesSavePrinter;
import io.skbwalk.language.RulesFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The project's captures through a router under each of its rule sets, beside the kernel. */
class CapturesTest {
  private static final Path CAPTURES = Path.of("../pcaps");
  private static final Path RULES = Path.of("../rules");
  private static final Path HOSTS = Path.of("../config");

  private static List<Path> files(Path folder, String name) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.getFileName().toString().matches(name)).sorted().toList();
    }
  }

  private static List<Path> captures() throws IOException {
    return files(CAPTURES, ".*\\.pcap(ng)?(\\.gz)?");
  }

  private static List<Path> ruleSets() throws IOException {
    return files(RULES, "[^.]*\\.(yaml|v4)");
  }

  @TestFactory
  Stream<DynamicContainer> eachCaptureUnderEachRuleSet() throws IOException {
    List<Path> captures = captures();
    return ruleSets().stream()
        .map(
            rules ->
                dynamicContainer(
                    rules.getFileName().toString(),
                    captures.stream()
                        .map(
                            capture ->
                                dynamicTest(
                                    capture.getFileName().toString(),
                                    () -> AskedKernel.doesAsTheModel(under(capture, rules))))));
  }

  private static Scenario under(Path capture, Path rules) throws IOException {
    String text =
        IptablesSavePrinter.print(
            RulesFile.merge(List.of(RulesFile.parse(rules.toString(), Files.readString(rules)))),
            false);
    return CapturedTraffic.under(capture, foreseeable(text), named(rules));
  }

  /** Nothing at random, and no limit that lets more through when the kernel takes its time. */
  private static String foreseeable(String rules) {
    return rules
        .replaceAll("--limit (\\d+)/(sec|min)", "--limit $1/hour")
        .replaceAll(
            "--mode random ((! )?)--probability [0-9.]+", "--mode nth $1--every 2 --packet 0");
  }

  /** What the host of a rule set has for it to name. */
  private static HostDescription.Netfilter named(Path rules) throws IOException {
    String name = rules.getFileName().toString().replaceFirst("\\.\\w+$", ".yaml");
    Path host = HOSTS.resolve(name);
    return Files.exists(host)
        ? HostFile.parse(host.toString(), Files.readString(host)).description().netfilter()
        : HostDescription.Netfilter.NONE;
  }

  /** Or nothing would be compared. */
  @Test
  void bothSidesOfAConversationComeIn() throws IOException {
    for (Path capture : captures()) {
      Scenario scenario = CapturedTraffic.under(capture, "", HostDescription.Netfilter.NONE);
      String name = capture.getFileName().toString();
      assertTrue(scenario.steps().size() >= 10, name + " has " + scenario.steps().size());
      boolean one = name.equals("arp.pcap") || name.equals("broadcast-multicast.pcap");
      long sides = scenario.steps().stream().map(Scenario.Step::device).distinct().count();
      assertTrue(one || sides == 2, name + " comes from one side");
    }
  }
}
