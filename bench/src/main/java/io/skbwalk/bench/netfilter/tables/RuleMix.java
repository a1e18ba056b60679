// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench.netfilter.tables;

import io.skbwalk.lib.Ip4;
import java.util.SplittableRandom;
import java.util.StringJoiner;

/**
 * Kinds of rules that stand before the one that accepts, drawn from a seed. None of them matches a
 * SYN to port 80 of 192.168.7.80 that came in on eth0 from somewhere, but for a chance that a
 * million packets hardly meet.
 */
public enum RuleMix {
  /** One host and one port. */
  ADDRESSES {
    @Override
    String rule(SplittableRandom random) {
      return " -s " + host(random) + tcp(" --dport " + other(random));
    }
  },
  /** Networks of all sizes, one in the other. */
  PREFIXES {
    @Override
    String rule(SplittableRandom random) {
      return " -s " + network(random) + tcp(" --dport " + other(random));
    }
  },
  /** From one address to another, from one port to another. */
  RANGES {
    @Override
    String rule(SplittableRandom random) {
      int low = random.nextInt();
      int high = low | random.nextInt(1 << 1 + random.nextInt(24));
      int port = 1 + random.nextInt(60_000);
      String ports = port <= 80 ? port + ":" + Math.min(79, port + 9) : port + ":" + (port + 500);
      return (random.nextBoolean() ? " -s " + network(random) : "")
          + tcp(" --dport " + (port == 80 ? "81:99" : ports))
          + (" -m iprange --src-range " + Ip4.format(low) + "-" + Ip4.format(high));
    }
  },
  /** Interfaces, and what is not so. */
  INTERFACES {
    @Override
    String rule(SplittableRandom random) {
      return switch (random.nextInt(4)) {
        case 0 -> " -i eth1 ! -o eth0 -s " + network(random);
        case 1 -> " ! -i eth0 -d " + network(random);
        case 2 -> " ! -s " + network(random) + " -i eth0 -d " + host(random) + tcp("");
        default -> " ! -i eth1 -p udp -m udp ! --dport " + other(random);
      };
    }
  },
  /** States of connections. */
  STATES {
    @Override
    String rule(SplittableRandom random) {
      return random.nextBoolean()
          ? " -m conntrack --ctstate ESTABLISHED,RELATED -s " + network(random)
          : " -m state --state NEW" + tcp(" --dport " + other(random));
    }
  },
  /** Marks of packets. */
  MARKS {
    @Override
    String rule(SplittableRandom random) {
      return " -m mark --mark 0x"
          + Integer.toHexString(1 + random.nextInt(1 << 20))
          + (random.nextInt(4) == 0 ? "/0xfffff" : "")
          + (random.nextBoolean() ? " -s " + network(random) : "");
    }
  },
  /** Several ports at once. */
  MULTIPORT {
    @Override
    String rule(SplittableRandom random) {
      StringJoiner ports = new StringJoiner(",");
      for (int i = 0; i < 5; i++) {
        ports.add(other(random));
      }
      int port = 1000 + random.nextInt(60_000);
      return (random.nextBoolean() ? " -d 192.168.7.80" : " -s " + network(random))
          + " -p tcp -m multiport --dports "
          + (ports + "," + port + ":" + (port + 99));
    }
  },
  /** Members of ipset's sets. */
  SETS {
    @Override
    String rule(SplittableRandom random) {
      return " -p tcp -m set --match-set banned"
          + random.nextInt(SETS_OF)
          + (" src -m tcp --dport " + other(random));
    }
  },
  /** Any of the others. */
  MIXED {
    @Override
    String rule(SplittableRandom random) {
      return values()[random.nextInt(ordinal())].rule(random);
    }
  };

  private static final int SETS_OF = 10;

  /** One rule's conditions. */
  abstract String rule(SplittableRandom random);

  private static String host(SplittableRandom random) {
    return Ip4.format(random.nextInt());
  }

  private static String network(SplittableRandom random) {
    int length = 9 + random.nextInt(24);
    return Ip4.format(random.nextInt() & Ip4.mask(length)) + "/" + length;
  }

  private static String tcp(String options) {
    return " -p tcp" + (options.isEmpty() ? "" : " -m tcp" + options);
  }

  /** A port, but not 80. */
  private static String other(SplittableRandom random) {
    return Integer.toString(81 + random.nextInt(random.nextBoolean() ? 1000 : 60_000));
  }

  /**
   * As iptables-save prints it: connections that are known go on; {@code count} rules in FORWARD;
   * then the one that accepts.
   */
  public String rules(int count) {
    SplittableRandom random = new SplittableRandom(count);
    StringBuilder text = new StringBuilder();
    text.append("*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n");
    text.append("-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n");
    for (int i = 0; i < count; i++) {
      text.append("-A FORWARD").append(rule(random)).append(" -j DROP\n");
    }
    text.append("-A FORWARD -d 192.168.7.80/32 -p tcp -m tcp --dport 80 -j ACCEPT\nCOMMIT\n");
    return text.toString();
  }

  /** The sets that the rules name, as ipset restores them. */
  public static String sets() {
    SplittableRandom random = new SplittableRandom(1);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < SETS_OF; i++) {
      text.append("create banned").append(i).append(" hash:net\n");
      for (int j = 0; j < 1000; j++) {
        text.append("add banned").append(i).append(' ').append(network(random)).append(" -exist\n");
      }
    }
    return text.toString();
  }
}
