// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.device.NetDevice;
import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.StatelessMatch;
import io.skbwalk.netfilter.tables.index.Conditions;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Plays xt_addrtype: what kind of address the routing tables say that it is.
 *
 * @param sources bits 1 &lt;&lt; RTN_ type, 0 when not asked
 * @param destinations likewise
 */
public record AddrtypeMatch(
    int sources,
    boolean notSources,
    int destinations,
    boolean notDestinations,
    boolean limitIn,
    boolean limitOut)
    implements StatelessMatch {
  /** By RTN_ number. */
  private static final List<String> NAMES =
      List.of(
          "UNSPEC",
          "UNICAST",
          "LOCAL",
          "BROADCAST",
          "ANYCAST",
          "MULTICAST",
          "BLACKHOLE",
          "UNREACHABLE",
          "PROHIBIT",
          "THROW",
          "NAT",
          "XRESOLVE");

  /** {@code -m addrtype}. */
  public static final MatchType TYPE =
      new MatchType(
          "addrtype",
          "Kind of the addresses, by the routing tables.",
          OptionSpec.value("src-type")
              .inverted()
              .about(
                  "Kinds of source address: UNSPEC, UNICAST, LOCAL, BROADCAST, ANYCAST, MULTICAST, BLACKHOLE, UNREACHABLE, PROHIBIT, THROW, NAT or XRESOLVE, as the routing tables say.",
                  "LOCAL"),
          OptionSpec.value("dst-type")
              .inverted()
              .about(
                  "Kinds of destination address: UNSPEC, UNICAST, LOCAL, BROADCAST, ANYCAST, MULTICAST, BLACKHOLE, UNREACHABLE, PROHIBIT, THROW, NAT or XRESOLVE, as the routing tables say.",
                  "LOCAL"),
          OptionSpec.flag("limit-iface-in")
              .about("Look only at the incoming interface's addresses."),
          OptionSpec.flag("limit-iface-out")
              .about("Look only at the outgoing interface's addresses.")) {
        @Override
        public Match parse(Options options, int protocol) {
          if (!options.has("src-type") && !options.has("dst-type")) {
            throw options.error("--src-type or --dst-type is needed");
          }
          options.oneOf(false, "limit-iface-in", "limit-iface-out");
          return new AddrtypeMatch(
              types(options, "src-type"),
              options.inverted("src-type"),
              types(options, "dst-type"),
              options.inverted("dst-type"),
              options.has("limit-iface-in"),
              options.has("limit-iface-out"));
        }
      };

  private static int types(Options options, String option) {
    int types = 0;
    if (!options.has(option)) {
      return types;
    }
    for (String part : options.list(option)) {
      int found = -1;
      for (int i = 0; i < NAMES.size() && found < 0; i++) {
        found = NAMES.get(i).startsWith(part.toUpperCase(Locale.ROOT)) ? i : -1;
      }
      if (found < 0) {
        throw options.error(
            option,
            "--" + option + " takes " + String.join(", ", NAMES) + ", not \"" + part + "\"");
      }
      types |= 1 << found;
    }
    return types;
  }

  private static String text(int types) {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < NAMES.size(); i++) {
      if ((types & 1 << i) != 0) {
        names.add(NAMES.get(i));
      }
    }
    return String.join(",", names);
  }

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    if (sources != 0) {
      out.append(notSources ? " ! --src-type " : " --src-type ").append(text(sources));
    }
    if (destinations != 0) {
      out.append(notDestinations ? " ! --dst-type " : " --dst-type ").append(text(destinations));
    }
    out.append(limitIn ? " --limit-iface-in" : "").append(limitOut ? " --limit-iface-out" : "");
  }

  @Override
  public String refusal(RulePlace place) {
    if (limitOut && (place.hooks() & (Hook.PRE_ROUTING.bit | Hook.LOCAL_IN.bit)) != 0) {
      return "--limit-iface-out is not for PREROUTING and INPUT: no outgoing interface is known";
    }
    if (limitIn && (place.hooks() & (Hook.POST_ROUTING.bit | Hook.LOCAL_OUT.bit)) != 0) {
      return "--limit-iface-in is not for POSTROUTING and OUTPUT: no incoming interface is known";
    }
    return null;
  }

  private int typeOf(PacketContext context, int address) {
    NetDevice device = limitIn ? context.in : limitOut ? context.out : null;
    return context.environment.ipv4().addressType(device, address);
  }

  @Override
  public Conditions.Beyond asks(Conditions conditions) {
    return Conditions.Beyond.READS;
  }

  @Override
  public boolean matches(SkBuff skb, PacketContext context) {
    if (sources != 0
        && ((sources & 1 << typeOf(context, IpHeader.source(skb))) != 0) == notSources) {
      return false;
    }
    return destinations == 0
        || ((destinations & 1 << typeOf(context, IpHeader.destination(skb))) != 0)
            != notDestinations;
  }

  @Override
  public String explain(SkBuff skb, PacketContext context) {
    int source = IpHeader.source(skb);
    if (sources != 0 && ((sources & 1 << typeOf(context, source)) != 0) == notSources) {
      return "source " + Ip4.format(source) + " is " + NAMES.get(typeOf(context, source));
    }
    int destination = IpHeader.destination(skb);
    return "destination "
        + Ip4.format(destination)
        + " is "
        + NAMES.get(typeOf(context, destination));
  }
}
