// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack.helper;

import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackHelper;
import io.skbwalk.skb.IpHeader;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Plays nf_ct_helper_hash: the helpers that Linux has for IPv4, by name and protocol. */
public final class ConntrackHelpers {
  /**
   * One of them.
   *
   * @param make makes it for one machine; null where it is not modelled
   */
  private record Known(
      String name, int protocol, Function<Conntrack, ? extends ConntrackHelper> make) {}

  private static final List<Known> KNOWN =
      List.of(
          new Known("ftp", IpHeader.IPPROTO_TCP, FtpHelper::new),
          new Known("tftp", IpHeader.IPPROTO_UDP, TftpHelper::new),
          new Known("RAS", IpHeader.IPPROTO_UDP, null),
          new Known("Q.931", IpHeader.IPPROTO_TCP, null),
          new Known("amanda", IpHeader.IPPROTO_UDP, null),
          new Known("irc", IpHeader.IPPROTO_TCP, IrcHelper::new),
          new Known("netbios-ns", IpHeader.IPPROTO_UDP, null),
          new Known("pptp", IpHeader.IPPROTO_TCP, PptpHelper::new),
          new Known("sane", IpHeader.IPPROTO_TCP, null),
          new Known("sip", IpHeader.IPPROTO_TCP, ct -> new SipHelper(ct, IpHeader.IPPROTO_TCP)),
          new Known("sip", IpHeader.IPPROTO_UDP, ct -> new SipHelper(ct, IpHeader.IPPROTO_UDP)),
          new Known("snmp", IpHeader.IPPROTO_UDP, null));

  private final Conntrack conntrack;
  private final Map<Known, ConntrackHelper> made = new HashMap<>();

  /** Those of one machine; each is made when it is first asked for. */
  public ConntrackHelpers(Conntrack conntrack) {
    this.conntrack = conntrack;
  }

  /**
   * Plays __nf_conntrack_helper_find for a rule with that protocol, 0 for none.
   *
   * @return what is wrong with asking for it, for the user; null when nothing is
   */
  public static String refusal(String name, int protocol) {
    if (protocol == 0) {
      return "--helper " + name + " needs a protocol (-p), not inverted";
    }
    boolean exists = false;
    for (Known known : KNOWN) {
      if (known.name.equals(name)) {
        exists = true;
        if (known.protocol == protocol) {
          return known.make == null ? "the helper " + name + " is not modelled" : null;
        }
      }
    }
    return exists
        ? "no such helper: " + name + " is not for this protocol"
        : "no such helper: " + name;
  }

  /** Plays nf_conntrack_helper_try_module_get for a name and protocol that are not refused. */
  public ConntrackHelper find(String name, int protocol) {
    for (Known known : KNOWN) {
      if (known.protocol == protocol && known.name.equals(name)) {
        return made.computeIfAbsent(known, one -> one.make.apply(conntrack));
      }
    }
    throw new IllegalArgumentException("no such helper: " + name);
  }
}
