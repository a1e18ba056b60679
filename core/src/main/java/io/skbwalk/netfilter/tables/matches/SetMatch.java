// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.ipset.IpSets;
import io.skbwalk.netfilter.ipset.SetQuery;
import io.skbwalk.netfilter.ipset.SetQuery.Comparison;
import io.skbwalk.netfilter.ipset.SetWords;
import io.skbwalk.netfilter.tables.Environment;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.PacketMatch;
import io.skbwalk.netfilter.tables.SetReference;
import io.skbwalk.netfilter.tables.index.Conditions;
import io.skbwalk.skb.SkBuff;
import java.util.Locale;

/**
 * Plays xt_set's match: is the packet in a set of ipset?
 *
 * @param returnsNomatch an exception matches, and nothing else does
 * @param keepsCounters the element's counters are not counted
 * @param keepsSubcounters those of the members of a list are not counted
 * @param packets what the element must have counted
 * @param bytes what the element must have counted
 */
public record SetMatch(
    SetReference set,
    boolean inverted,
    boolean returnsNomatch,
    boolean keepsCounters,
    boolean keepsSubcounters,
    Counter packets,
    Counter bytes)
    implements Match {
  /** A comparison of one counter; {@code value} is unsigned. */
  public record Counter(Comparison comparison, long value) {
    private static final Counter ANY = new Counter(Comparison.NONE, 0);

    private static Counter parse(Options options, String name) {
      String given = options.oneOf(false, name + "-eq", name + "-lt", name + "-gt");
      if (given == null) {
        return ANY;
      }
      Comparison comparison =
          given.endsWith("-lt")
              ? Comparison.LT
              : given.endsWith("-gt")
                  ? Comparison.GT
                  : options.inverted(given) ? Comparison.NE : Comparison.EQ;
      return new Counter(comparison, options.unsigned64(given, 0));
    }

    private void save(StringBuilder out, String name) {
      if (comparison == Comparison.NONE) {
        return;
      }
      boolean not = comparison == Comparison.NE;
      String option = not ? "eq" : comparison.name().toLowerCase(Locale.ROOT);
      out.append(not ? " ! --" : " --").append(name).append('-').append(option).append(' ');
      out.append(Long.toUnsignedString(value));
    }
  }

  /** {@code -m set}. */
  public static final MatchType TYPE =
      new MatchType(
          "set",
          "Is the packet in a set of ipset?",
          OptionSpec.pair("name", "flags", "match-set", "set")
              .inverted()
              .needed()
              .about(
                  "Name of the set, then src or dst for each dimension of its type, with commas"
                      + " between them."),
          OptionSpec.flag("return-nomatch")
              .about("An element with nomatch matches, and the others do not."),
          OptionSpec.flag("update-counters")
              .inverted()
              .about("With !: the counters of the element are not counted."),
          OptionSpec.flag("update-subcounters")
              .inverted()
              .about("With !: the counters of the members of a list:set are not counted."),
          OptionSpec.value("packets-eq")
              .inverted()
              .about("The element has counted so many packets, this one included."),
          OptionSpec.value("packets-lt").about("The element has counted fewer packets."),
          OptionSpec.value("packets-gt").about("The element has counted more packets."),
          OptionSpec.value("bytes-eq")
              .inverted()
              .about("The element has counted so many bytes, this packet's included."),
          OptionSpec.value("bytes-lt").about("The element has counted fewer bytes."),
          OptionSpec.value("bytes-gt").about("The element has counted more bytes.")) {
        @Override
        public Match parse(Options options, int protocol) {
          return new SetMatch(
              SetReference.parse(options, "match-set"),
              options.inverted("match-set"),
              options.has("return-nomatch"),
              options.inverted("update-counters"),
              options.inverted("update-subcounters"),
              Counter.parse(options, "packets"),
              Counter.parse(options, "bytes"));
        }
      };

  /** Does it ask for membership alone, not for what an element has counted? */
  public boolean comparesNothing() {
    return packets.comparison == Comparison.NONE && bytes.comparison == Comparison.NONE;
  }

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(inverted ? " !" : "");
    set.save(out, "match-set");
    out.append(returnsNomatch ? " --return-nomatch" : "");
    out.append(keepsCounters ? " ! --update-counters" : "");
    out.append(keepsSubcounters ? " ! --update-subcounters" : "");
    packets.save(out, "packets");
    bytes.save(out, "bytes");
  }

  @Override
  public PacketMatch bind(Environment environment) {
    SetQuery query = set.query();
    query.returnsNomatch = returnsNomatch;
    query.keepsCounters = keepsCounters;
    query.keepsSubcounters = keepsSubcounters;
    query.packetsComparison = packets.comparison;
    query.packets = packets.value;
    query.bytesComparison = bytes.comparison;
    query.bytes = bytes.value;
    IpSets sets = environment.ipsets();
    return new Evaluation(sets, set.bind(sets), query, inverted);
  }

  private record Evaluation(IpSets sets, int index, SetQuery query, boolean inverted)
      implements PacketMatch {
    @Override
    public Conditions.Beyond asks(Conditions conditions) {
      return sets.at(index).remembersTests() ? Conditions.Beyond.ACTS : Conditions.Beyond.READS;
    }

    @Override
    public boolean matches(SkBuff skb, PacketContext context) {
      return sets.at(index).test(skb, query.of(context.in, context.out)) != inverted;
    }

    @Override
    public String explain(SkBuff skb, PacketContext context) {
      return SetWords.of(sets.at(index), skb, query, inverted);
    }

    @Override
    public String found(SkBuff skb, PacketContext context) {
      return SetWords.of(sets.at(index), skb, query, !inverted);
    }

    @Override
    public void destroy() {
      sets.release(index);
    }
  }
}
