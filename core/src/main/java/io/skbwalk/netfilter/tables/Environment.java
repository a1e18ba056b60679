// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.netfilter.Ipv4Operations;
import io.skbwalk.netfilter.LogListener;
import io.skbwalk.netfilter.Netfilter;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.flow.FlowTable;
import io.skbwalk.netfilter.ipset.IpSets;
import io.skbwalk.netfilter.nat.NatEngine;
import io.skbwalk.skb.Net;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** What matches and targets of one machine may ask for (Linux reaches it through struct net). */
public final class Environment {
  private final Net net;
  private final Ipv4Operations ipv4;
  private final Conntrack conntrack;
  private final NatEngine nat;
  private final LogListener log;
  private final IpSets ipsets;
  private final Map<Class<?>, Object> perNet = new HashMap<>();
  private List<String> securityContexts = List.of();
  private Netfilter netfilter;
  private FlowTable flows;

  /** One machine's that has no sets of ipset. */
  public Environment(
      Net net, Ipv4Operations ipv4, Conntrack conntrack, NatEngine nat, LogListener log) {
    this(net, ipv4, conntrack, nat, log, new IpSets(net));
  }

  /**
   * One machine's.
   *
   * @param net clock, timers, randomness
   * @param ipv4 routes, answers; null only where no rule asks for them
   * @param conntrack the connections; null only where no rule asks for them
   * @param nat binds connections; null only where no rule asks for it
   * @param log who hears LOG and TRACE lines; null when nobody
   * @param ipsets the sets of ipset
   */
  public Environment(
      Net net,
      Ipv4Operations ipv4,
      Conntrack conntrack,
      NatEngine nat,
      LogListener log,
      IpSets ipsets) {
    this.net = net;
    this.ipv4 = ipv4;
    this.conntrack = conntrack;
    this.nat = nat;
    this.log = log;
    this.ipsets = ipsets;
  }

  /** Clock, timers, randomness. */
  public Net net() {
    return net;
  }

  /** Routes and answers. */
  public Ipv4Operations ipv4() {
    return ipv4;
  }

  /** The connections. */
  public Conntrack conntrack() {
    return conntrack;
  }

  /** Binds connections. */
  public NatEngine nat() {
    return nat;
  }

  /** Who hears LOG and TRACE lines; null when nobody. */
  public LogListener log() {
    return log;
  }

  /** The hooks, for who hangs functions of its own in. */
  public Netfilter netfilter() {
    return netfilter;
  }

  /** Sets the hooks. */
  public void setNetfilter(Netfilter netfilter) {
    this.netfilter = netfilter;
  }

  /** Who notes down what packets of connections meet; null for nobody. */
  public FlowTable flows() {
    return flows;
  }

  /** Sets who notes down what packets of connections meet. */
  public void setFlows(FlowTable flows) {
    this.flows = flows;
  }

  /** The sets of ipset. */
  public IpSets ipsets() {
    return ipsets;
  }

  /** What the SELinux policy knows; empty without SELinux. A packet's mark counts them from 1. */
  public List<String> securityContexts() {
    return securityContexts;
  }

  /** Sets what the SELinux policy knows. */
  public void setSecurityContexts(List<String> securityContexts) {
    this.securityContexts = List.copyOf(securityContexts);
  }

  /**
   * Plays net_generic: what all rules of one extension share on this machine; made when first asked
   * for.
   */
  public <T> T perNet(Class<T> type, Supplier<T> make) {
    return type.cast(perNet.computeIfAbsent(type, key -> make.get()));
  }
}
