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
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Packets of every tracked protocol but TCP, valid and odd, and what Linux 6.18 made of them. */
class DatagramsTest {
  private static final Pattern TIMEOUT = Pattern.compile("^(\\w+ +\\d+) (\\d+) (.*)$");

  @Test
  void packetsRecordedFromTheKernel() throws IOException {
    Machine machine = new Machine();
    List<String> kernel = new ArrayList<>();
    int packets = 0;
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(
                DatagramsTest.class.getResourceAsStream("datagrams.txt"),
                StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.startsWith("L ")) {
          kernel.add(line.substring(2));
        } else if (!line.startsWith("#")) {
          String[] part = line.split(" : ");
          assertEquals(part[1], machine.send(packet(machine, part[0])), line);
          packets++;
        }
      }
    }
    assertTrue(packets > 500);
    assertSameConnections(kernel, machine.list());
  }

  @Test
  void brokenPacketsNeverThrow() throws IOException {
    Machine machine = new Machine("checksum=0").tracing();
    Random random = new Random(3);
    int packets = 0;
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(
                DatagramsTest.class.getResourceAsStream("datagrams.txt"),
                StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.startsWith("L ") || line.startsWith("#")) {
          continue;
        }
        String hex = line.split(" : ")[0];
        for (int length = 20; length <= hex.length() / 2; length++) {
          SkBuff skb = packet(machine, hex);
          if (random.nextInt(3) == 0) {
            skb.setU8(skb.networkHeader + 9, 6);
          }
          for (int at = skb.networkHeader + 20; at < skb.tail; at++) {
            if (random.nextInt(12) == 0) {
              skb.setU8(at, random.nextInt(256));
            }
          }
          skb.trim(length);
          machine.send(skb);
          packets++;
        }
        machine.steps.clear();
        machine.pass(random.nextInt(20));
      }
    }
    assertTrue(packets > 20_000);
    assertEquals(0, machine.net.skbs.outstanding());
  }

  private static SkBuff packet(Machine machine, String hex) {
    byte[] bytes = HexFormat.of().parseHex(hex);
    SkBuff skb = machine.net.skbs.allocate(64, bytes.length);
    skb.networkHeader = skb.put(bytes.length);
    skb.protocol = 0x0800;
    System.arraycopy(bytes, 0, skb.head, skb.networkHeader, bytes.length);
    return skb;
  }

  /** Equal but for the order, and for the second that the kernel's listing came later. */
  private static void assertSameConnections(List<String> kernel, List<String> model) {
    List<String> ours = new ArrayList<>(model);
    for (String line : kernel) {
      Matcher match = TIMEOUT.matcher(line);
      assertTrue(match.matches(), line);
      boolean found = false;
      for (int later = 0; later <= 2 && !found; later++) {
        found =
            ours.remove(
                match.group(1)
                    + " "
                    + (Integer.parseInt(match.group(2)) + later)
                    + " "
                    + match.group(3));
      }
      assertTrue(found, line);
    }
    assertEquals(List.of(), ours);
  }
}
