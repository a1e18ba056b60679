// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.StatelessMatch;
import io.skbwalk.netfilter.tables.index.Conditions;
import io.skbwalk.skb.SkBuff;
import java.util.ArrayList;
import java.util.List;

/**
 * Plays xt_policy: the IPsec states that a packet came through or will go through. No packet of
 * this machine ever does, so {@code --pol none} is all that matches.
 *
 * @param in those it came through; else those it will go through
 * @param none does it match what meets no IPsec?
 * @param strict must the states be exactly the elements?
 */
public record PolicyMatch(boolean in, boolean none, boolean strict, List<PolicyElement> elements)
    implements StatelessMatch {
  /** XT_POLICY_MAX_ELEM. */
  private static final int MOST_ELEMENTS = 4;

  /** {@code -m policy}. */
  public static final MatchType TYPE =
      new MatchType(
          "policy",
          "The IPsec policy that applies to the packet. None ever does here: only pol: none matches.",
          OptionSpec.value("dir")
              .needed()
              .about("Whether it came through IPsec (in) or will go through it (out).", "in"),
          OptionSpec.value("pol").about("none, or ipsec (the default).", "none"),
          OptionSpec.flag("strict")
              .about("The elements are all of the policy, not one of its states."),
          OptionSpec.value("reqid").inverted().repeated().about("The state's request id.", "1"),
          OptionSpec.value("spi")
              .inverted()
              .repeated()
              .about("The state's security parameter index.", "0x10"),
          OptionSpec.value("proto").inverted().repeated().about("ah, esp or ipcomp.", "esp"),
          OptionSpec.value("mode").inverted().repeated().about("transport or tunnel.", "tunnel"),
          OptionSpec.value("tunnel-src")
              .inverted()
              .repeated()
              .about("Address or network where the tunnel begins.", "192.0.2.0/24"),
          OptionSpec.value("tunnel-dst")
              .inverted()
              .repeated()
              .about("Address or network where the tunnel ends.", "198.51.100.1"),
          OptionSpec.flag("next")
              .repeated()
              .about("The options of the next element follow; at most 4 elements, with strict.")) {
        @Override
        public Match parse(Options options, int protocol) {
          boolean in = word(options, "dir", List.of("in", "out")).equals("in");
          boolean none =
              options.has("pol") && word(options, "pol", List.of("none", "ipsec")).equals("none");
          boolean strict = options.has("strict");
          if (options.has("next") && !strict) {
            throw options.error("next", "--next needs --strict");
          }
          if (none && strict) {
            throw options.error("strict", "--strict needs --pol ipsec");
          }
          return new PolicyMatch(in, none, strict, elements(options, none, strict));
        }
      };

  private static List<PolicyElement> elements(Options options, boolean none, boolean strict) {
    List<PolicyElement> elements = new ArrayList<>();
    for (Options one : options.elements("next")) {
      if (elements.size() == MOST_ELEMENTS) {
        throw one.error("more than " + MOST_ELEMENTS + " elements");
      }
      // Under --pol none iptables reads the element, and forgets it.
      PolicyElement element = PolicyElement.parse(one, !none);
      if (strict && element.asked().isEmpty()) {
        throw one.error(
            "an element of a strict policy needs one of --reqid, --spi, --proto, --mode,"
                + " --tunnel-src, --tunnel-dst");
      }
      if (!none) {
        elements.add(element);
      }
    }
    return elements;
  }

  /** Copies the list. */
  public PolicyMatch {
    elements = List.copyOf(elements);
  }

  /** The option's value, one of {@code words}; capitals are others to iptables. */
  static String word(Options options, String name, List<String> words) {
    if (!words.contains(options.text(name))) {
      throw options.error(
          name,
          "--"
              + name
              + " takes "
              + String.join(" or ", words)
              + ", not \""
              + options.text(name)
              + "\"");
    }
    return options.text(name);
  }

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(in ? " --dir in" : " --dir out");
    out.append(none ? " --pol none" : " --pol ipsec");
    out.append(strict ? " --strict" : "");
    for (int i = 0; i < elements.size(); i++) {
      out.append(i > 0 ? " --next" : "");
      elements.get(i).asked().forEach(question -> out.append(' ').append(question));
    }
  }

  @Override
  public String refusal(RulePlace place) {
    if (!in && (place.hooks() & (Hook.PRE_ROUTING.bit | Hook.LOCAL_IN.bit)) != 0) {
      return "--dir out is not for PREROUTING and INPUT";
    }
    return in && (place.hooks() & (Hook.POST_ROUTING.bit | Hook.LOCAL_OUT.bit)) != 0
        ? "--dir in is not for OUTPUT and POSTROUTING"
        : null;
  }

  @Override
  public Conditions.Beyond asks(Conditions conditions) {
    return Conditions.Beyond.READS;
  }

  @Override
  public boolean matches(SkBuff skb, PacketContext context) {
    return none;
  }

  @Override
  public String explain(SkBuff skb, PacketContext context) {
    return in ? "the packet came through no IPsec" : "the packet will go through no IPsec";
  }
}
