// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import io.skbwalk.kernel.Clock;
import io.skbwalk.skb.IpHeader;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Plays nfnetlink_cttimeout.c and nf_conntrack_timeout.c: timeouts with a name ({@code nfct add
 * timeout}), which the CT target gives to connections instead of the machine's own.
 */
final class ConntrackTimeouts {
  /** The number of the tracker for protocols without one of their own. */
  static final int GENERIC = 255;

  private static final int NAME_MAX = 31;
  private static final int INET = 2;
  private static final int INET6 = 10;

  /** As many seconds as fit an unsigned int of ticks; the kernel takes more and wraps around. */
  private static final long MAX_SECONDS = 0xFFFFFFFFL / Clock.HZ;

  /** The names of a tracker's timeouts, each at its place in what {@link #defaults} gives. */
  private static final Map<Integer, List<String>> STATES =
      Map.of(
          IpHeader.IPPROTO_TCP,
          List.of(
              "",
              "syn_sent",
              "syn_recv",
              "established",
              "fin_wait",
              "close_wait",
              "last_ack",
              "time_wait",
              "close",
              "syn_sent2",
              "retrans",
              "unacknowledged"),
          IpHeader.IPPROTO_UDP,
          List.of("unreplied", "replied"),
          ConntrackIn.IPPROTO_UDPLITE,
          List.of("unreplied", "replied"),
          ConntrackIn.IPPROTO_GRE,
          List.of("unreplied", "replied"),
          IpHeader.IPPROTO_ICMP,
          List.of("timeout"),
          Conntrack.IPPROTO_SCTP,
          List.of(
              "",
              "closed",
              "cookie_wait",
              "cookie_echoed",
              "established",
              "shutdown_sent",
              "shutdown_recd",
              "shutdown_ack_sent"),
          GENERIC,
          List.of("timeout"));

  private static final Map<String, Integer> PROTOCOLS =
      Map.of(
          "tcp",
          IpHeader.IPPROTO_TCP,
          "udp",
          IpHeader.IPPROTO_UDP,
          "udplite",
          ConntrackIn.IPPROTO_UDPLITE,
          "gre",
          ConntrackIn.IPPROTO_GRE,
          "icmp",
          IpHeader.IPPROTO_ICMP,
          "sctp",
          Conntrack.IPPROTO_SCTP,
          "generic",
          GENERIC);

  private record Policy(String name, int family, int protocol, int[] ticks) {}

  private final ConntrackSysctls sysctls;

  /** An entry knows its policy by its place in this list, from 1. */
  private final List<Policy> policies = new ArrayList<>();

  ConntrackTimeouts(ConntrackSysctls sysctls) {
    this.sysctls = sysctls;
  }

  /** The policy's timeouts in ticks, by what they stand for as in {@link ConntrackSysctls}. */
  int[] ticks(int policy) {
    return policies.get(policy - 1).ticks;
  }

  /**
   * Plays cttimeout_new_timeout: what is not said stays as the sysctls are now.
   *
   * @param words as {@code nfct add timeout} takes them: {@code NAME inet tcp established 100}
   * @throws IllegalArgumentException when nfct or the kernel would refuse them
   */
  void add(String words) {
    String[] word = words.trim().split("\\s+");
    if (word.length < 5 || word.length % 2 == 0) {
      throw new IllegalArgumentException(
          "a timeout policy is NAME inet PROTOCOL STATE SECONDS [STATE SECONDS ...], not \""
              + words
              + "\"");
    }
    String name = word[0];
    if (name.length() > NAME_MAX) {
      throw new IllegalArgumentException(
          "the name of a timeout policy has at most " + NAME_MAX + " characters: " + name);
    }
    if (policies.stream().anyMatch(policy -> policy.name.equals(name))) {
      throw new IllegalArgumentException("a timeout policy " + name + " is there already");
    }
    int family = family(word[1]);
    Integer protocol = PROTOCOLS.get(word[2].toLowerCase(Locale.ROOT));
    if (protocol == null) {
      throw new IllegalArgumentException(
          "there are timeout policies for "
              + String.join(", ", PROTOCOLS.keySet().stream().sorted().toList())
              + ", not for \""
              + word[2]
              + "\"");
    }
    int[] ticks = defaults(protocol).clone();
    List<String> states = STATES.get(protocol);
    for (int i = 3; i < word.length; i += 2) {
      int state = states.indexOf(word[i].toLowerCase(Locale.ROOT));
      if (state < 0) {
        throw new IllegalArgumentException(
            "the timeouts of "
                + word[2]
                + " are "
                + String.join(", ", states).replaceFirst("^, ", "")
                + ", not \""
                + word[i]
                + "\"");
      }
      ticks[state] = (int) (seconds(word[i + 1]) * Clock.HZ);
    }
    if (protocol == IpHeader.IPPROTO_TCP || protocol == Conntrack.IPPROTO_SCTP) {
      ticks[0] = ticks[1];
    }
    policies.add(new Policy(name, family, protocol, ticks));
  }

  private static int family(String word) {
    return switch (word) {
      case "inet" -> INET;
      case "inet6" -> INET6;
      default ->
          throw new IllegalArgumentException(
              "a timeout policy is for inet or inet6, not \"" + word + "\"");
    };
  }

  private static long seconds(String word) {
    if (word.matches("\\d{1,10}") && Long.parseLong(word) <= MAX_SECONDS) {
      return Long.parseLong(word);
    }
    throw new IllegalArgumentException(
        "a timeout is 0 to " + MAX_SECONDS + " seconds, not \"" + word + "\"");
  }

  private int[] defaults(int protocol) {
    return switch (protocol) {
      case IpHeader.IPPROTO_TCP -> sysctls.tcp;
      case IpHeader.IPPROTO_ICMP -> sysctls.icmp;
      case ConntrackIn.IPPROTO_GRE -> sysctls.gre;
      case Conntrack.IPPROTO_SCTP -> sysctls.sctp;
      case GENERIC -> sysctls.generic;
      default -> sysctls.udp;
    };
  }

  /**
   * Plays nf_ct_set_timeout's search: the policy {@code name} for a rule of {@code protocol}.
   *
   * @throws IllegalArgumentException when there is none, or it is another protocol's
   */
  int find(String name, int protocol) {
    for (int i = 0; i < policies.size(); i++) {
      Policy policy = policies.get(i);
      if (policy.name.equals(name)) {
        if (policy.family != INET) {
          throw new IllegalArgumentException("timeout policy " + name + " is for IPv6");
        }
        if (policy.protocol != (STATES.containsKey(protocol) ? protocol : GENERIC)) {
          throw new IllegalArgumentException(
              "timeout policy "
                  + name
                  + " is for "
                  + (policy.protocol == GENERIC
                      ? "protocols without a tracker of their own"
                      : ConntrackPrinter.protocolName(policy.protocol))
                  + " only");
        }
        return i + 1;
      }
    }
    throw new IllegalArgumentException("there is no timeout policy " + name);
  }
}
