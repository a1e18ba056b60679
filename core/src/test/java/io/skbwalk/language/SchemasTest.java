// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.Error;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.skbwalk.host.Host;
import io.skbwalk.host.HostException;
import io.skbwalk.lib.SourceException;
import io.skbwalk.netfilter.tables.RuleSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The schemas that editors use say the same as the readers, of the files that come along, too. */
class SchemasTest {
  private static final Path RULES = Path.of("../rules");
  private static final Path CONFIG = Path.of("../config");
  private static final Schema RULES_SCHEMA = schema(RULES.resolve("rules.schema.json"));
  private static final Schema HOST_SCHEMA = schema(CONFIG.resolve("host.schema.json"));

  private static Schema schema(Path file) {
    try {
      return SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
          .getSchema(Files.readString(file));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static List<Path> yaml(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(".yaml")).sorted().toList();
    }
  }

  static List<Path> ruleFiles() throws IOException {
    // Beside them lie experiments.
    return yaml(RULES).stream().filter(file -> !file.toString().endsWith(".test.yaml")).toList();
  }

  static List<Path> hostFiles() throws IOException {
    return yaml(CONFIG);
  }

  private static RuleSet rules(Path file) throws IOException {
    return RulesFile.merge(List.of(RulesFile.parse(file.toString(), Files.readString(file))));
  }

  @ParameterizedTest
  @MethodSource("ruleFiles")
  void rulesComeAlongValid(Path file) throws IOException {
    String text = Files.readString(file);
    assertTrue(text.startsWith("# yaml-language-server: $schema=rules.schema.json\n"));
    assertEquals(List.of(), RULES_SCHEMA.validate(text, InputFormat.YAML));
    assertFalse(rules(file).tables().isEmpty());
  }

  @ParameterizedTest
  @MethodSource("hostFiles")
  void hostsComeAlongValid(Path file) throws IOException {
    String text = Files.readString(file);
    assertTrue(text.startsWith("# yaml-language-server: $schema=host.schema.json\n"));
    assertEquals(List.of(), HOST_SCHEMA.validate(text, InputFormat.YAML));
    new Host(HostFile.parse(file.toString(), text).description(), 0, 0);
  }

  @ParameterizedTest
  @MethodSource("schemas")
  void everyKeyIsDescribed(Path file) throws IOException {
    JsonNode schema = new ObjectMapper().readTree(Files.readString(file));
    List<String> silent = new ArrayList<>();
    for (JsonNode object : schema.findParents("properties")) {
      if (!object.path("additionalProperties").isMissingNode()) {
        object
            .get("properties")
            .properties()
            .forEach(
                entry -> {
                  JsonNode value = entry.getValue();
                  String reference = value.path("$ref").asText("#").substring(1);
                  if (value.path("description").asText().length() < 4
                      && schema.at(reference).path("description").asText().length() < 4) {
                    silent.add(entry.getKey());
                  }
                });
      }
    }
    assertEquals(List.of(), silent);
  }

  static Stream<Path> schemas() {
    return Stream.of(RULES.resolve("rules.schema.json"), CONFIG.resolve("host.schema.json"));
  }

  /** Rules of filter/INPUT that both refuse. */
  static Stream<String> wrongRules() {
    return """
    {prtocol: tcp}
    {jump: ACCEPT, goto: mine}
    {dport: 22}
    {icmp-type: 8}
    {protocol: tcp, syn: false}
    {protocol: tcp, syn: {not: false}}
    {protocol: tcp, tcp-flags: SYN}
    {protocol: tcp, tcp-flags: {mask: SYN}}
    {protocol: tcp, dports: []}
    {protocol: tcp, dports: [[80]]}
    {source: {nto: 192.0.2.1}}
    {source: {not: 192.0.2.1, dst: 192.0.2.2}}
    {source: }
    {ctstate: NEW}
    {match: {contrack: {ctstate: NEW}}}
    {match: {conntrack: {state: NEW}}}
    {match: {conntrack: NEW}}
    {match: {mark: }}
    {match: mark}
    {match: {mark: {mark: {mark: 1}}}}
    {match: [[conntrack]]}
    {match: {policy: {dir: in, strict: true, reqid: 1, next: }}}
    {match: {policy: {dir: in, strict: true, reqid: 1, next: {dir: in}}}}
    {match: {policy: {dir: in, strict: true, reqid: 1, next: {reqid: 2, next: {reqid: 3}}}}}
    {jump: {LOG: {log-prefx: x}}}
    {jump: {LOG: {}, ACCEPT: }}
    {jump: {ACCEPT: {now: true}}}
    {jump: {TTL: {ttl-set: }}}
    {jump: DNAT}
    {jump: }
    {goto: {mine: }}
    {counters: 5}
    {counters: [1]}
    {counters: [1, -1]}
    [jump, ACCEPT]
    5
    ""
    ACCEPT
    """
        .lines();
  }

  @ParameterizedTest
  @MethodSource("wrongRules")
  void rulesAreRefusedByBoth(String rule) {
    String text = "tables: {filter: {mine: , INPUT: {rules: [" + rule + "]}}}";
    refusedByBoth(RULES_SCHEMA, text);
    assertThrows(SourceException.class, () -> RulesFile.merge(List.of(RulesFile.parse("f", text))));
  }

