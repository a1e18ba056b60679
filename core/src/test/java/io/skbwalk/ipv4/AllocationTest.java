// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import static io.skbwalk.ipv4.Packets.ip;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.ManagementFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Moving a packet allocates nothing when nobody listens. */
class AllocationTest {
  @ParameterizedTest
  @ValueSource(strings = {"forwarded", "echo", "options", "split", "reassembled", "ttl"})
  void noneAPacket(String kind) {
    Router router = new Router();
    router.stopRecording();
    byte[][] packets =
        switch (kind) {
          case "forwarded" -> new byte[][] {ip().to("192.168.7.2").bytes()};
          case "echo" ->
              new byte[][] {ip().protocol(1).payload(Packets.icmp(8, 0, 1, new byte[56])).bytes()};
          case "options" ->
              new byte[][] {ip().to("192.168.7.2").options("070b040000000000000000").bytes()};
          case "split" -> new byte[][] {ip().to("192.168.7.2").payload(Packets.fill(4000)).bytes()};
          case "reassembled" ->
              new byte[][] {
                ip().fragment(0, true, false).payload(Packets.fill(1400)).bytes(),
                ip().fragment(1400, false, false).payload(Packets.fill(1400)).bytes()
              };
          default -> new byte[][] {ip().to("192.168.7.2").ttl(1).bytes()};
        };
    run(router, packets, 20_000);
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    run(router, packets, 20_000);
    long bytes = threads.getCurrentThreadAllocatedBytes() - before;
    // The measurement itself and the JIT's deoptimisations may cost a little; a packet may not.
    assertTrue(bytes < 20_000, kind + ": " + bytes + " bytes for 20,000 packets");
  }

  private static void run(Router router, byte[][] packets, int times) {
    for (int i = 0; i < times; i++) {
      for (byte[] packet : packets) {
        router.receive(packet);
      }
    }
  }
}
