// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.Ipv4Operations;
import io.skbwalk.netfilter.ReversePath;
import io.skbwalk.netfilter.tables.Environment;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.PacketMatch;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.TableKind;
import io.skbwalk.netfilter.tables.index.Conditions;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;

/** Plays ipt_rpfilter: would an answer leave by the interface that the packet came in on? */
public record RpfilterMatch(boolean loose, boolean validMark, boolean acceptLocal, boolean inverted)
    implements Match {
  /** {@code -m rpfilter}. */
  public static final MatchType TYPE =
      new MatchType(
          "rpfilter",
          "Reverse path: an answer would leave by the interface that the packet came in on; raw or mangle, PREROUTING.",
          OptionSpec.flag("loose").about("An answer may leave by any interface."),
          OptionSpec.flag("validmark").about("Policy rules see the packet's mark."),
          OptionSpec.flag("accept-local").about("The source may be an address of this machine."),
          OptionSpec.flag("invert").about("Match what fails the test.")) {
        @Override
        public Match parse(Options options, int protocol) {
          return new RpfilterMatch(
              options.has("loose"),
              options.has("validmark"),
              options.has("accept-local"),
              options.has("invert"));
        }
      };

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(loose ? " --loose" : "").append(validMark ? " --validmark" : "");
    out.append(acceptLocal ? " --accept-local" : "").append(inverted ? " --invert" : "");
  }

  @Override
  public String refusal(RulePlace place) {
    if (place.table() != TableKind.RAW && place.table() != TableKind.MANGLE) {
      return "only in the raw and mangle tables";
    }
    return place.isReachedOutside(Hook.PRE_ROUTING.bit)
        ? "only in PREROUTING and chains that it alone calls"
        : null;
  }

  @Override
  public PacketMatch bind(Environment environment) {
    return new Test(environment.ipv4());
  }

  private final class Test implements PacketMatch {
    private final Ipv4Operations ipv4;
    private final ReversePath path = new ReversePath();

    Test(Ipv4Operations ipv4) {
      this.ipv4 = ipv4;
    }

    @Override
    public Conditions.Beyond asks(Conditions conditions) {
      return Conditions.Beyond.READS;
    }

    @Override
    public boolean matches(SkBuff skb, PacketContext context) {
      return passes(skb, context) != inverted;
    }

    private boolean passes(SkBuff skb, PacketContext context) {
      if (isExempt(skb, context)) {
        return true;
      }
      ipv4.reversePath(skb, validMark ? skb.mark : 0, path);
      return isAllowed(path.type) && (loose || path.device == context.in);
    }

    /** What no route has to lead back to: loops, and who asks for its first address. */
    private static boolean isExempt(SkBuff skb, PacketContext context) {
      if (skb.pktType == SkBuff.PACKET_LOOPBACK || context.in.isLoopback()) {
        return true;
      }
      int destination = IpHeader.destination(skb);
      return Ip4.isZeroNet(IpHeader.source(skb))
          && (destination == -1 || (destination & 0xFFFFFF00) == 0xE0000000);
    }

    private boolean isAllowed(int type) {
      return type == Ipv4Operations.RTN_UNICAST || type == Ipv4Operations.RTN_LOCAL && acceptLocal;
    }

    @Override
    public String explain(SkBuff skb, PacketContext context) {
      if (isExempt(skb, context)) {
        return "a packet from "
            + Ip4.format(IpHeader.source(skb))
            + " to "
            + Ip4.format(IpHeader.destination(skb))
            + (context.in.isLoopback() ? " on " + context.in : "")
            + " needs no way back";
      }
      ipv4.reversePath(skb, validMark ? skb.mark : 0, path);
      String source = Ip4.format(IpHeader.source(skb));
      if (isAllowed(path.type)) {
        return "the way back to " + source + " leaves on " + path.device;
      }
      return switch (path.type) {
        case Ipv4Operations.RTN_LOCAL -> source + " is an address of this machine";
        case Ipv4Operations.RTN_UNSPEC -> "no route leads back to " + source;
        default -> source + " is no address of one machine";
      };
    }
  }
}
