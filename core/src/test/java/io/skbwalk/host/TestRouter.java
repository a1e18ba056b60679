// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.host;

import io.skbwalk.language.HostFile;

/** A router between the world (eth0) and a network of servers (eth1), with a few sockets. */
public final class TestRouter {
  /** It knows all neighbours, filters reverse paths and counts connections. */
  public static final HostDescription DESCRIPTION =
      HostFile.parse(
              "router.yaml",
              """
              assume-neighbours: true
              interfaces:
                eth0:
                  macaddress: "02:00:00:00:00:01"
                  addresses: [203.0.113.1/24]
                  routes:
                    - {to: default, via: 203.0.113.254}
                eth1:
                  macaddress: "02:00:00:00:01:01"
                  addresses: [192.168.7.1/24]
              sysctls:
                net.ipv4.ip_forward: 1
                net.ipv4.conf.all.rp_filter: 1
                net.netfilter.nf_conntrack_acct: 1
              sockets:
                - {protocol: tcp, port: 22}
                - {protocol: udp, port: 53}
                - {raw: true, protocol: icmp}
              """)
          .description();

  private TestRouter() {}
}
