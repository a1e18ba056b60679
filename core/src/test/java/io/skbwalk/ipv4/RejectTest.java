// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import static io.skbwalk.ipv4.Packets.ip;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.Verdict;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The answers of REJECT in FORWARD, as Linux 6.18 gave them. */
class RejectTest {
  private static final String FAR = "192.168.7.2";

  private static Router rejecting(boolean reset) {
    Router router = new Router();
    router.netfilter.register(
        Hook.FORWARD,
        0,
        (hook, skb, in, out) -> {
          if (reset) {
            router.inet.sendReset(skb, hook);
          } else {
            router.inet.sendUnreachable(skb, 10, hook);
          }
          return Verdict.DROP;
        });
    return router;
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "UDP without checksum, 17, 03e807d0000c000061626364, true",
    "UDP with a wrong one, 17, 03e807d0000c000761626364, false",
    "a protocol that sums up to 0, 99, 0000, true",
    "a protocol that sums up to ffff, 99, ffff, true",
    "a protocol that does not, 99, 6162, false",
    "echo request, 1, 0800969d000000006162, true",
    "echo request with a wrong checksum, 1, 08000003000000006162, false",
    "ICMP error, 1, 03009b9d000000006162, false",
    "SCTP, 132, 6162, true",
    "GRE, 47, 00006162, true",
    "GRE with checksum, 47, 80006162, true",
  })
  void unreachable(String name, int protocol, String payload, boolean answered) {
    Router router = rejecting(false);
    router.receive(ip().to(FAR).protocol(protocol).payload(Packets.hex(payload)).bytes());
    assertEquals(List.of("NETFILTER_DROP nf_hook_slow"), router.dropped);
    int length = 20 + payload.length() / 2;
    assertEquals(
        answered
            ? List.of(
                "eth0 via 203.0.113.9 203.0.113.1>203.0.113.9 tos c0 len "
                    + (28 + length)
                    + " icmp 3/10 00000000 +"
                    + length)
            : List.of(),
        router.sent);
  }

  @ParameterizedTest(name = "flags {0}, {1} bytes")
  @CsvSource({
    // flags, payload, wrong checksum, the answer's TCP header
    "2, 0, false, 00509c4000000000000000655014000010",
    "0x10, 3, false, 00509c4000000037000000005004000010",
    "1, 3, false, 00509c4000000000000000685014000010",
    "4, 3, false, ''",
    "2, 0, true, ''",
  })
  void reset(String flags, int size, boolean wrong, String answer) {
    byte[] segment = Packets.tcp("203.0.113.9", FAR, 100, 0x37, Integer.decode(flags), size);
    if (wrong) {
      segment[16] ^= 1;
    }
    Router router = rejecting(true);
    router.receive(ip().to(FAR).protocol(6).tos(0x10).payload(segment).bytes());
    assertEquals(List.of("NETFILTER_DROP nf_hook_slow"), router.dropped);
    if (answer.isEmpty()) {
      assertEquals(List.of(), router.sent);
      return;
    }
    assertEquals(
        List.of("eth0 via 203.0.113.9 192.168.7.2>203.0.113.9 frag 0 DF len 40"), router.sent);
    byte[] frame = router.frames.get(0);
    assertEquals(answer.substring(0, 28), HexFormat.of().formatHex(frame, 20, 34));
    assertEquals(0, Packets.get16(frame, 4));
    long sum =
        io.skbwalk.lib.Checksum.pseudoHeader(
            io.skbwalk.lib.Ip4.parse(FAR), io.skbwalk.lib.Ip4.parse("203.0.113.9"), 6, 20);
    assertEquals(
        0, io.skbwalk.lib.Checksum.fold(io.skbwalk.lib.Checksum.partial(frame, 20, 20, sum)));
    assertEquals(0, router.net.skbs.outstanding());
  }

  @ParameterizedTest(name = "reset {0}")
  @CsvSource({"true", "false"})
  void laterFragmentsAreNotAnswered(boolean reset) {
    Router router = rejecting(reset);
    byte[] segment = Packets.tcp("203.0.113.9", FAR, 100, 0, 2, 20);
    router.receive(ip().to(FAR).protocol(6).fragment(40, false, false).payload(segment).bytes());
    assertEquals(List.of("NETFILTER_DROP nf_hook_slow"), router.dropped);
    assertEquals(List.of(), router.sent);
  }
}
