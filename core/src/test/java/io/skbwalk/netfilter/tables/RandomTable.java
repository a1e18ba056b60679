// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import java.util.HashSet;
import java.util.Random;
import java.util.Set;

/** A mangle table drawn at random from few values, so that rules and packets meet often. */
final class RandomTable {
  /** The sets that its rules name. */
  static final String SETS =
      """
      create nets hash:net family inet
      add nets 10.1.0.0/16
      add nets 10.3.0.0/16
      add nets 10.3.1.0/24 nomatch
      create seen hash:ip family inet
      create counted hash:ip family inet counters
      add counted 10.1.1.1 packets 0 bytes 0
      add counted 10.1.2.1 packets 3 bytes 60
      """;

  private static final String[] BUILT_IN = {"PREROUTING", "FORWARD", "POSTROUTING"};

  private final Random random;
  private final StringBuilder text = new StringBuilder("*mangle\n");
  private final Set<String> used = new HashSet<>();
  private String protocol;

  RandomTable(Random random) {
    this.random = random;
  }

  private boolean oneIn(int n) {
    return random.nextInt(n) == 0;
  }

  private String pick(String... values) {
    return values[random.nextInt(values.length)];
  }

  /** As iptables-save prints it, with up to {@code rules} rules a chain. */
  String text(int rules) {
    for (String chain : new String[] {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"}) {
      text.append(':').append(chain).append(oneIn(4) ? " DROP" : " ACCEPT").append(" [0:0]\n");
    }
    int users = random.nextInt(4);
    for (int user = 0; user < users; user++) {
      text.append(":user").append(user).append(" - [0:0]\n");
    }
    for (String chain : BUILT_IN) {
      rules(chain, 0, users, random.nextInt(rules));
    }
    for (int user = 0; user < users; user++) {
      rules("user" + user, user + 1, users, random.nextInt(rules));
    }
    return text.append("COMMIT\n").toString();
  }

  private void rules(String chain, int from, int users, int count) {
    for (int i = 0; i < count; i++) {
      text.append("-A ").append(chain);
      basic(chain);
      int matches = oneIn(3) ? 1 + random.nextInt(3) : 0;
      used.clear();
      for (int match = 0; match < matches; match++) {
        String drawn = match();
        // Some options have the same name in two matches.
        if (used.add(drawn.replaceAll("^ -m (\\w+).*", "$1").replace("recent", "set"))) {
          text.append(drawn);
        }
        if (oneIn(3)) {
          transport();
        }
      }
      text.append(target(from, users)).append('\n');
    }
  }

  private void basic(String chain) {
    if (oneIn(2)) {
      text.append(oneIn(4) ? " ! -s " : " -s ").append(network());
    }
    if (oneIn(3)) {
      text.append(oneIn(4) ? " ! -d " : " -d ").append(network());
    }
    if (oneIn(4) && !chain.equals("POSTROUTING")) {
      text.append(oneIn(3) ? " ! -i " : " -i ").append(pick("eth0", "eth1", "eth+", "lo", "+"));
    }
    if (oneIn(4) && !chain.equals("PREROUTING") && !chain.startsWith("user")) {
      text.append(oneIn(3) ? " ! -o " : " -o ").append(pick("eth0", "eth1", "eth+", "ppp+"));
    }
    protocol = null;
    if (oneIn(2)) {
      protocol = pick("tcp", "tcp", "udp", "udp", "icmp", "sctp", "dccp", "udplite");
      text.append(" -p ").append(protocol);
      if (!oneIn(3)) {
        transport();
      }
    } else if (oneIn(3)) {
      text.append(pick(" ! -p tcp", " ! -p udp", " -p gre", " ! -p icmp"));
    }
    if (oneIn(12)) {
      text.append(pick(" -f", " ! -f"));
    }
  }

  private String address() {
    return "10." + (1 + random.nextInt(3)) + "." + random.nextInt(3) + "." + random.nextInt(3);
  }

  private String network() {
    return switch (random.nextInt(8)) {
      case 0 -> address() + "/255.0.255.255";
      case 1 -> address() + "/" + random.nextInt(33);
      case 2 -> "10." + (1 + random.nextInt(3)) + ".0.0/16";
      case 3 -> "0.0.0.0/0";
      default -> address() + "/32";
    };
  }

  private String ports() {
    int low = port();
    int high = port();
    return oneIn(3) ? Math.min(low, high) + ":" + Math.max(low, high) : Integer.toString(low);
  }

  private int port() {
    return oneIn(12) ? pick("0", "65535", "1024").hashCode() & 0xFFFF : 20 + random.nextInt(8);
  }

  private void transport() {
    if (protocol == null) {
      return;
    }
    switch (protocol) {
      case "tcp" -> {
        text.append(" -m tcp");
        ports("");
        if (oneIn(4)) {
          text.append(
              pick(
                  " --syn",
                  " ! --syn",
                  " --tcp-flags ALL NONE",
                  " --tcp-flags SYN,RST SYN",
                  " ! --tcp-flags ACK,FIN FIN"));
        }
        if (oneIn(8)) {
          text.append(pick(" --tcp-option 2", " ! --tcp-option 8"));
        }
      }
      case "udp" -> {
        text.append(" -m udp");
        ports("");
      }
      case "icmp" ->
          text.append(" -m icmp")
              .append(oneIn(3) ? " !" : "")
              .append(" --icmp-type ")
              .append(pick("8", "3/1", "3", "any", "0"));
      case "sctp" -> {
        text.append(" -m sctp");
        ports("");
        text.append(oneIn(5) ? " --chunk-types any INIT" : "");
      }
      case "dccp" -> {
        text.append(" -m dccp --sport ").append(ports());
        text.append(oneIn(5) ? " --dccp-types REQUEST,DATA" : "");
        text.append(oneIn(5) ? pick(" --dccp-option 2", " ! --dccp-option 2") : "");
      }
      default -> {}
    }
    if (!protocol.equals("icmp") && oneIn(4)) {
      text.append(" -m multiport").append(oneIn(4) ? " !" : "");
      text.append(pick(" --sports ", " --dports ", " --ports "));
      int low = 20 + random.nextInt(5);
      text.append(low).append(',').append(low + 1).append(':').append(low + 3);
    }
  }

  private void ports(String otherwise) {
    text.append(otherwise);
    if (oneIn(2)) {
      text.append(oneIn(5) ? " !" : "").append(" --sport ").append(ports());
    }
    if (oneIn(2)) {
      text.append(oneIn(5) ? " !" : "").append(" --dport ").append(ports());
    }
  }

  private String match() {
    String not = oneIn(3) ? " !" : "";
    return switch (random.nextInt(20)) {
      case 0 -> " -m mark" + not + " --mark " + pick("1", "0x2/0xf", "0x10/0xf0", "0x1/0x11");
      case 1 -> " -m connmark" + not + " --mark " + pick("1", "0x2/0xf", "0x1/0x11");
      case 2 -> " -m conntrack" + not + " --ctstate " + states();
      case 3 -> " -m state" + not + " --state " + pick("NEW", "ESTABLISHED,RELATED", "INVALID");
      case 4 -> " -m conntrack --ctstate " + states() + " --ctdir " + pick("ORIGINAL", "REPLY");
      case 5 -> " -m iprange" + not + " --src-range 10.1.0.1-10.2.1." + random.nextInt(255);
      case 6 -> " -m iprange" + not + " --dst-range " + address() + "-10.255.0.0";
      case 7 -> " -m length" + not + " --length " + pick("0:40", "41:60", "60", "50:65535");
      case 8 -> pick(" -m ttl --ttl-eq 64", " -m ttl --ttl-lt 5", " -m ttl --ttl-gt 63");
      case 9 -> " -m dscp" + not + " --dscp " + pick("0", "1", "10");
      case 10 -> " -m tos" + not + " --tos " + pick("0x10", "0x4/0xf");
      case 11 -> " -m comment --comment note";
      case 12 -> " -m limit --limit 1/min --limit-burst " + (1 + random.nextInt(9));
      case 13 -> " -m quota --quota " + random.nextInt(4000);
      case 14 -> " -m statistic --mode nth --every " + (1 + random.nextInt(4)) + " --packet 0";
      case 15 ->
          " -m recent"
              + not
              + pick(" --update", " --rcheck", " --rcheck --hitcount 2")
              + " --name r --rsource";
      case 16 -> " -m recent --set --name r --rsource";
      case 17 -> " -m set" + not + " --match-set " + pick("nets", "seen", "counted") + " src";
      case 18 -> " -m u32 --u32 \"0x8&0xff00=0x0:0x600\"";
      default ->
          " -m hashlimit --hashlimit-upto 1/min --hashlimit-burst 3 --hashlimit-mode srcip"
              + " --hashlimit-name h";
    };
  }

  private String states() {
    return pick("NEW", "ESTABLISHED", "RELATED,ESTABLISHED", "INVALID", "UNTRACKED,NEW", "DNAT");
  }

  private String target(int from, int users) {
    if (from < users && oneIn(4)) {
      return pick(" -j user", " -g user") + (from + random.nextInt(users - from));
    }
    return switch (random.nextInt(16)) {
      case 0, 1 -> " -j ACCEPT";
      case 2 -> " -j DROP";
      case 3 -> " -j RETURN";
      case 4 -> " -j MARK --set-xmark " + pick("0x1", "0x2/0xf", "0x10/0xf0");
      case 5 -> " -j TOS --set-tos " + pick("0x10", "0x4/0xf");
      case 6 -> " -j DSCP --set-dscp 10";
      case 7 -> " -j TTL --ttl-" + pick("set 64", "dec 60", "inc 1");
      case 8 -> " -j CONNMARK " + pick("--set-mark 1", "--save-mark", "--restore-mark");
      case 9 -> " -j SET " + pick("--add-set", "--del-set") + " seen src";
      case 10 -> " -j LOG";
      default -> "";
    };
  }
}
