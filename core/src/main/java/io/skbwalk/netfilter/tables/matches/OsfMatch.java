// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.LogLine;
import io.skbwalk.netfilter.tables.Environment;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.OsFingerprint;
import io.skbwalk.netfilter.tables.OsFingerprints;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.PacketMatch;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;
import java.util.List;

/**
 * Plays xt_osf and nf_osf_match: which operating system a SYN comes from. As in Linux {@code !}
 * changes nothing, and {@code --log} makes every known system match, whatever the genre.
 *
 * @param ttl TTL_ constant; -1 when not given
 * @param log LOG_ constant; -1 for no log
 */
public record OsfMatch(String genre, boolean inverted, int ttl, int log) implements Match {
  private static final int TTL_LESS = 1;
  private static final int TTL_NOCHECK = 2;
  private static final int LOG_FIRST = 1;
  private static final int MOST_GENRE = 31;
  private static final int MOST_PREFIX = 127;
  private static final int NOTICE = 5;

  private static final int WHAT_IS_LOGGED =
      LogLine.TCP_SEQUENCE | LogLine.TCP_OPTIONS | LogLine.IP_OPTIONS | LogLine.UID;

  /** {@code -m osf}. */
  public static final MatchType TYPE =
      new MatchType(
          "osf",
          "The operating system that a SYN comes from, by the host's osf-fingerprints; needs protocol: tcp.",
          OptionSpec.value("genre")
              .inverted()
              .needed()
              .about("Its name in the fingerprints. ! changes nothing, as in Linux.", "Linux"),
          OptionSpec.value("ttl")
              .about(
                  "0: the TTL is the fingerprint's (the default); 1: at most that; 2: any.", "2"),
          OptionSpec.value("log")
              .about(
                  "Logs what is found, and matches every known system. 0: all, 1: the first, 2: all.",
                  "1")) {
        @Override
        public Match parse(Options options, int protocol) {
          return new OsfMatch(
              options.cut("genre", MOST_GENRE),
              options.inverted("genre"),
              (int) options.number("ttl", 0, 2, -1),
              (int) options.number("log", 0, 2, -1));
        }
      };

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(inverted ? " ! --genre " : " --genre ").append(genre);
    if (ttl >= 0) {
      out.append(" --ttl ").append(ttl);
    }
    if (log >= 0) {
      out.append(" --log ").append(log);
    }
  }

  @Override
  public String refusal(RulePlace place) {
    if (!place.isProtocol(IpHeader.IPPROTO_TCP)) {
      return "needs -p tcp";
    }
    return place.isReachedOutside(Hook.PRE_ROUTING.bit | Hook.LOCAL_IN.bit | Hook.FORWARD.bit)
        ? "only in PREROUTING, INPUT, FORWARD and chains called from there"
        : null;
  }

  @Override
  public PacketMatch bind(Environment environment) {
    OsFingerprints known = environment.perNet(OsFingerprints.class, OsFingerprints::new);
    return new Fingers(this, known.list());
  }

  private record Fingers(OsfMatch wanted, List<OsFingerprint> known) implements PacketMatch {
    @Override
    public boolean matches(SkBuff skb, PacketContext context) {
      int tcp = context.transport;
      if (!isSyn(skb, tcp)) {
        return false;
      }
      boolean df = (IpHeader.fragment(skb) & IpHeader.IP_DF) != 0;
      boolean found = false;
      for (int i = 0; i < known.size(); i++) {
        OsFingerprint one = known.get(i);
        if (one.df() == df
            && (wanted.log >= 0 || one.genre().equals(wanted.genre))
            && hasTtl(skb, one)
            && one.matches(skb, tcp)) {
          found = true;
          if (wanted.log >= 0 && context.environment.log() != null) {
            log(skb, context, describe(one) + " : " + ends(skb, tcp) + hops(skb, one));
          }
          if (wanted.log == LOG_FIRST) {
            break;
          }
        }
      }
      if (!found && wanted.log >= 0 && context.environment.log() != null) {
        log(skb, context, "Remote OS is not known: " + ends(skb, tcp));
      }
      return found;
    }

    private static boolean isSyn(SkBuff skb, int tcp) {
      return tcp + TcpHeader.MIN_LENGTH <= skb.tail
          && (TcpHeader.flags(skb, tcp) & TcpHeader.SYN) != 0
          && tcp + TcpHeader.headerLength(skb, tcp) <= skb.tail;
    }

    private boolean hasTtl(SkBuff skb, OsFingerprint one) {
      int ttl = IpHeader.ttl(skb);
      return wanted.ttl == TTL_NOCHECK
          || (wanted.ttl == TTL_LESS ? ttl <= one.ttl() : ttl == one.ttl());
    }

    private static String describe(OsFingerprint one) {
      return one.genre() + " [" + one.version() + ":" + one.subtype() + "]";
    }

    private static String ends(SkBuff skb, int tcp) {
      return Ip4.format(IpHeader.source(skb))
          + ":"
          + skb.u16(tcp + TcpHeader.SOURCE_OFFSET)
          + " -> "
          + Ip4.format(IpHeader.destination(skb))
          + ":"
          + skb.u16(tcp + TcpHeader.DESTINATION_OFFSET);
    }

    private static String hops(SkBuff skb, OsFingerprint one) {
      return " hops=" + (one.ttl() - IpHeader.ttl(skb));
    }

    private static void log(SkBuff skb, PacketContext context, String text) {
      String prefix = text + "\n";
      context.log(
          skb, prefix.substring(0, Math.min(prefix.length(), MOST_PREFIX)), NOTICE, WHAT_IS_LOGGED);
    }

    @Override
    public String explain(SkBuff skb, PacketContext context) {
      int tcp = context.transport;
      if (!isSyn(skb, tcp)) {
        return "no whole SYN";
      }
      if (known.isEmpty()) {
        return "the host has no osf-fingerprints";
      }
      for (OsFingerprint one : known) {
        if (one.df() == ((IpHeader.fragment(skb) & IpHeader.IP_DF) != 0) && one.matches(skb, tcp)) {
          return "it looks like "
              + describe(one)
              + (hasTtl(skb, one) ? "" : " but for its TTL " + IpHeader.ttl(skb));
        }
      }
      return "no fingerprint fits it";
    }
  }
}