  /** Rule files that both refuse. */
  static Stream<String> wrongRuleFiles() {
    return """
    {}
    tabels: {}
    {tables: {}, table: {}}
    tables: {fitler: }
    tables: []
    tables: {filter: []}
    tables: {filter: {INPUT: []}}
    tables: {filter: {INPUT: {policy: REJECT}}}
    tables: {filter: {INPUT: {polcy: DROP}}}
    tables: {filter: {INPUT: {counters: [1, 2]}}}
    tables: {filter: {INPUT: {rules: {jump: DROP}}}}
    tables: {filter: {mine: {policy: DROP}}}
    tables: {filter: {PREROUTING: }}
    tables: {nat: {FORWARD: }}
    tables: {filter: {ACCEPT: }}
    tables: {filter: {LOG: }}
    tables: {filter: {"a b": }}
    tables: {filter: {-x: }}
    tables: {filter: {abcdefghijklmnopqrstuvwxyzabc: }}
    """
        .lines();
  }

  @ParameterizedTest
  @MethodSource("wrongRuleFiles")
  void ruleFilesAreRefusedByBoth(String text) {
    refusedByBoth(RULES_SCHEMA, text);
    assertThrows(SourceException.class, () -> RulesFile.merge(List.of(RulesFile.parse("f", text))));
  }

  /** What both take. */
  static Stream<String> rightRules() {
    return """
    {}
    {match: {policy: {dir: in, strict: true, reqid: 1, next: {reqid: 2}}}}
    {match: {policy: {dir: in, strict: true, reqid: 1, next: [{reqid: 2}, {spi: {not: 3}}]}}}
    {jump: mine}
    {jump: {mine: }}
    {jump: {ACCEPT: {}}}
    {jump: REJECT, source: [192.0.2.1, 192.0.2.2], comment: 5}
    {protocol: 6, dport: 22, match: conntrack, counters: [1, 2]}
    {protocol: tcp, syn: , dports: {not: ["80", 443]}}
    {match: [{mark: {mark: 1}}, {mark: {mark: {not: 0x2/2}}}], jump: ACCEPT}
    {match: {mark: [{mark: 1}, {mark: 2}]}, goto: mine}
    {protocol: tcp, tcp-flags: {not: {mask: [SYN, ACK], set: SYN}}}
    -j ACCEPT
    "! -s 192.0.2.1 -j mine"
    """
        .lines();
  }

  @ParameterizedTest
  @MethodSource("rightRules")
  void rulesAreTakenByBoth(String rule) {
    String conntrack = rule.replace("match: conntrack, ", "match: tcp, ");
    String text = "tables: {filter: {mine: , INPUT: {rules: [" + conntrack + "]}}}";
    assertEquals(List.of(), RULES_SCHEMA.validate(text, InputFormat.YAML));
    RulesFile.merge(List.of(RulesFile.parse("f", text)));
  }

  /** Hosts with an interface eth0 and more, and what the reader or the machine says of it. */
  private static final String WRONG_HOSTS =
      """
      hostnam: x                                               => 2:1: unknown key "hostnam" in a host; did you mean hostname? *
      sysctls: {ipv4.ip_forward: 1}                            => 2:11: *
      sysctls: {net.ipv4.ip_forward: [1]}                      => 2:32: expected a single value, found a list
      vlans: {v: {id: 5000, link: eth0}}                       => 2:17: expected a number from 0 to 4094, found 5000
      vlans: {v: {id: 5}}                                      => 2:12: a VLAN needs the key "link"
      vlans: {a-name-of-16-chr: {id: 5, link: eth0}}           => 2:9: "a-name-of-16-chr" cannot name an interface (1 to 15 characters, no blank or /)
      routes: [{via: 192.0.2.9}]                               => 2:10: a route needs the key "to"
      routes: [{to: 10.0.0.0/40, via: 192.0.2.9}]              => 2:15: a prefix length is a number from 0 to 32, not "40"
      routes: [{to: 10.0.0.0/8, type: blackole}]               => 2:33: unknown route type "blackole"; known: unicast, local, unreachable, prohibit, blackhole, throw
      routes: [{to: 10.0.0.0/8, via: eth0}]                    => 2:32: *
      routes: [{to: 10.0.0.0/8, via: 192.0.2.9, metrc: 1}]     => 2:43: unknown key "metrc" in a route; did you mean metric? *
      routes: {to: default}                                    => 2:9: expected a list (- item, or [item, item])
      routing-policy: [{table: 5}]                             => 2:18: a routing policy needs the key "priority"
      routing-policy: [{priority: 5}]                          => 2:18: a routing policy needs the key "table"
      routing-policy: [{priority: 40000, table: 5}]            => 2:29: expected a number from 1 to 32765, found 40000
      neighbours: [{address: 192.0.2.9}]                       => 2:14: a neighbour needs the key "macaddress"
      neighbours: [{address: 192.0.2.9, macaddress: 02:00}]    => 2:47: *
      assume-neighbours: 7                                     => 2:20: expected true or false, found "7"
      sockets: [{protocol: tcp}]                               => 2:11: a socket needs the key "port"
      sockets: [{protocol: tcp, port: 0}]                      => 2:33: expected a number from 1 to 65535, found 0
      sockets: [{protocol: icmp, port: 5}]                     => 2:22: sockets of protocol tcp and udp listen on ports; *
      sockets: [{raw: true}]                                   => 2:11: a socket needs the key "protocol"
      sockets: [{raw: true, protocol: icmp, port: 1}]          => 2:45: a raw socket has no port
      sockets: [{packet: true, port: 1}]                       => 2:11: a packet socket has no address and no port
      sockets: [{raw: true, packet: true, protocol: 1}]        => 2:11: a socket is raw or packet, not both
      """;

