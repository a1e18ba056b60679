// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Rule sets drawn at random, as iptables-save text that iptables accepts. */
final class RandomRules {
  private static final Map<String, String[]> CHAINS = new LinkedHashMap<>();

  static {
    CHAINS.put("raw", new String[] {"PREROUTING", "OUTPUT"});
    CHAINS.put("mangle", new String[] {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"});
    CHAINS.put("nat", new String[] {"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"});
    CHAINS.put("filter", new String[] {"INPUT", "FORWARD", "OUTPUT"});
    CHAINS.put("security", new String[] {"INPUT", "FORWARD", "OUTPUT"});
  }

  private final Random random;

  RandomRules(Random random) {
    this.random = random;
  }

  private boolean oneIn(int n) {
    return random.nextInt(n) == 0;
  }

  private String pick(String... values) {
    return values[random.nextInt(values.length)];
  }

  /** The text, empty when the draw is that there are no rules. */
  String text() {
    if (oneIn(15)) {
      return "";
    }
    StringBuilder text = new StringBuilder();
    for (Map.Entry<String, String[]> entry : CHAINS.entrySet()) {
      String table = entry.getKey();
      boolean used =
          switch (table) {
            case "filter" -> !oneIn(5);
            case "nat" -> oneIn(2);
            case "security" -> oneIn(8);
            default -> oneIn(3);
          };
      if (used) {
        table(text, table, entry.getValue());
      }
    }
    return text.toString();
  }

  private void table(StringBuilder text, String table, String[] builtIn) {
    text.append('*').append(table).append('\n');
    for (String chain : builtIn) {
      boolean drop = oneIn(table.equals("filter") ? 4 : 40);
      text.append(':').append(chain).append(drop ? " DROP" : " ACCEPT").append(" [0:0]\n");
    }
    List<String> users = new ArrayList<>();
    int count = random.nextInt(oneIn(4) ? 5 : 3);
    for (int i = 0; i < count; i++) {
      users.add("user" + i);
      text.append(":user").append(i).append(" - [0:0]\n");
    }
    for (String chain : builtIn) {
      int rules = random.nextInt(table.equals("filter") ? 7 : 4);
      for (int i = 0; i < rules; i++) {
        rule(text, table, chain, chain, users);
      }
    }
    for (int i = 0; i < count; i++) {
      // A user chain jumps only to later ones, so there is no loop; it may be reached from any
      // hook.
      int rules = random.nextInt(5);
      for (int j = 0; j < rules; j++) {
        rule(text, table, "user" + i, "", users.subList(i + 1, count));
      }
    }
    text.append("COMMIT\n");
  }

  private void rule(
      StringBuilder text, String table, String chain, String hook, List<String> users) {
    StringBuilder rule = new StringBuilder("-A ").append(chain);
    String target = target(table, hook, users);
    String protocol = null;
    if (target.contains("@tcp")) {
      protocol = "tcp";
      target = target.replace("@tcp", "");
    } else if (oneIn(2)) {
      protocol = pick("tcp", "udp", "icmp", "tcp", "udp");
    }
    basic(rule, hook);
    if (protocol != null) {
      rule.append(" -p ").append(protocol);
      if (oneIn(2) && !target.contains("--tcp-flags")) {
        rule.append(transport(protocol));
      }
    } else if (oneIn(12)) {
      rule.append(pick(" ! -p tcp", " -p 47", " ! -p icmp"));
    }
    int matches = oneIn(2) ? 0 : 1 + random.nextInt(2);
    for (int i = 0; i < matches; i++) {
      rule.append(match(hook, table, protocol));
    }
    rule.append(target);
    text.append(rule).append('\n');
  }

  private void basic(StringBuilder rule, String hook) {
    if (oneIn(4)) {
      rule.append(oneIn(4) ? " !" : "")
          .append(" -s ")
          .append(
              pick(
                  "192.168.7.0/24",
                  "203.0.113.9/32",
                  "198.51.100.0/24",
                  "203.0.113.1/32",
                  "192.168.7.2/255.255.255.254",
                  "192.0.0.2/255.0.0.255"));
    }
    if (oneIn(4)) {
      rule.append(oneIn(4) ? " !" : "")
          .append(" -d ")
          .append(
              pick(
                  "192.168.7.0/24",
                  "203.0.113.1/32",
                  "198.51.100.0/24",
                  "192.168.7.80/32",
                  "224.0.0.0/4",
                  "203.0.113.0/24"));
    }
    boolean in = !hook.equals("OUTPUT") && !hook.equals("POSTROUTING");
    boolean out = !hook.equals("INPUT") && !hook.equals("PREROUTING");
    if (in && oneIn(5)) {
      rule.append(oneIn(4) ? " !" : "").append(" -i ").append(pick("eth0", "eth1", "eth+", "lo"));
    }
    if (out && oneIn(5)) {
      rule.append(oneIn(4) ? " !" : "").append(" -o ").append(pick("eth0", "eth1", "eth+", "lo"));
    }
    if (oneIn(20)) {
      rule.append(oneIn(2) ? " -f" : " ! -f");
    }
  }

  private String transport(String protocol) {
    String not = oneIn(5) ? " !" : "";
    return switch (protocol) {
      case "tcp" ->
          switch (random.nextInt(8)) {
            case 6 ->
                " -m multiport"
                    + not
                    + pick(" --dports ", " --sports ", " --ports ")
                    + pick(
                        "22", "0:1023,5000", "80,443,8080,40000", "1024:65535", "22,1234:1300,600");
            case 7 ->
                " -m tcp"
                    + pick(" --sport 1234:40000 ", " ! --sport 600 ", " --syn ")
                    + pick("", " ! --dport 22", " --dport 0:443", " --tcp-option 5");
            case 0 ->
                " -m tcp" + not + " --dport " + pick("22", "80", "443", "1024:65535", ":1023");
            case 1 ->
                " -m tcp" + not + " --sport " + pick("22", "80", "443", "1024:65535", ":1023");
            case 2 -> " -m tcp" + not + " --tcp-flags FIN,SYN,RST,ACK SYN";
            case 3 ->
                " -m tcp"
                    + not
                    + " --tcp-flags "
                    + pick(
                        "SYN,RST SYN",
                        "ALL NONE",
                        "ACK ACK",
                        "FIN,ACK FIN,ACK",
                        "ALL ALL",
                        "SYN,ACK SYN,ACK",
                        "RST RST",
                        "URG,PSH URG,PSH",
                        "ACK,FIN FIN",
                        "SYN,FIN,RST NONE");
            case 4 -> " -m tcp" + not + " --tcp-option " + pick("2", "3", "8", "4", "5", "254");
            default -> " -m multiport" + not + " --dports 22,80,8000:9000";
          };
      case "udp" ->
          switch (random.nextInt(3)) {
            case 0 -> " -m udp" + not + " --dport " + pick("53", "5000", "1024:65535", "33434");
            case 1 -> " -m udp" + not + " --sport " + pick("53", "5000", "1024:65535");
            default -> " -m multiport" + not + pick(" --ports 53,5000", " --sports 53,40000:50000");
          };
      default ->
          " -m icmp"
              + not
              + " --icmp-type "
              + pick(
                  "8",
                  "0",
                  "3",
                  "3/4",
                  "11",
                  "3/1",
                  "5",
                  "13",
                  "any",
                  "echo-request",
                  "network-unreachable",
                  "parameter-problem",
                  "255",
                  "8/1",
                  "port-unreachable",
                  "time-exceeded");
    };
  }

  private String match(String hook, String table, String protocol) {
    String not = oneIn(5) ? " !" : "";
    if (oneIn(4)) {
      return RandomExtensions.match(random, protocol);
    }
    switch (random.nextInt(26)) {
      case 0, 1, 2:
        return " -m conntrack"
            + not
            + " --ctstate "
            + pick(
                "NEW",
                "RELATED,ESTABLISHED",
                "INVALID",
                "UNTRACKED",
                "NEW,INVALID",
                "DNAT",
                "SNAT");
      case 3:
        return " -m state --state " + pick("NEW", "ESTABLISHED", "RELATED,ESTABLISHED", "INVALID");
      case 4:
        return " -m conntrack"
            + not
            + pick(
                " --ctproto 6",
                " --ctorigsrc 192.168.7.0/24",
                " --ctorigdst 203.0.113.1",
                " --ctreplsrc 198.51.100.0/24",
                " --ctrepldst 203.0.113.1",
                " --ctorigdstport 80",
                " --ctreplsrcport 22:80",
                " --ctstatus SEEN_REPLY",
                " --ctstatus ASSURED",
                " --ctstatus CONFIRMED",
                " --ctstatus NONE")
            + (oneIn(3) ? " --ctdir " + pick("ORIGINAL", "REPLY") : "");
      case 5:
        return " -m mark" + not + " --mark " + pick("0x1", "0x0", "0x10/0xf0", "0x3/0x3");
      case 6:
        return " -m connmark" + not + " --mark " + pick("0x1", "0x0", "0x10/0xf0", "0x3/0x3");
      case 7:
        return " -m limit --limit 1/hour --limit-burst " + (1 + random.nextInt(4));
      case 8:
        return hook.equals("PREROUTING") || hook.equals("INPUT") || hook.equals("FORWARD")
            ? " -m mac" + not + " --mac-source 02:00:C0:A8:07:02"
            : "";
      case 9:
        return " -m ttl" + pick(" --ttl-eq 64", " --ttl-gt 1", " --ttl-lt 64", " ! --ttl-eq 63");
      case 10:
        return " -m length" + not + " --length " + pick("0:100", "28", "100:65535", "40");
      case 11:
        return " -m iprange"
            + not
            + pick(
                " --src-range 192.168.7.2-192.168.7.40", " --dst-range 198.51.100.1-203.0.113.5");
      case 12:
        return " -m addrtype"
            + not
            + pick(
                " --dst-type LOCAL",
                " --src-type LOCAL",
                " --dst-type UNICAST",
                " --dst-type BROADCAST",
                " --dst-type MULTICAST",
                " --src-type UNICAST");
      case 13:
        return " -m comment --comment \"rule " + random.nextInt(100) + "\"";
      case 14:
        return " -m pkttype" + not + " --pkt-type " + pick("unicast", "broadcast", "multicast");
      case 15:
        return oneIn(2)
            ? " -m dscp" + not + " --dscp 0x" + pick("00", "0a", "2e", "04")
            : " -m tos" + not + " --tos 0x" + pick("10/0x3f", "08/0xff", "00/0xff");
      case 16:
        int every = 2 + random.nextInt(3);
        return " -m statistic --mode nth"
            + not
            + " --every "
            + every
            + " --packet "
            + random.nextInt(every);
      case 19, 20:
        return conntrack(not);
      case 21:
        return addrtype(hook, not);
      case 22:
        return pick(
            " -m statistic --mode random --probability 0.00000000000",
            " -m statistic --mode random --probability 1.00000000000",
            " -m statistic --mode random ! --probability 1.00000000000",
            " -m statistic --mode nth ! --every 2 --packet 1",
            " -m limit --limit 1/day --limit-burst " + pick("1", "3"),
            " -m mark --mark 0x1/0x1 -m mark ! --mark 0x3/0x3",
            " -m comment --comment one -m comment --comment two",
            " -m length --length 28:84 -m length ! --length 40",
            " -m ttl --ttl-gt 1 -m ttl ! --ttl-eq 64");
      case 23:
        return " -m comment --comment "
            + pick(
                "\"a \\\"quoted\\\" word\"",
                "\"back\\\\slash\"",
                "it's",
                "\"$HOME; `x` #1\"",
                "\" spaces \"",
                "\"-j DROP\"",
                "\"!\"",
                "\"äöü\"",
                "tab,comma");
      case 24:
        return pick(
            " -m dscp" + not + " --dscp-class " + pick("BE", "EF", "CS1", "AF11", "AF43"),
            " -m tos" + not + " --tos " + pick("Minimize-Delay", "0x03/0x03", "0x00/0x3f", "0xb8"),
            " -m iprange"
                + not
                + " --src-range 192.168.7.0-203.0.113.9 --dst-range 0.0.0.0-223.255.255.255",
            " -m iprange ! --src-range 192.168.7.3-192.168.7.80 ! --dst-range"
                + " 203.0.113.1-203.0.113.1",
            " -m length" + not + " --length " + pick("60", "52:", ":28", "41:576"));
      default:
        String name = pick("one", "two");
        String side = pick("--rsource", "--rdest");
        return " -m recent"
            + pick(
                " --set --name " + name,
                not + " --rcheck --name " + name,
                " --update --seconds 3600 --hitcount 2 --name " + name,
                " --rcheck --seconds 3600 --hitcount 3 --rttl --name " + name,
                " --rcheck --name " + name,
                " --rcheck --seconds 3600 --reap --name " + name,
                not + " --update --name " + name,
                " --update --hitcount 4 --rttl --name " + name,
                " ! --set --name " + name,
                not + " --remove --name " + name)
            + " --mask "
            + pick("255.255.255.255", "255.255.255.0", "255.255.255.255", "0.0.0.0", "255.0.0.255")
            + " "
            + side;
    }
  }

  /** A side of the connection, or several, or its status or lifetime. */
  private String conntrack(String not) {
    StringBuilder match = new StringBuilder(" -m conntrack");
    int parts = 1 + random.nextInt(3);
    int from = random.nextInt(12);
    for (int i = 0; i < parts; i++) {
      String inverted = oneIn(5) ? " !" : "";
      match.append(inverted);
      match.append(
          switch ((from + i) % 12) {
            case 0 -> " --ctproto " + pick("tcp", "udp", "icmp", "1", "6");
            case 1 -> " --ctorigsrc " + pick("192.168.7.0/24", "203.0.113.9", "0.0.0.0/0");
            case 2 -> " --ctorigdst " + pick("203.0.113.0/24", "192.168.7.80", "198.51.100.9");
            case 3 -> " --ctreplsrc " + pick("203.0.113.0/24", "192.168.7.80", "192.168.7.0/24");
            case 4 -> " --ctrepldst " + pick("203.0.113.1", "192.168.7.0/24", "203.0.113.0/25");
            case 5 -> " --ctorigsrcport " + pick("1234", "1024:65535", "0:600");
            case 6 -> " --ctorigdstport " + pick("22", "53:443", "8080");
            case 7 -> " --ctreplsrcport " + pick("22", "53:443", "0:65535");
            case 8 -> " --ctrepldstport " + pick("1234", "1024:65535", "30000");
            case 9 ->
                " --ctstatus "
                    + pick(
                        "SEEN_REPLY,ASSURED",
                        "NONE,CONFIRMED",
                        "EXPECTED",
                        "ASSURED",
                        "SEEN_REPLY");
            case 10 -> " --ctexpire " + pick("1:1000", "40:1000", "431000:432000", "0:20");
            default ->
                " --ctstate "
                    + pick("NEW,RELATED", "ESTABLISHED,SNAT,DNAT", "UNTRACKED,INVALID", "RELATED");
          });
    }
    return match
        .append(oneIn(3) ? " --ctdir " + pick("ORIGINAL", "REPLY") : "")
        .append(not.isEmpty() || parts > 1 ? "" : " -m conntrack ! --ctstate INVALID")
        .toString();
  }

  private String addrtype(String hook, String not) {
    String types =
        pick(
            "LOCAL",
            "UNICAST,LOCAL",
            "BROADCAST,MULTICAST",
            "BLACKHOLE,UNREACHABLE,PROHIBIT",
            "UNSPEC",
            "ANYCAST",
            "THROW");
    String interfaces =
        switch (hook) {
          case "PREROUTING", "INPUT" -> " --limit-iface-in";
          case "FORWARD" -> pick(" --limit-iface-in", " --limit-iface-out");
          case "OUTPUT", "POSTROUTING" -> " --limit-iface-out";
          default -> "";
        };
    return " -m addrtype"
        + not
        + pick(
            " --dst-type " + types,
            " --src-type " + types,
            " --src-type UNICAST --dst-type " + types)
        + (oneIn(2) ? interfaces : "");
  }

  private String target(String table, String hook, List<String> users) {
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
    if ((table.equals("mangle") || translates) && oneIn(6)) {
      return RandomExtensions.target(random, table);
    }
    switch (table) {
      case "raw":
        return pick(
            " -j NOTRACK",
            " -j CT --notrack",
            " -j CT --zone 5",
            " -j CT --zone-orig 7",
            " -j CT --zone-reply 7",
            " -j CT --zone 65535",
            " -j ACCEPT",
            " -j DROP",
            " -j TRACE");
      case "mangle":
        return switch (random.nextInt(9)) {
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
}
