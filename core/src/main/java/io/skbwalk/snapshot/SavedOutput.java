// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.snapshot;

import java.util.List;

/** What is asked of a machine: a command, and the file that its output is saved in. */
public enum SavedOutput {
  /** The machine's name. */
  HOSTNAME("hostname.txt", "", "uname -n"),
  /** Interfaces and their addresses. */
  ADDRESSES("addr.json", "", "ip -N -j -d addr"),
  /** Routes of all tables. */
  ROUTES("route.json", "", "ip -4 -N -j -d route show table all"),
  /** Policy rules. */
  POLICY_RULES("rule.json", "", "ip -4 -N -j -d rule"),
  /** Neighbours. */
  NEIGHBOURS("neigh.json", "", "ip -4 -N -j -d neigh"),
  /** Settings. */
  SYSCTLS("sysctl.txt", "some settings are shown to root only", "sysctl -a"),
  /** What listens, by IPv4 and IPv6, and packet sockets. */
  SOCKETS(
      "ss.txt",
      "marks of sockets, and packet sockets, are shown to root only",
      "ss -H -l -n -p -e -O --inet-sockopt -t -u -w -0"),
  /** Rules of iptables-legacy. */
  LEGACY_RULES("iptables-legacy.v4", "rules are shown to root only", "iptables-legacy-save"),
  /** Rules of iptables-nft. */
  NFT_RULES("iptables-nft.v4", "rules are shown to root only", "iptables-nft-save"),
  /** Rules of an iptables that comes in one variant only. */
  ONLY_RULES("iptables.v4", "rules are shown to root only", "iptables-save"),
  /** Names of the tables of nftables: iptables-nft's, and others. */
  NFTABLES("nftables.txt", "rules are shown to root only", "nft list tables"),
  /** Sets of ipset. */
  IPSETS("ipset.save", "sets are shown to root only", "ipset save");

  /** Name of the file. */
  public final String file;

  /** Why root must ask; empty when anybody may. */
  public final String root;

  /** The command, as it is typed. */
  public final String command;

  SavedOutput(String file, String root, String command) {
    this.file = file;
    this.root = root;
    this.command = command;
  }

  /** The command's words. */
  public List<String> words() {
    return List.of(command.split(" "));
  }

  /** Without it there is no machine to speak of. */
  public boolean required() {
    return this == ADDRESSES || this == ROUTES;
  }
}
