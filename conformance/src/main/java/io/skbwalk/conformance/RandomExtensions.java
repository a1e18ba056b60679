// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import java.util.List;
import java.util.Random;

/**
 * What random rules may say of the less common matches and targets: a line each, with {@code ?}
 * where a {@code !} may stand. Nothing here depends on how fast time passes; connlimit does (it
 * forgets ended connections once a jiffy).
 */
final class RandomExtensions {
  private static final List<String> MATCHES =
      List.of(
          "cluster --cluster-total-nodes 2? --cluster-local-node 1 --cluster-hash-seed 0xdeadbeef",
          "cluster --cluster-total-nodes 3 --cluster-local-nodemask 0x00000006 --cluster-hash-seed 0x1",
          "connbytes? --connbytes 2:3 --connbytes-mode packets --connbytes-dir both",
          "connbytes? --connbytes 60 --connbytes-mode bytes --connbytes-dir original",
          "connbytes? --connbytes 30:80 --connbytes-mode avgpkt --connbytes-dir reply",
          "ecn? --ecn-ip-ect 0",
          "ecn? --ecn-ip-ect 2",
          "hashlimit --hashlimit-upto 1/hour --hashlimit-burst 2 --hashlimit-mode srcip --hashlimit-name a",
          "hashlimit --hashlimit-above 1/day --hashlimit-burst 1 --hashlimit-mode dstip,dstport --hashlimit-name b",
          "hashlimit --hashlimit-upto 1/hour --hashlimit-burst 3 --hashlimit-mode srcip --hashlimit-srcmask 24 --hashlimit-name c",
          "quota? --quota 100",
          "quota --quota 1000");

  private static final List<String> TCP_MATCHES =
      List.of(
          "ecn? --ecn-tcp-cwr",
          "ecn? --ecn-tcp-ece",
          "tcpmss? --mss 536:1400",
          "tcpmss? --mss 1460");

  private static final List<String> MANGLE =
      List.of(
          "HMARK --hmark-tuple src,dst,sport,dport,proto --hmark-mod 4294967295 --hmark-rnd 0xcafe",
          "HMARK --hmark-tuple src,dst --hmark-mod 10 --hmark-rnd 0x1 --hmark-offset 100",
          "HMARK --hmark-tuple ct,src,dst,sport,dport --hmark-mod 64 --hmark-rnd 0xdeadbeef",
          "@tcp -j TCPOPTSTRIP --strip-options 2,8",
          "@tcp -j TCPOPTSTRIP --strip-options 3,4,5,19,253",
          "@tcp -j ECN --ecn-tcp-remove");

  private static final List<String> NAT =
      List.of("NETMAP --to 192.168.7.0/28", "NETMAP --to 203.0.113.0/24");

  private RandomExtensions() {}

  /** A match, with {@code -m}. */
  static String match(Random random, String protocol) {
    List<String> from = "tcp".equals(protocol) && random.nextInt(3) == 0 ? TCP_MATCHES : MATCHES;
    String not = random.nextInt(5) == 0 ? " !" : "";
    return " -m " + from.get(random.nextInt(from.size())).replace("?", not);
  }

  /** A target of a table that changes packets, with {@code -j}. */
  static String target(Random random, String table) {
    List<String> from = table.equals("nat") ? NAT : MANGLE;
    String target = from.get(random.nextInt(from.size()));
    return target.startsWith("@") ? target : " -j " + target;
  }
}
