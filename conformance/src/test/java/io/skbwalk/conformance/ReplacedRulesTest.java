// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.language.ScenarioFile;
import io.skbwalk.language.ScenarioPacket;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Rules replaced between packets, here and in the running kernel: what becomes of tracking. */
class ReplacedRulesTest {
  private static final Path CASES = Path.of("cases");

  private static final String TRACKS =
      "*filter\n-A FORWARD -m state --state INVALID -j DROP\n-A FORWARD -m state --state NEW\n"
          + "-A FORWARD -m state --state ESTABLISHED\nCOMMIT\n";
  private static final String NEEDS_NOTHING = "*filter\n-A FORWARD -j ACCEPT\nCOMMIT\n";

  private static final String CLIENT =
      "{in: eth1, %s: {from: '192.168.7.2:4000', to: '198.51.100.1:80'%s}}";
  private static final String SERVER =
      "{in: eth0, %s: {from: '198.51.100.1:80', to: '192.168.7.2:4000'%s}}";
  private static final String[] HANDSHAKE = {
    client("flags: S, seq: 1000"),
    server("flags: SA, seq: 5000, ack: 1001"),
    client("flags: A, seq: 1001, ack: 5001"),
  };

  private static String client(String tcp) {
    return CLIENT.formatted("tcp", ", " + tcp);
  }

  private static String server(String tcp) {
    return SERVER.formatted("tcp", ", " + tcp);
  }

  private final List<String> packets = new ArrayList<>();
  private final List<String> rules = new ArrayList<>();
  private String loaded;

  private void load(String rules) {
    loaded = rules;
  }

  private void send(String... packets) {
    for (String packet : packets) {
      this.packets.add(packet);
      rules.add(loaded);
      loaded = null;
    }
  }

  /** The kernel's verdict on what has been loaded and sent, beginning with {@code first} rules. */
  private void isAsInTheKernel(String first) throws IOException {
    ScenarioFile file =
        ScenarioFile.parse(
            "replaced.yaml",
            "host: hosts/router.yaml\nexperiments:\n  - name: replaced\n    packets:\n      - "
                + String.join("\n      - ", packets)
                + "\n",
            null,
            name -> Files.readString(CASES.resolve(name)));
    List<Scenario.Step> steps = new ArrayList<>();
    for (ScenarioPacket packet : file.experiments().get(0).packets()) {
      Scenario.Step step = Scenario.Step.of(packet, packets.get(steps.size()));
      String before = rules.get(steps.size());
      steps.add(before == null ? step : step.after(before));
    }
    AskedKernel.doesAsTheModel(Scenario.on(file.host().description(), "replaced", first, steps));
  }

  @Test
  void withoutNeedNothingIsTrackedAndConnectionsStay() throws IOException {
    send(HANDSHAKE);
    send(CLIENT.formatted("udp", ""));
    load(NEEDS_NOTHING);
    send(SERVER.formatted("udp", ""), client("flags: PA, seq: 1001, ack: 5001, payload: lost"));
    send("{in: eth0, udp: {from: '198.51.100.9:1', to: '192.168.7.2:9'}}");
    isAsInTheKernel(TRACKS);
  }

  @Test
  void windowsAreForgottenWhereNobodyWatched() throws IOException {
    send(HANDSHAKE);
    load(NEEDS_NOTHING);
    send(client("flags: PA, seq: 900000, ack: 700000, payload: unseen"));
    load(TRACKS);
    send(
        server("flags: A, seq: 700000, ack: 900006"),
        client("flags: PA, seq: 900006, ack: 700000, payload: seen"),
        client("flags: PA, seq: 9000060, ack: 700000, payload: beyond"),
        server("flags: A, seq: 700000, ack: 1001"));
    isAsInTheKernel(TRACKS);
  }

