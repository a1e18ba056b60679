// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import java.util.List;
import java.util.Random;

/** Draws the targets of random rules. */
final class RandomTargets extends Draws {
  /** Its first measurement comes after all random scenarios have ended. */
  static final String ESTIMATOR =
      " -j RATEEST --rateest-name random --rateest-interval 8s --rateest-ewmalog 100s";

  private static final List<String> ANYWHERE =
      List.of(
          " -j AUDIT --type accept",
          " -j AUDIT --type reject",
          ESTIMATOR,
          " -j IDLETIMER --timeout 3600 --label skbwalk-random",
          " -j NFLOG",
          " -j NFLOG --nflog-prefix \"x \" --nflog-group 5 --nflog-size 20 --nflog-threshold 2",
          " -j TEE --gateway 192.168.7.3",
          " -j TEE --gateway 203.0.113.9",
          " -j TEE --gateway 10.1.2.3");

  private static final List<String> QUEUES =
      List.of(
          " -j NFQUEUE --queue-num 1",
          " -j NFQUEUE --queue-num 2",
          " -j NFQUEUE --queue-num 4",
          " -j NFQUEUE --queue-num 5",
          " -j NFQUEUE --queue-num 7",
          " -j NFQUEUE --queue-num 9",
          " -j NFQUEUE --queue-num 9 --queue-bypass",
          " -j NFQUEUE --queue-balance 20:23");

  private static final List<String> MANGLE =
      List.of(
          "@udp -j CHECKSUM --checksum-fill",
          "@tcp -j ECN --ecn-tcp-remove",
          " -j HMARK --hmark-tuple src,dst,sport,dport,proto --hmark-mod 4294967295 --hmark-rnd 0xcafe",
          " -j HMARK --hmark-tuple src,dst --hmark-mod 10 --hmark-rnd 0x1 --hmark-offset 100",
          " -j HMARK --hmark-tuple ct,src,dst,sport,dport --hmark-mod 64 --hmark-rnd 0xdeadbeef",
          "@tcp -j TCPOPTSTRIP --strip-options 2,8",
          "@tcp -j TCPOPTSTRIP --strip-options 3,4,5,19,253");

  private static final List<String> TPROXY =
      List.of(
          "@tcp -j TPROXY --on-port 8080 --tproxy-mark 0x1/0x1",
          "@tcp -j TPROXY --on-port 0 --tproxy-mark 0x1/0xff",
          "@tcp -j TPROXY --on-port 22",
          "@udp -j TPROXY --on-port 5300 --tproxy-mark 0x1/0x1",
          "@udp -j TPROXY --on-port 53 --on-ip 203.0.113.1");

  private static final List<String> CLASSIFY =
      List.of(" -j CLASSIFY --set-class 0001:0002", " -j CLASSIFY --set-class 0000:0006");

  private static final List<String> CONNSECMARK =
      List.of(" -j CONNSECMARK --save", " -j CONNSECMARK --restore");

  private static final List<String> HELPERS =
      List.of(
          "@tcp -m tcp --dport 21 -j CT --helper ftp",
          "@tcp -m tcp --dport 6667 -j CT --helper irc",
          "@tcp -m tcp --dport 1723 -j CT --helper pptp",
          "@udp -m udp --dport 5060 -j CT --helper sip",
          "@udp -m udp --dport 69 -j CT --helper tftp");

  private static final List<String> NAT =
      List.of(" -j NETMAP --to 192.168.7.0/28", " -j NETMAP --to 203.0.113.0/24");

  private final RandomSets sets;

  RandomTargets(Random random, RandomSets sets) {
    super(random);
    this.sets = sets;
  }

