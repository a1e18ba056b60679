// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.host.HostDescription;
import io.skbwalk.language.FrameBuilder;
import io.skbwalk.language.HostFile;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.Mac;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * More than the machine expects at a time (nf_conntrack_expect_max, which belongs to all
 * namespaces, so that it is left as it is).
 */
class ExpectationLimitTest {
  private static final int FIRST = 1_000;
  private static final int CLIENT = Ip4.parse("192.168.7.2");
  private static final int SERVER = Ip4.parse("198.51.100.1");
  private static final long PEER = Mac.parse("02:00:c0:a8:07:02");

  /** Without events: conntrack -E cannot keep up with thousands. */
  private static final String RULES =
      "*raw\n-A PREROUTING -p udp -m udp --dport 69 -j CT --helper tftp --ctevents destroy\n"
          + "-A PREROUTING -i eth0 -p udp -j CT --ctevents destroy\nCOMMIT\n"
          + "*filter\n-A FORWARD -m conntrack --ctstate RELATED\nCOMMIT\n";

  private final List<Scenario.Step> steps = new ArrayList<>();

  private void request(int port) {
    byte[] frame =
        new FrameBuilder(Mac.parse("02:00:00:00:01:01"), PEER)
            .ip(CLIENT, SERVER)
            .udp(port, 69)
            .payload(new byte[] {0, 1, 'f', 0})
            .frame();
    steps.add(new Scenario.Step("eth1", frame, "request from " + port));
  }

  private void answer(int port) {
    byte[] frame =
        new FrameBuilder(Mac.parse("02:00:00:00:00:01"), PEER)
            .ip(SERVER, CLIENT)
            .udp(5000, port)
            .payload(new byte[] {0, 3, 0, 1})
            .frame();
    steps.add(new Scenario.Step("eth0", frame, "answer to " + port));
  }

  @Test
  void whatIsTooMuchIsDroppedUntilSomethingHasCome() throws IOException {
    AskedKernel.orSkip();
    int max =
        Integer.parseInt(
            Files.readString(Path.of("/proc/sys/net/netfilter/nf_conntrack_expect_max")).strip());
    for (int i = 0; i < max; i++) {
      request(FIRST + i);
    }
    request(FIRST + max);
    request(FIRST); // takes the place of its own
    answer(FIRST + 1);
    request(FIRST + max + 1);
    request(FIRST + max + 2);
    String file = "cases/hosts/router.yaml";
    HostDescription host = HostFile.parse(file, Files.readString(Path.of(file))).description();
    // The masks of events hold although nobody listens yet when the rules are loaded.
    Map<String, String> sysctls = new LinkedHashMap<>(host.sysctls());
    sysctls.put("net.netfilter.nf_conntrack_events", "1");
    AskedKernel.doesAsTheModel(Scenario.on(host.withSysctls(sysctls), "expect_max", RULES, steps));
  }
}
