// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.skbwalk.kernel.InitCalls.Level;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class InitCallsTest {
  @Test
  void levelsRunInOrderAndWithinOneTheOrderOfAdding() {
    InitCalls calls = new InitCalls();
    List<String> order = new ArrayList<>();
    for (String function : List.of("packet_init", "af_unix_init")) {
      calls.add(Level.DEVICE, function, "", () -> order.add(function));
    }
    calls.add(Level.FS, "inet_init", "", () -> order.add("inet_init"));
    calls.add(Level.SUBSYS, "net_dev_init", "", () -> order.add("net_dev_init"));
    calls.run();
    calls.run();
    assertEquals(List.of("net_dev_init", "inet_init", "packet_init", "af_unix_init"), order);
    assertEquals(order, calls.ran().stream().map(InitCalls.Ran::function).toList());
    assertEquals(5, Level.FS.ordinal());
  }
}