  static Stream<String> wrongHosts() {
    return WRONG_HOSTS.lines();
  }

  @ParameterizedTest
  @MethodSource("wrongHosts")
  void hostsAreRefusedByBoth(String line) {
    String[] sides = line.split(" => ", 2);
    String text =
        "interfaces: {eth0: {macaddress: \"02:00:00:00:00:01\", addresses: [192.0.2.1/24]}}\n"
            + sides[0].strip()
            + "\n";
    refusedByBoth(HOST_SCHEMA, text);
    assertHostRefused("f:" + sides[1].strip(), text);
  }

  /** Interfaces that both refuse. */
  private static final String WRONG_INTERFACES =
      """
      {}                                                              => 1:20: interface eth0 needs a macaddress, such as "02:00:00:00:00:01"
      {macaddress: "02:00:00:00:00:01", adresses: []}                 => 1:54: unknown key "adresses" in an interface; did you mean addresses? *
      {macaddress: "02:00:00:00:00:01", addresses: [192.0.2.1]}       => 1:66: the address 192.0.2.1 needs its prefix length, such as 192.0.2.1/24
      {macaddress: "02:00:00:00:00:01", addresses: 192.0.2.1/24}      => 1:65: expected a list (- item, or [item, item])
      {macaddress: "02:00:00:00:00:01", mtu: 20}                      => 1:59: expected a number from 68 to 65535, found 20
      {macaddress: "02:00:00:00:00:01", promiscuous: 2}               => 1:67: expected true or false, found "2"
      {macaddress: "02:00:00:00:00:01", ring-size: 0}                 => 1:65: expected a number from 1 to 65536, found 0
      {macaddress: "2:0"}                                             => 1:33: *
      """;

  static Stream<String> wrongInterfaces() {
    return WRONG_INTERFACES.lines();
  }

  @ParameterizedTest
  @MethodSource("wrongInterfaces")
  void interfacesAreRefusedByBoth(String line) {
    String[] sides = line.split(" => ", 2);
    String text = "interfaces: {eth0: " + sides[0].strip() + "}\n";
    refusedByBoth(HOST_SCHEMA, text);
    assertHostRefused("f:" + sides[1].strip(), text);
  }

  /** What only the whole machine can judge: the place is still the element's. */
  private static final String WRONG_MACHINES =
      """
      sysctls: {net.ipv4.ip_forwad: 1}                         => 2:11: *
      routes: [{to: 10.0.0.0/8, via: 198.51.100.1}]            => 2:10: *
      neighbours: [{address: 198.51.100.1, macaddress: "02:00:00:00:00:02"}] => 2:14: no interface has the network of 198.51.100.1; name one
      vlans: {v: {id: 5, link: eth7}}                          => 2:26: no interface is called eth7
      routes: [{to: 10.0.0.1/8, via: 192.0.2.9}]               => 2:15: 10.0.0.1/8 has bits outside its prefix; the network is 10.0.0.0/8
      """;

  static Stream<String> wrongMachines() {
    return WRONG_MACHINES.lines();
  }

  @ParameterizedTest
  @MethodSource("wrongMachines")
  void machinesAreRefusedWhereTheyAreWrong(String line) {
    String[] sides = line.split(" => ", 2);
    assertHostRefused(
        "f:" + sides[1].strip(),
        "interfaces: {eth0: {macaddress: \"02:00:00:00:00:01\", addresses: [192.0.2.1/24]}}\n"
            + sides[0].strip()
            + "\n");
  }

  private static void refusedByBoth(Schema schema, String text) {
    List<Error> errors = schema.validate(text, InputFormat.YAML);
    assertFalse(errors.isEmpty(), "the schema takes " + text);
  }

  private static void assertHostRefused(String wanted, String text) {
    SourceException refused =
        assertThrows(
            SourceException.class,
            () -> {
              HostFile file = HostFile.parse("f", text);
              try {
                new Host(file.description(), 0, 0);
              } catch (HostException e) {
                throw file.locate(e);
              }
            });
    String said = refused.getMessage();
    if (wanted.endsWith("*")) {
      assertTrue(said.startsWith(wanted.substring(0, wanted.length() - 1)), said);
    } else {
      assertEquals(wanted, said);
    }
  }
}
