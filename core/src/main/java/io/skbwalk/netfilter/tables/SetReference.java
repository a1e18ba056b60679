// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.netfilter.ipset.IpSet;
import io.skbwalk.netfilter.ipset.IpSets;
import io.skbwalk.netfilter.ipset.SetQuery;

/**
 * Plays struct xt_set_info: a set that a rule names, with a direction for each dimension.
 *
 * @param name of the set
 * @param dimension how many directions are given, 1 to 6
 * @param sources bit n is set when direction n (from 1) is src
 */
public record SetReference(String name, int dimension, int sources) {
  private static final int MOST_DIRECTIONS = 6;

  /** Reads {@code --option NAME src|dst[,src|dst...]}; null when it was not given. */
  public static SetReference parse(Options options, String option) {
    if (!options.has(option)) {
      return null;
    }
    String name = options.text(option);
    if (name.length() > IpSets.LONGEST_NAME) {
      throw options.error(
          option, "the name of a set has at most " + IpSets.LONGEST_NAME + " characters");
    }
    String[] directions = options.text(option, 1).split(",", -1);
    if (directions.length > MOST_DIRECTIONS) {
      throw options.error(option, "at most " + MOST_DIRECTIONS + " directions may be given");
    }
    int sources = 0;
    for (int i = 0; i < directions.length; i++) {
      // What follows the three letters is ignored, as iptables does.
      if (directions[i].startsWith("src")) {
        sources |= 1 << i + 1;
      } else if (!directions[i].startsWith("dst")) {
        throw options.error(
            option,
            "behind the set's name stand directions, src or dst, with commas between them, not \""
                + options.text(option, 1)
                + "\"");
      }
    }
    return new SetReference(name, directions.length, sources);
  }

  /** Appends {@code OPTION NAME DIRECTIONS} with a leading blank. */
  public void save(StringBuilder out, String option) {
    out.append(" --").append(option).append(' ').append(name);
    for (int i = 1; i <= dimension; i++) {
      out.append(i == 1 ? ' ' : ',').append((sources & 1 << i) != 0 ? "src" : "dst");
    }
  }

  /** What a rule with it asks; what else it asks is the rule's. */
  public SetQuery query() {
    return new SetQuery(dimension, sources);
  }

  /**
   * Plays ip_set_nfnl_get_byindex: the set's index on this machine, which is in use from now on.
   *
   * @throws RefusedException when there is no such set, or it is one of IPv6
   */
  public int bind(IpSets sets) {
    int index = sets.index(name);
    if (index < 0) {
      throw new RefusedException("there is no set called " + name);
    }
    IpSet set = sets.at(index);
    if (set.options.inet6) {
      throw new RefusedException("set " + name + " is one of IPv6 addresses");
    }
    sets.hold(index);
    return index;
  }
}
