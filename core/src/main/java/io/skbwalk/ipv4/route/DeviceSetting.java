// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4.route;

/**
 * Plays the IPV4_DEVCONF_ numbers: the settings net.ipv4.conf.{all,default,IFACE}.NAME, with their
 * defaults in a fresh namespace of Linux 6.18 and how the value for all and the interface's own are
 * combined (include/linux/inetdevice.h).
 */
public enum DeviceSetting {
  /** Packets that are not for this machine are forwarded. */
  FORWARDING("forwarding", 0, Combination.OWN),
  /** Multicast packets are forwarded (by a multicast routing daemon only). */
  MC_FORWARDING("mc_forwarding", 0, Combination.BOTH, false),
  /** Directed broadcasts are forwarded. */
  BC_FORWARDING("bc_forwarding", 0, Combination.BOTH),
  /** ICMP redirects are heeded; see {@link InDevice#acceptsRedirects}. */
  ACCEPT_REDIRECTS("accept_redirects", 1, Combination.EITHER),
  /** ICMP redirects are heeded from known gateways only. */
  SECURE_REDIRECTS("secure_redirects", 1, Combination.EITHER),
  /** ICMP redirects are sent. */
  SEND_REDIRECTS("send_redirects", 1, Combination.EITHER),
  /** Several IP networks share the link. */
  SHARED_MEDIA("shared_media", 1, Combination.EITHER),
  /** Source validation by reverse path: 0 none, 1 strict, 2 loose. */
  RP_FILTER("rp_filter", 0, Combination.GREATER),
  /** Packets with a source route option are accepted. */
  ACCEPT_SOURCE_ROUTE("accept_source_route", 1, 0, Combination.BOTH),
  /** Packets from 0.0.0.0/8 are accepted for a bootp relay. */
  BOOTP_RELAY("bootp_relay", 0, Combination.BOTH),
  /** Impossible addresses are logged. */
  LOG_MARTIANS("log_martians", 0, Combination.EITHER),
  /** Packets with a source address of this machine are accepted. */
  ACCEPT_LOCAL("accept_local", 0, Combination.EITHER),
  /** Source validation looks at the packet's mark. */
  SRC_VALID_MARK("src_valid_mark", 0, Combination.EITHER),
  /** 127.0.0.0/8 is not treated as impossible. */
  ROUTE_LOCALNET("route_localnet", 0, Combination.EITHER),
  /** IP unicast in link-layer multicast or broadcast frames is dropped. */
  DROP_UNICAST_IN_L2_MULTICAST("drop_unicast_in_l2_multicast", 0, Combination.EITHER),
  /** ARP requests for addresses behind other interfaces are answered. */
  PROXY_ARP("proxy_arp", 0, Combination.EITHER),
  /** Proxy ARP answers to the same interface too (RFC 3069). */
  PROXY_ARP_PVLAN("proxy_arp_pvlan", 0, Combination.EITHER),
  /** Which interface may answer an ARP request is decided by the route back to the asker. */
  ARP_FILTER("arp_filter", 0, Combination.EITHER),
  /** Which source address ARP requests carry: 0 to 2. */
  ARP_ANNOUNCE("arp_announce", 0, Combination.GREATER),
  /** Which ARP requests are answered: 0 to 3, 8. */
  ARP_IGNORE("arp_ignore", 0, Combination.GREATER),
  /** Gratuitous ARP makes new entries: 0 no, 1 yes, 2 only when in a local subnet. */
  ARP_ACCEPT("arp_accept", 0, Combination.GREATER),
  /** Gratuitous ARP when the interface comes up; a modelled interface is always up. */
  ARP_NOTIFY("arp_notify", 0, Combination.GREATER),
  /** Neighbours are forgotten when the carrier is lost; it never is here. */
  ARP_EVICT_NOCARRIER("arp_evict_nocarrier", 1, Combination.BOTH),
  /** Gratuitous ARP frames are dropped. */
  DROP_GRATUITOUS_ARP("drop_gratuitous_arp", 0, Combination.EITHER),
  /** Proxy ARP between interfaces of the same medium. */
  MEDIUM_ID("medium_id", 0, Combination.OWN),
  /** Routes of interfaces without carrier are ignored; every interface has one here. */
  IGNORE_ROUTES_WITH_LINKDOWN("ignore_routes_with_linkdown", 0, Combination.EITHER),
  /** What becomes of secondary addresses when the primary goes; addresses do not go here. */
  PROMOTE_SECONDARIES("promote_secondaries", 0, Combination.EITHER),
  /** No IPsec policy; there is no IPsec here. */
  DISABLE_POLICY("disable_policy", 0, Combination.OWN),
  /** No IPsec encryption; there is no IPsec here. */
  DISABLE_XFRM("disable_xfrm", 0, Combination.OWN),
  /** A number for programs; the kernel does not use it. */
  TAG("tag", 0, Combination.OWN),
  /** IGMP version; reports are not modelled. */
  FORCE_IGMP_VERSION("force_igmp_version", 0, Combination.GREATER, false),
  /** Milliseconds; reports are not modelled. */
  IGMPV2_UNSOLICITED_REPORT_INTERVAL(
      "igmpv2_unsolicited_report_interval", 10_000, Combination.OWN, false),
  /** Milliseconds; reports are not modelled. */
  IGMPV3_UNSOLICITED_REPORT_INTERVAL(
      "igmpv3_unsolicited_report_interval", 1000, Combination.OWN, false);

  /** How {@code all} and the interface's own value act together. */
  enum Combination {
    /** IN_DEV_CONF_GET: the interface's own decides. */
    OWN,
    /** IN_DEV_ANDCONF: both must be set. */
    BOTH,
    /** IN_DEV_ORCONF: either is enough. */
    EITHER,
    /** IN_DEV_MAXCONF: the greater of the two. */
    GREATER
  }

  /** Last part of its sysctl name. */
  final String sysctl;

  final int initial;
  final int initialForAll;
  final Combination combination;

  /** False when only the default is modelled. */
  final boolean settable;

  DeviceSetting(String sysctl, int initial, Combination combination) {
    this(sysctl, initial, initial, combination, true);
  }

  DeviceSetting(String sysctl, int initial, int initialForAll, Combination combination) {
    this(sysctl, initial, initialForAll, combination, true);
  }

  DeviceSetting(String sysctl, int initial, Combination combination, boolean settable) {
    this(sysctl, initial, initial, combination, settable);
  }

  DeviceSetting(
      String sysctl, int initial, int initialForAll, Combination combination, boolean settable) {
    this.sysctl = sysctl;
    this.initial = initial;
    this.initialForAll = initialForAll;
    this.combination = combination;
    this.settable = settable;
  }
}
