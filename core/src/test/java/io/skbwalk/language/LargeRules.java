// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import io.skbwalk.netfilter.tables.TableKind;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.zip.CRC32;

/** Large rule sets as iptables-save prints them, always the same. */
final class LargeRules {
  private final TableKind table;
  private final StringBuilder builtIn = new StringBuilder();
  private final Map<String, StringBuilder> chains = new TreeMap<>();

  private LargeRules(TableKind table) {
    this.table = table;
  }

  private void rule(String chain, String rule) {
    StringBuilder rules =
        table.hook(chain) != null
            ? builtIn
            : chains.computeIfAbsent(chain, name -> new StringBuilder());
    rules.append("-A ").append(chain).append(' ').append(rule).append('\n');
  }

  private String text() {
    StringBuilder out = new StringBuilder("*" + table + "\n");
    table.hooks.forEach(hook -> out.append(":" + hook.chain + " ACCEPT [0:0]\n"));
    chains.keySet().forEach(name -> out.append(":" + name + " - [0:0]\n"));
    out.append(builtIn);
    chains.values().forEach(out::append);
    return out.append("COMMIT\n").toString();
  }

  /** A university's firewall: a user chain for each department. */
  static String campus(int departments, int rules) {
    LargeRules campus = new LargeRules(TableKind.FILTER);
    for (int i = 0; i < departments; i++) {
      campus.rule("FORWARD", "-d 10." + i + ".0.0/16 -j " + department(i));
    }
    Random random = new Random(1);
    for (int i = departments; i < rules; i++) {
      int chain = i % departments;
      String host = "10." + chain + "." + random.nextInt(256) + "." + random.nextInt(256) + "/32";
      campus.rule(department(chain), rule(i, host, 1 + random.nextInt(65535)));
    }
    return campus.text();
  }

  private static String department(int number) {
    return String.format("dep-%03d", number);
  }

  private static String rule(int number, String host, int port) {
    return switch (number % 5) {
      case 0 -> "-d " + host + " -p tcp -m tcp --dport " + port + " -j ACCEPT";
      case 1 ->
          "-s 172.16.0.0/12 -d "
              + host
              + " -i eth0 -p udp -m multiport --dports 53,"
              + port
              + " -m comment --comment \"order "
              + number
              + "\" -j ACCEPT";
      case 2 ->
          "-s "
              + host
              + " -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -m conntrack --ctstate NEW"
              + " -m limit --limit 10/sec -j LOG --log-prefix \"new: \"";
      case 3 -> "-d " + host + " -p icmp -m icmp --icmp-type 8 -j ACCEPT";
      default -> "-d " + host + " -j REJECT --reject-with icmp-host-prohibited";
    };
  }

  /** What kube-proxy keeps for services with three endpoints each: four chains, eleven rules. */
  static String kubernetes(int services) {
    LargeRules node = new LargeRules(TableKind.NAT);
    node.rule("PREROUTING", "-j KUBE-SERVICES");
    node.rule("OUTPUT", "-j KUBE-SERVICES");
    node.rule("KUBE-MARK-MASQ", "-j MARK --set-xmark 0x4000/0x4000");
    for (int i = 0; i < services; i++) {
      String name = "-m comment --comment \"default/service-" + i + ":http";
      String service = "KUBE-SVC-" + hash("service " + i);
      String reached =
          "-d 10.96." + (i >> 8) + "." + (i & 0xFF) + "/32 -p tcp " + name + " cluster IP\"";
      node.rule("KUBE-SERVICES", reached + " -m tcp --dport 80 -j " + service);
      node.rule(service, "! -s 10.244.0.0/16 " + reached + " -m tcp --dport 80 -j KUBE-MARK-MASQ");
      for (int j = 0; j < 3; j++) {
        String endpoint = "KUBE-SEP-" + hash("endpoint " + i + " " + j);
        String pod = "10.244." + (i & 0xFF) + "." + ((i >> 8) * 4 + j);
        String[] shares = {"0.33333333349", "0.50000000000"};
        String share = j == 2 ? "" : " -m statistic --mode random --probability " + shares[j];
        node.rule(service, name + " -> " + pod + ":8080\"" + share + " -j " + endpoint);
        node.rule(endpoint, "-s " + pod + "/32 " + name + "\" -j KUBE-MARK-MASQ");
        node.rule(
            endpoint, "-p tcp " + name + "\" -m tcp -j DNAT --to-destination " + pod + ":8080");
      }
    }
    return node.text();
  }

  private static String hash(String name) {
    CRC32 crc = new CRC32();
    crc.update(name.getBytes(StandardCharsets.US_ASCII));
    return String.format("%08X", crc.getValue());
  }

  /**
   * Chains that each jump to the next; the last one back to the first when it is a {@code loop}.
   */
  static String nested(int depth, boolean loop) {
    LargeRules nested = new LargeRules(TableKind.FILTER);
    nested.rule("INPUT", "-j c000000");
    for (int i = 0; i < depth; i++) {
      int next = i + 1 < depth ? i + 1 : loop ? 0 : -1;
      nested.rule(chain(i), next < 0 ? "-j DROP" : "-j " + chain(next));
    }
    return nested.text();
  }

  private static String chain(int number) {
    return String.format("c%06d", number);
  }
}
