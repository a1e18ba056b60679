// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.experiment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.skbwalk.host.Host;
import io.skbwalk.language.RulesFile;
import io.skbwalk.language.ScenarioFile;
import io.skbwalk.lib.SourceException;
import io.skbwalk.replay.ScenarioFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The schema that editors use for scenarios and experiments says what their reader says. */
class ScenarioSchemaTest {
  private static final Path FILE = Path.of("../docs/scenario.schema.json");
  private static final String ROOT = "https://example.org/";
  private static final Schema SCHEMA = schema();

  /** The schema, which refers to those of hosts and rules by where they lie from it. */
  private static Schema schema() {
    Map<String, String> files = new HashMap<>();
    try {
      for (String file :
          List.of(
              "docs/scenario.schema.json", "config/host.schema.json", "rules/rules.schema.json")) {
        files.put(ROOT + file, Files.readString(Path.of("..", file)));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return SchemaRegistry.withDefaultDialect(
            SpecificationVersion.DRAFT_2020_12, builder -> builder.schemas(files))
        .getSchema(SchemaLocation.of(ROOT + "docs/scenario.schema.json"));
  }

  static List<Path> scenarios() throws IOException {
    try (Stream<Path> files =
        Stream.of("../rules", "../conformance/cases")
            .flatMap(
                folder -> {
                  try {
                    return Files.list(Path.of(folder));
                  } catch (IOException e) {
                    throw new UncheckedIOException(e);
                  }
                })) {
      return files
          .filter(file -> file.toString().endsWith(".yaml"))
          .filter(
              file -> {
                try {
                  return ScenarioFile.looksLikeOne(Files.readString(file));
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              })
          .sorted()
          .toList();
    }
  }

  @Test
  void thereAreMany() throws IOException {
    assertTrue(scenarios().size() > 50, () -> "only few scenarios were found");
  }

  @ParameterizedTest
  @MethodSource("scenarios")
  void whatComesAlongIsValid(Path file) throws IOException {
    assertEquals(List.of(), SCHEMA.validate(Files.readString(file), InputFormat.YAML));
  }

  @ParameterizedTest
  @MethodSource("scenarios")
  void experimentsNameIt(Path file) throws IOException {
    if (file.startsWith("../rules")) {
      String first = "# yaml-language-server: $schema=../docs/scenario.schema.json\n";
      assertTrue(Files.readString(file).startsWith(first));
    }
  }

  @Test
  void everyKeyIsDescribed() throws IOException {
    JsonNode schema = new ObjectMapper().readTree(Files.readString(FILE));
    Set<String> silent = new TreeSet<>();
    for (JsonNode object : schema.findParents("properties")) {
      object
          .get("properties")
          .properties()
          .forEach(
              entry -> {
                String own = entry.getValue().path("description").asText();
                if (own.length() < 4 && !entry.getKey().equals("not")) {
                  silent.add(entry.getKey());
                }
              });
    }
    assertEquals(Set.of(), silent);
  }

  private static Set<String> keys(String definition) throws IOException {
    JsonNode schema = new ObjectMapper().readTree(Files.readString(FILE));
    Set<String> keys = new TreeSet<>();
    schema.at("/$defs/" + definition + "/properties").fieldNames().forEachRemaining(keys::add);
    return keys;
  }

  @Test
  void knowsTheKeysOfExpectations() throws IOException {
    assertEquals(new TreeSet<>(List.of(PacketExpectation.KEYS)), keys("packetExpectation"));
    Set<String> all = new TreeSet<>(List.of(PacketExpectation.KEYS));
    all.addAll(List.of("completes", "every", "replies"));
    assertEquals(all, keys("expectation"));
    Set<String> frame = new TreeSet<>(List.of(FrameField.labels()));
    frame.add("interface");
    assertEquals(frame, keys("frameExpectation"));
  }

  /** Packets that both refuse. */
  static Stream<String> wrongPackets() {
    return """
    {in: eth0, tpc: {from: "192.0.2.1:1", to: "192.0.2.2:2"}}
    {in: eth0, tcp: {from: "192.0.2.1:1"}}
    {in: eth0, tcp: {from: 192.0.2.1, to: "192.0.2.2:2"}}
    {in: eth0, tcp: {from: "192.0.2.1:1", to: "192.0.2.2:2", flags: X}}
    {in: eth0, tcp: {from: "192.0.2.1:1", to: "192.0.2.2:2", ttl: 256}}
    {in: eth0, tcp: {from: "192.0.2.1:1", to: "192.0.2.2:2", seq: -1}}
    {in: eth0, tcp: {from: "192.0.2.1:1", to: "192.0.2.2:2", ack: isn*2}}
    {in: eth0, tcp: {from: "192.0.2.1:1", to: "192.0.2.2:2", timestamps: [1]}}
    {in: eth0, tcp: {from: "192.0.2.1:1", to: "192.0.2.2:2", icmp-id: 1}}
    {in: eth0, udp: {from: "192.0.2.1:1", to: "192.0.2.2:2", flags: S}}
    {in: eth0, udp: {from: "192.0.2.1:1", to: "192.0.2.2:2"}, after: 3}
    {in: eth0, udp: {from: "192.0.2.1:1", to: "192.0.2.2:2"}, after: 3 weeks}
    {in: eth0, udp: {from: "192.0.2.1:1", to: "192.0.2.2:2"}, repeat: 0}
    {in: eth0, udp: {from: "192.0.2.1:1", to: "192.0.2.2:2"}, pad: many}
    {in: eth0, udp: {from: "192.0.2.1:1", to: "192.0.2.2:2"}, ethernet: {vlans: 1}}
    {in: eth0, udp: {from: "192.0.2.1:1", to: "192.0.2.2:2", payload-hex: 0g}}
    {in: eth0, icmp: {from: 192.0.2.1, to: 192.0.2.2}}
    {in: eth0, icmp: {from: 192.0.2.1, to: 192.0.2.2, type: ping}}
    {in: eth0, icmp: {from: 192.0.2.1, to: 192.0.2.2, type: 3, quote: {scp: {}}}}
    {in: eth0, ip: {from: 192.0.2.1, to: 192.0.2.2}}
    {in: eth0, ip: {from: 192.0.2.1, to: 192.0.2.2, protocol: 300}}
    {in: eth0, arp: {from: 192.0.2.1, to: 192.0.2.2}}
    {in: eth0, frame: xyz}
    {in: eth0, tcp-session: {from: "192.0.2.1:1", to: "192.0.2.2:2", close: abort}}
    {in: eth0, tcp-session: {from: "192.0.2.1:1", to: "192.0.2.2:2", say: hello}}
    {in: eth0, ping: {from: "192.0.2.1:1", to: 192.0.2.2}}
    {in: eth0, ping: {from: 192.0.2.1, to: 192.0.2.2, count: 0}}
    {in: eth0, udp: {from: "192.0.2.1:1", to: "192.0.2.2:2"}, expect: {fat: dropped}}
    {in: eth0, udp: {from: "192.0.2.1:1", to: "192.0.2.2:2"}, expect: {fate: lost}}
    {in: eth0, udp: {from: "192.0.2.1:1", to: "192.0.2.2:2"}, expect: {ctstate: OLD}}
    {in: eth0, udp: {from: "192.0.2.1:1", to: "192.0.2.2:2"}, expect: {ttl: high}}
    {in: eth0, udp: {from: "192.0.2.1:1", to: "192.0.2.2:2"}, expect: {out: [{device: eth0}]}}
    {in: eth0, udp: {from: "192.0.2.1:1", to: "192.0.2.2:2"}, expect: {fate: {nto: dropped}}}
    {in: eth0, ping: {from: 192.0.2.1, to: 192.0.2.2}, expect: {completes: perhaps}}
    """
        .lines();
  }

  @ParameterizedTest
  @MethodSource("wrongPackets")
  void whatIsWrongIsRefusedByBoth(String packet) {
    String text =
        "host: {interfaces: {eth0: {addresses: [192.0.2.2/24]}}}\n"
            + "experiments:\n  - packets: ["
            + packet
            + "]\n";
    assertFalse(SCHEMA.validate(text, InputFormat.YAML).isEmpty());
    assertThrows(
        SourceException.class,
        () -> {
          ScenarioFile file = ScenarioFile.parse("f", text, null, new ScenarioFolder(Path.of("f")));
          var rules = RulesFile.of(file);
          new Experiments("f", file, rules, () -> new Host(file.host().description(), rules, 0, 1))
              .run(name -> true, new RuleCoverage());
        });
  }
}
