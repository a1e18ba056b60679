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

/** Plays xt_realm: the realms of the route that the packet takes. */
public record RealmMatch(NamedValue realm) implements StatelessMatch {
  private static final String REALM = "realm";

  /** {@code -m realm}. */
  public static final MatchType TYPE =
      new MatchType(
          "realm",
          "Realm of the route that the packet takes; not in PREROUTING.",
          OptionSpec.value(REALM)
              .inverted()
              .needed()
              .about(
                  "A number, value/mask, or cosmos; the realm that it comes from is in the upper 16 bits.",
                  "0x5",
                  "0x50000/0xffff0000")) {
        @Override
        public Match parse(Options options, int protocol) {
          return new RealmMatch(NamedValue.parse(options, REALM, "cosmos"));
        }
      };

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    realm.save(out);
  }

  @Override
  public String refusal(RulePlace place) {
    return (place.hooks() & Hook.PRE_ROUTING.bit) != 0
        ? "not in PREROUTING: the packet has no route yet"
        : null;
  }

  @Override
  public Conditions.Beyond asks(Conditions conditions) {
    return Conditions.Beyond.READS;
  }

  @Override
  public boolean matches(SkBuff skb, PacketContext context) {
    return ((skb.dst.tclassid & realm.mask()) == realm.value()) != realm.inverted();
  }

  @Override
  public String explain(SkBuff skb, PacketContext context) {
    int realms = skb.dst.tclassid;
    return realms >>> 16 == 0
        ? "the route's realm is " + realms
        : "the realms are " + (realms >>> 16) + " (from) and " + (realms & 0xFFFF) + " (to)";
  }
}
