// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import java.util.List;
import java.util.Random;

/**
 * Draws the matches of random rules. Nothing here depends on how fast time passes, but for what is
 * drawn when it passes on purpose.
 */
final class RandomMatches extends Draws {
  /** Each with {@code ?} where a {@code !} may stand. */
  private static final List<String> ANY =
      List.of(
          " bpf --bytecode \"4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0\"",
          " bpf --bytecode \"5,177 0 0 0,72 0 0 2,21 0 1 53,6 0 0 65535,6 0 0 0\"",
          " bpf --bytecode \"4,32 0 0 4294963220,21 0 1 1,6 0 0 1,6 0 0 0\"",
          " bpf --bytecode \"3,128 0 0 0,20 0 0 28,22 0 0 0\"",
          " cluster --cluster-total-nodes 2? --cluster-local-node 1 --cluster-hash-seed 0xdeadbeef",
          " cluster --cluster-total-nodes 3 --cluster-local-nodemask 0x00000006 --cluster-hash-seed 0x1",
          " connbytes? --connbytes 2:3 --connbytes-mode packets --connbytes-dir both",
          " connbytes? --connbytes 60 --connbytes-mode bytes --connbytes-dir original",
          " connbytes? --connbytes 30:80 --connbytes-mode avgpkt --connbytes-dir reply",
          " connlabel? --label 5",
          " connlabel? --label 64",
          " connlabel? --label 5 --set",
          " connlabel --label 64 --set",
          " cpu? --cpu 4095",
          " ecn? --ecn-ip-ect 0",
          " ecn? --ecn-ip-ect 2",
          " hashlimit --hashlimit-upto 1/hour --hashlimit-burst 2 --hashlimit-mode srcip --hashlimit-name a",
          " hashlimit --hashlimit-above 1/day --hashlimit-burst 1 --hashlimit-mode dstip,dstport --hashlimit-name b",
          " hashlimit --hashlimit-upto 1/hour --hashlimit-burst 3 --hashlimit-mode srcip --hashlimit-srcmask 24 --hashlimit-name c",
          " hashlimit --hashlimit-above 1/hour --hashlimit-burst 2 --hashlimit-mode srcip,srcport,dstip,dstport --hashlimit-name d",
          " hashlimit --hashlimit-above 1/day --hashlimit-burst 1 --hashlimit-mode dstip --hashlimit-dstmask 16 --hashlimit-name e",
          " helper? --helper ftp",
          " helper? --helper sip",
          " helper --helper \"\"",
          " nfacct --nfacct-name web",
          " nfacct --nfacct-name small",
          " nfacct --nfacct-name few",
          " quota? --quota 100",
          " quota --quota 1000",
          " string --algo bm? --string attack",
          " string --algo kmp? --string ababac",
          " string --algo bm --string ATTACK --icase",
          " string --algo kmp --string GET --from 28 --to 60",
          " string --algo bm? --hex-string |c0a807| --to 20",
          " string --algo kmp? --hex-string |0035| --from 20",
          " time --datestart 2026 --datestop 2035-01-01T00:00:00",
          " time --datestart 2036",
          " time --weekdays Mon,Tue,Wed,Thu,Fri,Sat,Sun",
          " time --timestart 12:00:00 --timestop 11:59:59 --contiguous",
          " u32? --u32 \"6&0xFF=17\"",
          " u32? --u32 \"0>>22&0x3C@0>>16=1000:40000\"",
          " u32 --u32 \"12=0xC0A80700:0xC0A807FF && 4&0x1FFF=0\"",
          " u32 --u32 \"24=0:0xFFFFFFFF\"");

  private static final List<String> TCP =
      List.of(
          " ecn? --ecn-tcp-cwr",
          " ecn? --ecn-tcp-ece",
          " tcpmss? --mss 536:1400",
          " tcpmss? --mss 1460");

  private static final List<String> SCTP =
      List.of(
          " --sport 5000:5010? --dport 80",
          " --dport 80",
          "? --chunk-types any COOKIE_ACK,ABORT",
          " --chunk-types all INIT",
          " --chunk-types only DATA,SACK",
          " --chunk-types any DATA:BeU",
          " --chunk-types all ABORT:T,SHUTDOWN_COMPLETE:t",
          "? --chunk-types any ALL",
          " --chunk-types only NONE");

  private static final List<String> DCCP =
      List.of(
          " --sport 5000:5010? --dport 80",
          "? --dccp-types REQUEST,DATA",
          " --dccp-types RESPONSE,RESET,INVALID",
          "? --dccp-option 41");

  private static final List<String> POLICY =
      List.of(
          " --pol none",
          " --pol ipsec",
          " --pol ipsec? --reqid 1",
          " --pol ipsec --strict --mode tunnel? --tunnel-dst 192.0.2.1",
          "");

  /** For frames that come slowly: connlimit forgets what was never confirmed at the next tick. */
  private static final List<String> TICKING =
      List.of(
          " connlimit --connlimit-above 1 --connlimit-mask 32 --connlimit-saddr",
          " connlimit --connlimit-above 2 --connlimit-mask 24 --connlimit-saddr",
          " connlimit --connlimit-upto 1 --connlimit-mask 32 --connlimit-daddr");

  /** For pauses: what a second brings back. */
  private static final List<String> REFILLED =
      List.of(
          " limit --limit 1/sec --limit-burst 1",
          " limit --limit 1/sec --limit-burst 2",
          " hashlimit --hashlimit-upto 1/sec --hashlimit-burst 1 --hashlimit-mode srcip --hashlimit-name f",
          " hashlimit --hashlimit-above 1/sec --hashlimit-burst 2 --hashlimit-mode dstip --hashlimit-name g",
          " recent --set --name late --mask 255.255.255.255 --rsource",
          " recent? --rcheck --seconds 1 --name late --mask 255.255.255.255 --rsource",
          " recent --update --seconds 1 --hitcount 2 --name late --mask 255.255.255.255 --rsource");

