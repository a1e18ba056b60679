// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.skb.SkBuff;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Segments and what Linux 6.18 makes of them. */
class TcpTrackerTest {
  private static final String CLIENT = "10.1.0.1";
  private static final String SERVER = "192.168.7.2";

  /** One line of tcp-segments.txt. */
  private static SkBuff segment(Machine machine, String text) {
    String[] field = text.trim().split(" +");
    boolean out = field[0].equals(">");
    byte[] options = field[5].equals("-") ? new byte[0] : HexFormat.of().parseHex(field[5]);
    SkBuff skb =
        machine.tcp(
            out ? CLIENT : SERVER,
            out ? 40_000 : 80,
            out ? SERVER : CLIENT,
            out ? 80 : 40_000,
            Integer.parseInt(field[1], 16),
            Integer.parseUnsignedInt(field[2]),
            Integer.parseUnsignedInt(field[3]),
            Integer.parseInt(field[4]),
            options,
            Integer.parseInt(field[6]));
    if (field.length > 7) {
      skb.head[skb.networkHeader + 20 + 16] ^= 1;
    }
    return skb;
  }

  private static String entry(Conntrack conntrack, int timeoutOfKernel) {
    int ct = conntrack.first();
    if (ct == 0) {
      return "none";
    }
    assertEquals(0, conntrack.next(ct), "one connection");
    int timeout = conntrack.timeoutSeconds(ct);
    return conntrack.protocolStateName(ct)
        + " "
        // The kernel had counted a few milliseconds down already.
        + (timeout - 1 == timeoutOfKernel ? timeoutOfKernel : timeout)
        + " "
        + (!conntrack.has(ct, ConntrackStatus.IPS_SEEN_REPLY)
            ? "U"
            : conntrack.has(ct, ConntrackStatus.IPS_ASSURED) ? "A" : "-")
        + " "
        + (conntrack.sourcePort(ct, ConntrackInfo.ORIGINAL) == 40_000 ? ">" : "<");
  }

  @TestFactory
  Stream<DynamicTest> segmentsRecordedFromTheKernel() throws IOException {
    List<List<String>> connections = new ArrayList<>();
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(
                TcpTrackerTest.class.getResourceAsStream("tcp-segments.txt"),
                StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.matches("# \\d+")) {
          connections.add(new ArrayList<>());
        } else if (!line.startsWith("#")) {
          connections.get(connections.size() - 1).add(line);
        }
      }
    }
    assertTrue(connections.size() > 100);
    return connections.stream()
        .map(
            connection ->
                DynamicTest.dynamicTest(
                    "connection " + connections.indexOf(connection), () -> replay(connection)));
  }

  private static void replay(List<String> connection) {
    Machine machine = new Machine();
    for (String line : connection) {
      String[] part = line.split(" : ");
      String[] expected = part[2].split(" ");
      String state = machine.send(segment(machine, part[0]));
      int timeout = expected.length > 1 ? Integer.parseInt(expected[1]) : 0;
      assertEquals(
          part[1] + " : " + part[2], state + " : " + entry(machine.conntrack, timeout), line);
    }
    assertEquals(0, machine.net.skbs.outstanding());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // a handshake, then one segment, and why it is invalid or ignored
        "> 10 1001 5001 1000 - 0  | ESTABLISHED       | ",
        "> 10 900001 5001 1000 - 0 | INVALID          | SEQ is over upper bound 6002 (over the"
            + " window of the receiver)",
        "> 10 1001 900001 1000 - 0 | INVALID          | ACK is over upper bound 5002 (ACKed data"
            + " not seen yet)",
        "> 18 4294867296 5001 9 - 1 | ESTABLISHED     | SEQ is under lower bound 4294963296"
            + " (already ACKed data retransmitted)",
        "> 12 1001 5001 1000 - 0  | INVALID           | packet (index 1) in dir 0 invalid, state"
            + " ESTABLISHED",
        "> 02 9 0 1000 - 0        | ESTABLISHED       | packet (index 0) in dir 0 ignored, state"
            + " ESTABLISHED",
        "> 00 1001 5001 1000 - 0  | INVALID           | invalid tcp flag combination",
        "> 29 1001 5001 1000 - 0  | INVALID           | invalid tcp flag combination",
        "> 10 1001 5001 1000 - 0 badsum | INVALID     | bad checksum",
        "< 04 4000 0 0 - 0        | INVALID           | invalid rst",
      })
  void saysWhy(String segment, String state, String reason) {
    Machine machine = new Machine().tracing();
    machine.send(segment(machine, "> 02 1000 0 8000 - 0"));
    machine.send(segment(machine, "< 12 5000 1001 5000 - 0"));
    machine.send(segment(machine, "> 10 1001 5001 8000 - 0"));
    assertEquals(
        List.of(
            "conntrack: NEW tcp SYN_SENT 10.1.0.1:40000 > 192.168.7.2:80",
            "confirm: the connection enters the table, timeout 120 s",
            "conntrack: ESTABLISHED (reply) tcp SYN_RECV 192.168.7.2:80 > 10.1.0.1:40000,"
                + " state SYN_SENT -> SYN_RECV",
            "conntrack: ESTABLISHED tcp ESTABLISHED 10.1.0.1:40000 > 192.168.7.2:80,"
                + " state SYN_RECV -> ESTABLISHED"),
        machine.steps);
    machine.steps.clear();
    assertEquals(state, machine.send(segment(machine, segment)));
    if (reason != null) {
      String step = machine.steps.get(0);
      assertEquals(reason, step.substring(step.length() - reason.length()), step);
    }
  }
}