  @Test
  void whileAnotherTableNeedsItWindowsStay() throws IOException {
    send(HANDSHAKE);
    load(NEEDS_NOTHING);
    send(client("flags: PA, seq: 900000, ack: 700000, payload: beyond"));
    load(TRACKS);
    send(
        client("flags: PA, seq: 900006, ack: 700000, payload: beyond"),
        server("flags: A, seq: 5001, ack: 1001"));
    isAsInTheKernel("*mangle\n-A PREROUTING -m state --state INVALID -j ACCEPT\nCOMMIT\n" + TRACKS);
  }

  @Test
  void betweenTwoTablesOfOneFileItIsOffAndOn() throws IOException {
    send(HANDSHAKE);
    // raw, mangle and nat come before filter in the file, and each counts when it is committed.
    load(
        "*mangle\n-A PREROUTING -j ACCEPT\nCOMMIT\n"
            + "*filter\n-A FORWARD -m state --state INVALID -j DROP\nCOMMIT\n");
    send(
        server("flags: A, seq: 700000, ack: 900006"),
        client("flags: PA, seq: 900006, ack: 700000, payload: seen"));
    isAsInTheKernel(
        "*mangle\n-A PREROUTING -m state --state INVALID -j ACCEPT\nCOMMIT\n" + NEEDS_NOTHING);
  }

  @Test
  void aSynSentConnectionKeepsItsWindows() throws IOException {
    send(client("flags: S, seq: 1000"));
    load(NEEDS_NOTHING);
    send(server("flags: SA, seq: 5000, ack: 1001"));
    load(TRACKS);
    send(
        client("flags: A, seq: 1001, ack: 5001"),
        server("flags: PA, seq: 5001, ack: 1001, payload: hello"),
        client("flags: A, seq: 1001, ack: 5006"));
    isAsInTheKernel(TRACKS);
  }

  @Test
  void translatedConnectionsAreNotTranslatedWithoutTracking() throws IOException {
    String nat = "*nat\n%sCOMMIT\n";
    String masquerade = "-A POSTROUTING -o eth0 -j MASQUERADE\n";
    send(client("flags: S, seq: 1000"));
    send(
        "{in: eth0, tcp: {from: '198.51.100.1:80', to: '203.0.113.1:4000', flags: SA, ack: 1001}}");
    load(nat.formatted(""));
    send(client("flags: A, seq: 1001, ack: 1"));
    load(nat.formatted(masquerade));
    send(client("flags: A, seq: 1001, ack: 1"), client("flags: PA, seq: 1001, ack: 1, payload: x"));
    isAsInTheKernel(nat.formatted(masquerade));
  }

  @Test
  void fragmentsAreLeftAloneAgain() throws IOException {
    String first =
        "{in: eth0, ip: {from: 198.51.100.9, to: 192.168.7.2, protocol: 17, id: %d, mf: true,"
            + " payload-hex: 03e8003500180000 0000000000000000}}";
    String last =
        "{in: eth0, ip: {from: 198.51.100.9, to: 192.168.7.2, protocol: 17, id: %d,"
            + " fragment-offset: 16, payload-hex: 0000000000000000}}";
    send(first.formatted(1), last.formatted(1));
    load(NEEDS_NOTHING);
    send(first.formatted(2), last.formatted(2));
    load(TRACKS);
    send(first.formatted(3), last.formatted(3));
    isAsInTheKernel(TRACKS);
  }

  @Test
  void aTableOfAnotherKindStartsTracking() throws IOException {
    send(client("flags: A, seq: 1001, ack: 5001"));
    load("*raw\n-A PREROUTING -p udp -j CT --zone 7\nCOMMIT\n");
    send(client("flags: A, seq: 1001, ack: 5001"), CLIENT.formatted("udp", ""));
    load("*raw\n-A PREROUTING -p udp -j CT --notrack\nCOMMIT\n");
    send(server("flags: A, seq: 5001, ack: 1001"));
    isAsInTheKernel(NEEDS_NOTHING);
  }
}