  private static final List<String> RPFILTER =
      List.of("", " --loose", " --validmark", " --accept-local", " --invert", " --loose --invert");

  private static final List<String> OWNER =
      List.of("? --uid-owner 0", "? --uid-owner 33", "? --gid-owner 0-100", "? --socket-exists");

  /** A genre that no list of fingerprints has; those are the whole machine's. */
  private static final List<String> OSF =
      List.of("? --genre NoSuch", " --genre NoSuch --ttl 1", "? --genre NoSuch --ttl 2");

  private static final List<String> ARRIVING =
      List.of(" devgroup? --src-group 0x0", " devgroup --src-group 0x7/0xf");

  private static final List<String> PLACED =
      List.of(" realm? --realm 0x0", " realm --realm 0x5", " realm --realm 0x0/0xffff0000");

  private static final List<String> FORWARDED =
      List.of(
          " devgroup --src-group 0x0? --dst-group 0x0",
          " devgroup? --dst-group 0x7",
          " physdev? --physdev-in eth0",
          " physdev? --physdev-is-bridged",
          " realm? --realm 0x0");

  private static final List<String> SOCKET =
      List.of(
          "",
          " --transparent",
          " --nowildcard",
          " --restore-skmark",
          " --nowildcard --transparent");

  /** What may be said of the rate that {@link RandomTargets#ESTIMATOR} measures. */
  private static final List<String> RATE =
      List.of(
          " rateest --rateest random? --rateest-lt --rateest-pps 5",
          " rateest --rateest random? --rateest-gt --rateest-bps 1kbit",
          " rateest --rateest random --rateest-eq --rateest-pps 0",
          " rateest --rateest-delta --rateest random --rateest-pps1 10? --rateest-gt --rateest-pps2 5",
          " rateest --rateest1 random? --rateest-gt --rateest2 random --rateest-pps1");

  private final RandomScenario.Pace pace;
  private final RandomSets sets;

  /** Has an earlier rule the estimator that {@code -m rateest} may ask? */
  boolean rateIsEstimated;

  RandomMatches(Random random, RandomSets sets, RandomScenario.Pace pace) {
    super(random);
    this.pace = pace;
    this.sets = sets;
  }

  /** With or without a {@code !} where one may stand. */
  private String anyWay(List<String> lines) {
    return anyOf(lines).replace("?", oneIn(4) ? " !" : "");
  }

  /** What may stand behind {@code -p protocol}. */
  String transport(String protocol) {
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
      case "sctp" -> " -m sctp" + anyWay(SCTP);
      case "dccp" -> " -m dccp" + anyWay(DCCP);
      case "ah" -> " -m ah" + pick("", not + " --ahspi 100:200", " --ahspi 1");
      case "esp" -> " -m esp" + pick("", not + " --espspi 100:200", " --espspi 1");
      case "ipcomp" ->
          " -m ipcomp" + pick("", not + " --ipcompspi 1:2", " --ipcompspi 1 --compres");
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

  /** A match for a rule in {@code hook}; that is empty in a chain of the user's. */
  String match(String table, String hook, String protocol) {
    String not = oneIn(5) ? " !" : "";
    if (pace != RandomScenario.Pace.AT_ONCE && oneIn(3)) {
      return " -m" + anyWay(pace == RandomScenario.Pace.SLOW ? TICKING : REFILLED);
    }
    if (oneIn(3)) {
      boolean ofTcp = "tcp".equals(protocol) && oneIn(3);
      return " -m" + anyWay(ofTcp ? TCP : rateIsEstimated && oneIn(6) ? RATE : ANY);
    }
    if (oneIn(8)) {
      return set(not);
    }
    boolean arrives = hook.equals("PREROUTING");
    if (arrives && (table.equals("raw") || table.equals("mangle")) && oneIn(6)) {
      return " -m rpfilter" + anyWay(RPFILTER);
    }
    if ((arrives || hook.equals("INPUT")) && oneIn(12)) {
      return " -m socket" + anyWay(SOCKET);
    }
    if ((hook.equals("OUTPUT") || hook.equals("POSTROUTING")) && oneIn(8)) {
      return " -m owner" + anyWay(OWNER);
    }
    if (!hook.isEmpty() && oneIn(20)) {
      return " -m" + anyWay(hook.equals("FORWARD") ? FORWARDED : arrives ? ARRIVING : PLACED);
    }
    if (arrives && "tcp".equals(protocol) && oneIn(12)) {
      return " -m osf" + anyWay(OSF);
    }
    if (!hook.isEmpty() && oneIn(30)) {
      boolean out = hook.equals("POSTROUTING") || hook.equals("OUTPUT");
      return " -m policy --dir " + (out ? "out" : "in") + anyWay(POLICY);
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

  /** Is it in a set, and what does the set do then? */
  private String set(String not) {
    return " -m set"
        + not
        + " --match-set "
        + sets.withDirections()
        + (oneIn(8) ? " --return-nomatch" : "")
        + (oneIn(8) ? " ! --update-counters" : "")
        + (oneIn(8) ? " ! --update-subcounters" : "")
        + (oneIn(6)
            ? pick(
                " --packets-gt 1",
                " --packets-lt 2",
                " --packets-eq 2",
                " ! --packets-eq 0",
                " --bytes-gt 100",
                " --bytes-lt 100",
                " --bytes-eq 56")
            : "");
  }
}
