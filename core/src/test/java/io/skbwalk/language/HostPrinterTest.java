// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.skbwalk.host.HostDescription;
import io.skbwalk.host.HostDescription.Netfilter;
import io.skbwalk.netfilter.ipset.IpSets;
import io.skbwalk.netfilter.ipset.IpsetPrinter;
import io.skbwalk.skb.Net;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A host that is printed is the same host when it is read. */
class HostPrinterTest {
  private static final Path ROOT = Path.of("..");

  private static Stream<String> hosts() throws IOException {
    try (Stream<Path> files = Files.list(ROOT.resolve("config"))) {
      List<String> written =
          files
              .filter(file -> file.toString().endsWith(".yaml"))
              .sorted()
              .map(HostPrinterTest::read)
              .toList();
      Matcher examples =
          Pattern.compile("(?s)```yaml\n(.*?)```").matcher(read(ROOT.resolve("docs/hosts.md")));
      return Stream.concat(
          written.stream(), examples.results().map(example -> example.group(1)).toList().stream());
    }
  }

  private static Stream<String> details() {
    String nic = "interfaces: {eth0: {macaddress: \"02:00:00:00:00:01\", addresses: [10.0.0.1/8]";
    return Stream.of(
        "interfaces: {}",
        "hostname: \"null\"\n" + nic + ", group: 4294967295, mtu: 68, ring-size: 1}}",
        nic
            + "}}\nvlans: {eth0.0: {id: 0, link: eth0, mtu: 1400, group: 3}, v: {id: 9, link: eth0}}",
        nic + ", routes: [{to: 10.9.0.0/16, realm: 1/2}, {to: default, via: 10.0.0.9, realm: 7}]}}",
        nic + "}}\nroutes: [{to: 10.9.9.9, type: local, interface: eth0, table: 4294967295}]",
        nic + "}}\nroutes: [{to: 10.9.9.0/24, type: throw, metric: 4294967295, table: default}]",
        nic + "}}\nroutes: [{to: default, via: 192.0.2.1, interface: eth0, on-link: true}]",
        nic + "}}\nrouting-policy: [{priority: 7, mark: 0/0xff, not: true, table: local}]",
        nic + "}}\nrouting-policy: [{priority: 7, mark: 0xffffffff, type: blackhole, table: 9}]",
        nic + "}}\nrouting-policy: [{priority: 7, iif: lo, type-of-service: 8, table: main}]",
        nic + "}}\nsockets: [{protocol: tcp, port: 1, uid: 4294967294, gid: 3, groups: [0, 7]}]",
        nic + "}}\nsockets: [{raw: true, protocol: 200, interface: eth0}, {packet: true}]",
        nic + "}}\nsockets: [{protocol: udp, port: 1, transparent: true, mark: 0xffffffff}]",
        nic
            + "}}\nqueues: {0: accept, 1: {answer: queue, to: 2, mark: 7}, 2: {answer: stop, mark: 0}}");
  }

  @ParameterizedTest
  @MethodSource({"hosts", "details"})
  void readsBackTheSame(String text) {
    HostDescription host = HostFile.parse("host.yaml", text).description();
    String printed = HostPrinter.print(host);
    HostDescription back = HostFile.parse("printed.yaml", printed).description();
    assertEquals(sets(host), sets(back), printed);
    assertEquals(withoutSets(host), withoutSets(back), printed);
    assertEquals(printed, HostPrinter.print(back));
  }

  @Test
  void whatIsLostIsFound() {
    String text = details().skip(1).findFirst().orElseThrow();
    HostDescription host = HostFile.parse("host.yaml", text).description();
    String printed = HostPrinter.print(host).replace("ring-size: 1", "ring-size: 2");
    assertNotEquals(host, HostFile.parse("printed.yaml", printed).description(), printed);
  }

  /** How sets are written may differ; what is in them may not. */
  private static String sets(HostDescription host) {
    IpSets sets = new IpSets(new Net(0, 0));
    host.netfilter().ipsets().forEach(restore -> restore.into(sets));
    return IpsetPrinter.save(sets);
  }

  private static HostDescription withoutSets(HostDescription host) {
    Netfilter others = host.netfilter().withIpsets(List.of());
    return host.with(others);
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
