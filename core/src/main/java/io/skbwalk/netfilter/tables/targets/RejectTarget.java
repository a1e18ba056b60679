// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.targets;

import io.skbwalk.netfilter.Verdict;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.StatelessTarget;
import io.skbwalk.netfilter.tables.TableKind;
import io.skbwalk.netfilter.tables.Target;
import io.skbwalk.netfilter.tables.TargetType;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import java.util.List;
import java.util.Locale;

/** Plays ipt_REJECT: drops the packet and tells its sender. */
public record RejectTarget(Answer answer) implements StatelessTarget {
  /** What the sender is told. */
  public enum Answer {
    /** ICMP 3/0. */
    NET_UNREACHABLE("icmp-net-unreachable", "net-unreach", 0),
    /** ICMP 3/1. */
    HOST_UNREACHABLE("icmp-host-unreachable", "host-unreach", 1),
    /** ICMP 3/2. */
    PROTO_UNREACHABLE("icmp-proto-unreachable", "proto-unreach", 2),
    /** ICMP 3/3. */
    PORT_UNREACHABLE("icmp-port-unreachable", "port-unreach", 3),
    /** ICMP 3/9. */
    NET_PROHIBITED("icmp-net-prohibited", "net-prohib", 9),
    /** ICMP 3/10. */
    HOST_PROHIBITED("icmp-host-prohibited", "host-prohib", 10),
    /** A TCP RST. */
    TCP_RESET("tcp-reset", "tcp-rst", -1),
    /** ICMP 3/13. */
    ADMIN_PROHIBITED("icmp-admin-prohibited", "admin-prohib", 13);

    private final String option;
    private final String alias;
    private final int code;

    Answer(String option, String alias, int code) {
      this.option = option;
      this.alias = alias;
      this.code = code;
    }
  }

  /** {@code -j REJECT}. */
  public static final TargetType TYPE =
      new TargetType(
          "REJECT",
          "Drops, and says so to the sender; table filter.",
          OptionSpec.value("reject-with")
              .about(
                  "icmp-net-unreachable, icmp-host-unreachable, icmp-proto-unreachable, icmp-port-unreachable (the default), icmp-net-prohibited, icmp-host-prohibited, icmp-admin-prohibited, or tcp-reset for protocol: tcp.",
                  "tcp-reset",
                  "icmp-admin-prohibited")) {
        @Override
        public Target parse(Options options, int protocol) {
          if (!options.has("reject-with")) {
            return new RejectTarget(Answer.PORT_UNREACHABLE);
          }
          String text = options.text("reject-with").toLowerCase(Locale.ROOT);
          for (Answer answer : Answer.values()) {
            if (answer.option.startsWith(text) || answer.alias.startsWith(text)) {
              return new RejectTarget(answer);
            }
          }
          List<String> names = List.of(Answer.values()).stream().map(one -> one.option).toList();
          throw options.error(
              "reject-with",
              "--reject-with takes " + String.join(", ", names) + ", not \"" + text + "\"");
        }
      };

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(" --reject-with ").append(answer.option);
  }

  @Override
  public String refusal(RulePlace place) {
    if (place.table() != TableKind.FILTER) {
      return "only in the filter table";
    }
    return answer == Answer.TCP_RESET && !place.isProtocol(IpHeader.IPPROTO_TCP)
        ? "--reject-with tcp-reset needs -p tcp"
        : null;
  }

  @Override
  public int target(SkBuff skb, PacketContext context) {
    if (answer == Answer.TCP_RESET) {
      context.environment.ipv4().sendReset(skb, context.hook);
    } else {
      context.environment.ipv4().sendUnreachable(skb, answer.code, context.hook);
    }
    return Verdict.DROP;
  }
}
