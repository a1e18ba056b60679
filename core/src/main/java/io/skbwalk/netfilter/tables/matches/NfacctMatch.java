// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.tables.Environment;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.NfAcct;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.PacketMatch;
import io.skbwalk.netfilter.tables.ProcName;
import io.skbwalk.netfilter.tables.Quoting;
import io.skbwalk.netfilter.tables.RefusedException;
import io.skbwalk.skb.SkBuff;

/**
 * Plays xt_nfacct: counts in an accounting object, which must be there. One with a quota matches
 * what comes beyond it; one without always matches.
 */
public record NfacctMatch(String name) implements Match {
  /** {@code -m nfacct}. */
  public static final MatchType TYPE =
      new MatchType(
          "nfacct",
          "Counts in an object of nfacct; matches always, or beyond the object's quota.",
          OptionSpec.value("nfacct-name").needed().about("The object's name.", "web")) {
        @Override
        public Match parse(Options options, int protocol) {
          String name = options.string("nfacct-name", 1, Integer.MAX_VALUE);
          return new NfacctMatch(ProcName.cut(name, NfAcct.MOST_NAME));
        }
      };

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    // With two blanks, as iptables-save has it.
    out.append(" --nfacct-name ");
    Quoting.append(out, name);
  }

  @Override
  public PacketMatch bind(Environment environment) {
    NfAcct.Account account = environment.perNet(NfAcct.class, () -> new NfAcct(true)).find(name);
    if (account == null) {
      throw new RefusedException(
          "there is no accounting object \""
              + name
              + "\" (nfacct add); a host file says so with nfacct: ["
              + name
              + "]");
    }
    return new Evaluation(account);
  }

  private record Evaluation(NfAcct.Account account) implements PacketMatch {
    @Override
    public boolean matches(SkBuff skb, PacketContext context) {
      return account.count(skb.length());
    }

    @Override
    public String explain(SkBuff skb, PacketContext context) {
      return "counted, and " + account.left() + " of the quota are left";
    }
  }
}