  /** A target, empty for none; a protocol that it needs stands before it as {@code @tcp}. */
  String target(String table, String hook, List<String> users) {
    if (!users.isEmpty() && oneIn(5)) {
      return (oneIn(4) ? " -g " : " -j ") + users.get(random.nextInt(users.size()));
    }
    if (oneIn(8)) {
      return "";
    }
    if (oneIn(12)) {
      return hook.isEmpty() ? " -j RETURN" : pick(" -j RETURN", " -j ACCEPT");
    }
    if (oneIn(14)) {
      return " -j LOG --log-prefix \""
          + pick("a: ", "in ", "x")
          + "\""
          + pick(
              "",
              " --log-tcp-options",
              " --log-ip-options",
              " --log-level 6",
              " --log-tcp-sequence --log-uid --log-macdecode --log-level debug");
    }
    boolean translates =
        table.equals("nat") && (hook.equals("PREROUTING") || hook.equals("POSTROUTING"));
    if (translates && oneIn(6)) {
      return anyOf(NAT);
    }
    if (oneIn(7)) {
      return anyOf(ANYWHERE);
    }
    if (oneIn(20)
        && (hook.equals("PREROUTING") || hook.equals("INPUT") || hook.equals("FORWARD"))) {
      // Not where the machine's own answers pass: the model's programs speak before the stack is
      // done with what it answers, the kernel's speak behind it.
      return anyOf(QUEUES);
    }
    if (oneIn(9)) {
      return set(table, hook);
    }
    if (table.equals("security") && oneIn(6)) {
      return anyOf(CONNSECMARK);
    }
    switch (table) {
      case "raw":
        if (oneIn(3)) {
          return anyOf(HELPERS);
        }
        return pick(
            " -j NOTRACK",
            " -j CT --notrack",
            " -j CT --zone 5",
            " -j CT --zone-orig 7",
            " -j CT --zone-reply 7",
            " -j CT --zone 65535",
            " -j CT --zone mark",
            " -j CT --ctevents new,reply,destroy",
            " -j CT --ctevents assured,protoinfo,helper,mark,natseqinfo",
            "@udp -j CT --timeout fast",
            "@tcp -j CT --timeout slow",
            "@icmp -j CT --timeout ping",
            " -j ACCEPT",
            " -j DROP",
            " -j TRACE");
      case "mangle":
        return switch (random.nextInt(13)) {
          case 9, 10 -> anyOf(MANGLE);
          case 11 -> anyOf(CONNSECMARK);
          case 12 ->
              switch (hook) {
                case "PREROUTING" -> anyOf(TPROXY);
                case "FORWARD", "OUTPUT", "POSTROUTING" -> anyOf(CLASSIFY);
                default -> anyOf(MANGLE);
              };
          case 0, 1 ->
              " -j MARK "
                  + pick(
                      "--set-xmark 0x1/0xffffffff",
                      "--set-xmark 0x10/0xf0",
                      "--set-xmark 0x0/0x1",
                      "--set-xmark 0x3/0x0",
                      "--set-mark 0x5/0xf",
                      "--set-mark 7",
                      "--and-mark 0xfffffffe",
                      "--or-mark 0x10",
                      "--xor-mark 0x11");
          case 2 ->
              " -j CONNMARK "
                  + pick(
                      "--set-xmark 0x1/0xffffffff",
                      "--save-mark --nfmask 0xff --ctmask 0xff",
                      "--restore-mark --nfmask 0xffffffff --ctmask 0xffffffff",
                      "--set-mark 0x3/0xff",
                      "--and-mark 0xf0",
                      "--or-mark 0x1",
                      "--xor-mark 0x13",
                      "--save-mark",
                      "--save-mark --mask 0xf",
                      "--restore-mark",
                      "--restore-mark --mask 0x11",
                      "--save-mark --nfmask 0xf --ctmask 0xf0",
                      "--restore-mark --nfmask 0xf0 --ctmask 0x1f");
          case 3 ->
              " -j TTL "
                  + pick(
                      "--ttl-set 33",
                      "--ttl-dec 1",
                      "--ttl-inc 5",
                      "--ttl-set 1",
                      "--ttl-dec 63",
                      "--ttl-inc 255");
          case 4 ->
              " -j DSCP "
                  + pick(
                      "--set-dscp 0x0a",
                      "--set-dscp 0x2e",
                      "--set-dscp 0x00",
                      "--set-dscp-class EF",
                      "--set-dscp-class CS7",
                      "--set-dscp-class AF23");
          case 5 ->
              " -j TOS "
                  + pick(
                      "--set-tos 0x10/0x3f",
                      "--set-tos 0x08/0xff",
                      "--set-tos 0x00/0xff",
                      "--and-tos 0xfc",
                      "--or-tos 0x10",
                      "--xor-tos 0x1c",
                      "--set-tos Maximize-Throughput");
          case 6 ->
              hook.equals("FORWARD") || hook.equals("OUTPUT") || hook.equals("POSTROUTING")
                  ? "@tcp --tcp-flags SYN,RST SYN -j TCPMSS "
                      + pick(
                          "--set-mss 1000",
                          "--set-mss 40",
                          "--set-mss 1460",
                          "--set-mss 9000",
                          "--clamp-mss-to-pmtu",
                          "--clamp-mss-to-pmtu")
                  : "@tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss " + pick("536", "1300");
          case 7 -> " -j ACCEPT";
          default -> oneIn(2) ? " -j DROP" : " -j ACCEPT";
        };
      case "nat":
        if (hook.equals("PREROUTING") || hook.equals("OUTPUT")) {
          return pick(
              " -j DNAT --to-destination 192.168.7.80",
              "@tcp -j DNAT --to-destination 192.168.7.80:80",
              "@tcp -j REDIRECT --to-ports 22",
              " -j REDIRECT",
              " -j DNAT --to-destination 192.168.7.3-192.168.7.3",
              " -j DNAT --to-destination 203.0.113.1",
              " -j DNAT --to-destination 192.168.7.1",
              " -j DNAT --to-destination 203.0.113.9",
              " -j DNAT --to-destination 192.168.7.2-192.168.7.3",
              " -j DNAT --to-destination 192.168.7.2-192.168.7.80 --persistent",
              "@tcp -j DNAT --to-destination :8080",
              "@tcp -j DNAT --to-destination 203.0.113.1:22",
              "@tcp -j DNAT --to-destination 198.51.100.9:443",
              "@tcp -j REDIRECT --to-ports 8080",
              " -j ACCEPT");
        }
        if (hook.equals("POSTROUTING")) {
          return pick(
              " -j MASQUERADE",
              " -j SNAT --to-source 203.0.113.1",
              "@tcp -j SNAT --to-source 203.0.113.1:30000",
              " -j SNAT --to-source 203.0.113.50",
              " -j SNAT --to-source 192.168.7.1",
              " -j SNAT --to-source 203.0.113.1-203.0.113.2",
              " -j SNAT --to-source 203.0.113.48-203.0.113.63 --persistent",
              "@tcp -j SNAT --to-source :30000",
              "@tcp -j MASQUERADE --to-ports 30000",
              "@tcp -j MASQUERADE --to-ports 40000-40000",
              " -j MASQUERADE",
              " -j ACCEPT");
        }
        if (hook.equals("INPUT")) {
          return pick(
              " -j SNAT --to-source 203.0.113.200",
              " -j SNAT --to-source 192.168.7.3",
              "@tcp -j SNAT --to-source 198.51.100.9:1234",
              " -j ACCEPT");
        }
        return pick(" -j ACCEPT", " -j RETURN", "");
      default:
        if (table.equals("filter") && !oneIn(3)) {
          return pick(
              " -j ACCEPT",
              " -j ACCEPT",
              " -j DROP",
              " -j REJECT --reject-with icmp-port-unreachable",
              " -j REJECT --reject-with icmp-net-unreachable",
              " -j REJECT --reject-with icmp-host-unreachable",
              " -j REJECT --reject-with icmp-proto-unreachable",
              " -j REJECT --reject-with icmp-net-prohibited",
              " -j REJECT --reject-with icmp-host-prohibited",
              " -j REJECT --reject-with icmp-admin-prohibited",
              " -j REJECT",
              "@tcp -j REJECT --reject-with tcp-reset",
              "@tcp -j REJECT --reject-with tcp-reset");
        }
        return pick(" -j ACCEPT", " -j ACCEPT", " -j DROP");
    }
  }

  /** What it does with sets. */
  private String set(String table, String hook) {
    if (table.equals("mangle") && oneIn(2)) {
      boolean leaves =
          hook.equals("FORWARD") || hook.equals("OUTPUT") || hook.equals("POSTROUTING");
      return " -j SET --map-set "
          + sets.withDirections()
          + " --map-mark"
          + (leaves ? pick("", " --map-prio", " --map-queue", " --map-prio --map-queue") : "");
    }
    String adds =
        " --add-set "
            + sets.withDirections()
            + pick("", " --exist", " --timeout 300", " --exist --timeout 0");
    String deletes = " --del-set " + sets.withDirections();
    return " -j SET" + pick(adds, adds, deletes, adds + deletes);
  }
}
