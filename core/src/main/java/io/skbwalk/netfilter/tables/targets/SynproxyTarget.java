// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.targets;

import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.synproxy.Synproxy;
import io.skbwalk.netfilter.synproxy.SynproxyInfo;
import io.skbwalk.netfilter.tables.Environment;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.PacketTarget;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.Target;
import io.skbwalk.netfilter.tables.TargetType;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;

/** Plays ipt_SYNPROXY: answers a SYN in the server's place, and asks the server once it is real. */
public record SynproxyTarget(SynproxyInfo info) implements Target {
  private static final long U32 = 0xFFFFFFFFL;

  /** {@code -j SYNPROXY}. */
  public static final TargetType TYPE =
      new TargetType(
          "SYNPROXY",
          "Answers SYNs with cookies in a server's place, and begins the connection to it once the client has acknowledged; INPUT and FORWARD, for untracked SYNs and invalid ACKs of protocol: tcp.",
          OptionSpec.flag("sack-perm").about("The servers take selective acknowledgements."),
          OptionSpec.flag("timestamp")
              .about(
                  "The servers take timestamps; needed for sack-perm, wscale and ecn, which are remembered in them."),
          OptionSpec.value("wscale").about("The servers' window scale.", "7"),
          OptionSpec.value("mss").about("The servers' maximum segment size, bytes.", "1460"),
          OptionSpec.flag("ecn").about("The servers take explicit congestion notification.")) {
        @Override
        public Target parse(Options options, int protocol) {
          int bits = 0;
          bits |= options.has("mss") ? SynproxyInfo.MSS : 0;
          bits |= options.has("wscale") ? SynproxyInfo.WSCALE : 0;
          bits |= options.has("sack-perm") ? SynproxyInfo.SACK_PERM : 0;
          bits |= options.has("timestamp") ? SynproxyInfo.TIMESTAMP : 0;
          bits |= options.has("ecn") ? SynproxyInfo.ECN : 0;
          // iptables takes 32 bits and keeps 8 and 16 of them.
          return new SynproxyTarget(
              new SynproxyInfo(
                  bits,
                  (int) options.number("wscale", 0, U32, 0) & 0xFF,
                  (int) options.number("mss", 0, U32, 0) & 0xFFFF));
        }
      };

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(info.has(SynproxyInfo.SACK_PERM) ? " --sack-perm" : "");
    out.append(info.has(SynproxyInfo.TIMESTAMP) ? " --timestamp" : "");
    if (info.has(SynproxyInfo.WSCALE)) {
      out.append(" --wscale ").append(info.windowScale());
    }
    if (info.has(SynproxyInfo.MSS)) {
      out.append(" --mss ").append(info.mss());
    }
    out.append(info.has(SynproxyInfo.ECN) ? " --ecn" : "");
  }

  @Override
  public String refusal(RulePlace place) {
    if (!place.isProtocol(IpHeader.IPPROTO_TCP)) {
      return "needs -p tcp";
    }
    return place.isReachedOutside(Hook.LOCAL_IN.bit | Hook.FORWARD.bit)
        ? "only in INPUT, FORWARD and chains called from there"
        : null;
  }

  @Override
  public boolean needsConntrack() {
    return true;
  }

  @Override
  public PacketTarget bind(Environment environment) {
    Synproxy synproxy =
        environment.perNet(
            Synproxy.class,
            () ->
                new Synproxy(
                    environment.net(),
                    environment.netfilter(),
                    environment.conntrack(),
                    environment.ipv4()));
    synproxy.use();
    return new Proxy(synproxy, info);
  }

  private record Proxy(Synproxy synproxy, SynproxyInfo info) implements PacketTarget {
    @Override
    public int target(SkBuff skb, PacketContext context) {
      int tcp = context.transport;
      if (Conntrack.badChecksum(skb, tcp, skb.tail - tcp, IpHeader.IPPROTO_TCP)) {
        return Verdict.DROP;
      }
      int verdict = synproxy.target(skb, tcp, info);
      return verdict < 0 ? CONTINUE : verdict;
    }

    @Override
    public void destroy() {
      synproxy.release();
    }
  }
}
