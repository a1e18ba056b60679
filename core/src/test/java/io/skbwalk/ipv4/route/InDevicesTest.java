// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4.route;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Settings and the routes of addresses, against what Linux 6.18 showed in a fresh namespace. */
class InDevicesTest {
  private final HostInWords host = new HostInWords(null);

  private static List<String> lines(String name) throws IOException {
    try (InputStream in = InDevicesTest.class.getResourceAsStream(name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.isBlank() && !line.startsWith("#"))
          .toList();
    }
  }

  @Test
  void defaultsOfAFreshNamespace() throws IOException {
    List<String> actual = new ArrayList<>();
    for (String name : host.net.sysctls.names()) {
      actual.add(name + "=" + host.net.sysctls.get(name));
    }
    List<String> expected = new ArrayList<>(lines("defaults.txt"));
    expected.sort(null);
    actual.sort(null);
    assertEquals(String.join("\n", expected), String.join("\n", actual));
  }

  @Test
  void settingsPullOthersAlong() throws IOException {
    List<String> lines = lines("settings.txt");
    for (String line : lines) {
      String[] parts = line.split(" => ");
      assertEquals("", host.run(parts[0]));
      if (parts.length < 2) {
        continue;
      }
      for (String state : parts[1].split(" ")) {
        String name = "net.ipv4." + state.split("=")[0];
        long value = host.net.sysctls.get(name);
        assertEquals(state.split("=")[1], Long.toString(value), name + " after " + parts[0]);
      }
    }
    assertTrue(lines.size() > 10);
  }

  @Test
  void addressesBringRoutesAlong() throws IOException {
    List<String> expected = new ArrayList<>();
    for (String line : lines("tables.txt")) {
      if (line.startsWith("address")) {
        assertEquals("", host.run(line));
      } else {
        expected.add(line);
      }
    }
    List<String> actual = new ArrayList<>();
    for (int table : new int[] {FibRoute.RT_TABLE_LOCAL, FibRoute.RT_TABLE_MAIN}) {
      List<FibRoute> routes = host.fib.routes(table);
      routes.sort(
          Comparator.<FibRoute>comparingLong(route -> Integer.toUnsignedLong(route.destination))
              .thenComparingInt(route -> -route.prefixLength));
      for (FibRoute route : routes) {
        String scope = route.scope == FibRoute.RT_SCOPE_HOST ? "host" : "link";
        actual.add(
            FibRoute.tableName(table)
                + ": "
                + route.toString().replace(" src ", " scope " + scope + " src "));
      }
    }
    assertEquals(String.join("\n", expected), String.join("\n", actual));
  }
}
