// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import io.skbwalk.netfilter.tables.TableKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Rules at random in all five tables, over few addresses, ports and marks, so that they hide and
 * repeat each other often.
 */
final class RandomFirewall {
  /** Networks that rules ask for; packets come from their edges. */
  static final String[] NETWORKS = {
    "198.51.100.0/24",
    "198.51.100.8/29",
    "192.168.7.0/24",
    "192.168.7.80/28",
    "203.0.113.1/32",
    "192.168.0.0/16"
  };

  /** Ports that rules ask for; packets have those, and those beside them. */
  static final int[] PORTS = {22, 53, 80, 100, 443, 1000, 1024, 8080};

  private static final String[] RANGES = {"22", "53", "0:100", "80:443", "443", "1024:", "22:80"};
  private static final List<String> OWN = List.of("one", "two", "three");

  private final Random random;

  /** Without connection tracking fragments come to rules one by one. */
  private final boolean tracks;

  private final StringBuilder text = new StringBuilder();

  private RandomFirewall(Random random, boolean tracks) {
    this.random = random;
    this.tracks = tracks;
  }

  static String rules(Random random, boolean tracks) {
    RandomFirewall firewall = new RandomFirewall(random, tracks);
    for (TableKind table : TableKind.values()) {
      boolean wanted = table == TableKind.FILTER || random.nextInt(2) == 0;
      if (wanted && (tracks || table != TableKind.NAT)) {
        firewall.table(table);
      }
    }
    return firewall.text.toString();
  }

  private String one(String... of) {
    return of[random.nextInt(of.length)];
  }

  private boolean chance(int in) {
    return random.nextInt(in) == 0;
  }

  private void table(TableKind table) {
    text.append('*').append(table.label).append('\n');
    List<String> chains = new ArrayList<>();
    table.hooks.forEach(hook -> chains.add(hook.chain));
    for (String chain : chains) {
      boolean drops = table == TableKind.FILTER ? chance(2) : table != TableKind.NAT && chance(6);
      text.append(':').append(chain).append(drops ? " DROP" : " ACCEPT").append('\n');
    }
    OWN.forEach(chain -> text.append(':').append(chain).append(" -\n"));
    chains.addAll(OWN);
    if (table == TableKind.FILTER && tracks) {
      // Which stays, so that connections are tracked whatever else goes.
      text.append("-A FORWARD -m conntrack --ctstate RELATED -j LOG\n");
    }
    int count = 8 + random.nextInt(14);
    for (int i = 0; i < count; i++) {
      String chain = chains.get(random.nextInt(chains.size()));
      String action = action(table, chain);
      text.append("-A ").append(chain);
      asked(table, chain, action.startsWith(" -p"));
      text.append(action).append('\n');
    }
    text.append("COMMIT\n");
  }

  // ---- what rules ask for -----------------------------------------------------------------------

  private void asked(TableKind table, String chain, boolean hasProtocol) {
    boolean leaving = chain.equals("OUTPUT") || chain.equals("POSTROUTING");
    boolean arriving = chain.equals("INPUT") || chain.equals("PREROUTING");
    if (chance(3)) {
      text.append(one(" -s ", " ! -s ", " -s ")).append(one(NETWORKS));
    }
    if (chance(5)) {
      text.append(one(" -d ", " ! -d ", " -d ")).append(one(NETWORKS));
    }
    if (chance(6) && !leaving) {
      text.append(one(" -i ", " ! -i ")).append(one("eth0", "eth+", "eth1", "lo", "ppp0", "+"));
    }
    if (chance(6) && !arriving) {
      text.append(one(" -o ", " ! -o ")).append(one("eth0", "eth+", "eth1", "+"));
    }
    if (!hasProtocol) {
      protocol();
    }
    if (tracks && chance(5)) {
      text.append(" -m conntrack ")
          .append(one("--ctstate ", "! --ctstate "))
          .append(one("NEW", "ESTABLISHED,RELATED", "INVALID", "NEW,INVALID", "DNAT", "UNTRACKED"));
    }
    if (chance(6)) {
      text.append(" -m mark ")
          .append(one("--mark ", "! --mark "))
          .append(one("1", "0", "2/2", "0/1"));
    }
    if (chance(10)) {
      text.append(one(" -m iprange --src-range ", " -m iprange ! --dst-range "))
          .append(one("198.51.100.8-198.51.100.20", "192.168.7.1-192.168.7.90"));
    }
    if (chance(8)) {
      text.append(
          one(
              " -m limit --limit 3/s",
              " -m ttl --ttl-lt 5",
              " -m length --length 0:60",
              " -m pkttype --pkt-type unicast",
              " -m dscp --dscp 0",
              " -m statistic --mode nth --every 3 --packet 0"));
    }
  }

  private void protocol() {
    switch (random.nextInt(9)) {
      case 0 -> text.append(one(" -p udp", " ! -p udp", " -p 47", " -f", " ! -f"));
      case 1, 2 ->
          text.append(" -p udp ")
              .append(one("--sport ", "--dport ", "! --dport "))
              .append(one(RANGES));
      case 3, 4 -> {
        text.append(" -p tcp ")
            .append(one("--sport ", "--dport ", "! --sport "))
            .append(one(RANGES));
        text.append(
            one("", "", " --syn", " ! --syn", " --tcp-flags ACK,RST ACK", " --tcp-flags ALL NONE"));
      }
      case 5 ->
          text.append(" -p tcp -m multiport ")
              .append(one("--dports ", "--ports ", "! --dports "))
              .append(one("22,80", "80,443", "1:1000"));
      case 6 ->
          text.append(" -p icmp ")
              .append(
                  one("--icmp-type 8", "! --icmp-type 8", "--icmp-type any", "--icmp-type 3/0:4"));
      default -> {}
    }
  }

  // ---- what rules do ----------------------------------------------------------------------------

  private String action(TableKind table, String chain) {
    int level = OWN.indexOf(chain);
    if (chance(3) && level < OWN.size() - 1) {
      String deeper = OWN.get(level + 1 + random.nextInt(OWN.size() - level - 1));
      return one(" -j ", " -j ", " -g ") + deeper;
    }
    String chosen = one(" -j ACCEPT", " -j ACCEPT", " -j RETURN", " -j LOG", special(table, chain));
    boolean drop = table != TableKind.NAT && chance(table == TableKind.FILTER ? 3 : 6);
    return drop ? " -j DROP" : chosen;
  }

  private String special(TableKind table, String chain) {
    return switch (table) {
      case RAW -> tracks ? one(" -j NOTRACK", "") : "";
      case MANGLE ->
          one(
              " -j MARK --set-mark 1",
              " -j MARK --set-xmark 2/1",
              " -j TTL --ttl-set 4",
              " -j DSCP --set-dscp 8",
              tracks ? " -j CONNMARK --restore-mark" : "");
      case NAT ->
          switch (chain) {
            case "PREROUTING" ->
                one(
                    " -p tcp -j DNAT --to-destination 192.168.7.80:80",
                    " -p tcp -j REDIRECT --to-ports 22",
                    " -j DNAT --to-destination 192.168.7.81");
            case "POSTROUTING" ->
                one(" -j MASQUERADE", " -j SNAT --to-source 203.0.113.1", " -j ACCEPT");
            default -> " -j ACCEPT";
          };
      case FILTER -> one(" -j REJECT", "", " -j MARK --set-mark 1");
      default -> "";
    };
  }
}
