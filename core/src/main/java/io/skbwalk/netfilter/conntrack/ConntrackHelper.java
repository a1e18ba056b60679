// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.HookPriority;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;

/**
 * Plays struct nf_conntrack_helper: reads the payload of connections that are given to it ({@code
 * -j CT --helper}) and announces the connections that they talk about.
 */
public abstract class ConntrackHelper {
  /** NF_CT_MAX_EXPECT_CLASSES. */
  public static final int MAX_EXPECT_CLASSES = 4;

  /**
   * Plays struct nf_conntrack_expect_policy: how many of a class one connection may expect at a
   * time, 0 for any number, and for how long.
   */
  public record Policy(int maxExpected, int timeoutSeconds) {}

  /** What {@code --helper} calls it. */
  public final String name;

  /** Number of the IP protocol that it is for. */
  public final int protocol;

  /** The connections that it works on. */
  protected final Conntrack conntrack;

  private final Policy[] policies;

  /** A helper; one policy for each class of expectations. */
  protected ConntrackHelper(Conntrack conntrack, String name, int protocol, Policy... policies) {
    this.conntrack = conntrack;
    this.name = name;
    this.protocol = protocol;
    this.policies = policies.clone();
  }

  /**
   * Plays the callback help: looks at a packet that is about to leave or to be delivered.
   *
   * @param offset of the transport header; how much of it is there is to be checked
   * @return a {@link io.skbwalk.netfilter.Verdict}
   */
  public abstract int help(Hook hook, SkBuff skb, int offset, int ct, int ctInfo);

  /** What it wants to remember of each connection. */
  public ConntrackHelp newHelp() {
    return new ConntrackHelp(this);
  }

  /** Plays the callback destroy: {@code ct} is about to go. */
  public void destroy(int ct) {}

  /** The policy of a class. */
  public final Policy policy(int expectClass) {
    return policies[expectClass];
  }

  /** Drops the packet and says why in the kernel's log. */
  protected final int drop(SkBuff skb, String reason) {
    conntrack.logHelper(skb, this, reason);
    return Verdict.DROP;
  }

  /** Plays pr_debug, for a traced packet. */
  protected final void step(Hook hook, SkBuff skb, String text) {
    skb.trace.on(
        new TraceEvent.HookStep(
            hook.name(), HookPriority.CONNTRACK_HELPER, "helper", name + ": " + text));
  }

  /** {@code expect} in words, such as {@code expecting it at 192.168.7.2:40000 for 300 s}. */
  protected final String expecting(ConntrackExpect expect, String what) {
    return "expecting "
        + what
        + (expect.maskSource == 0 ? "" : " from " + Ip4.format(expect.tuple.source))
        + " at "
        + Ip4.format(expect.tuple.destination)
        + ":"
        + expect.tuple.destinationPort
        + " for "
        + conntrack.expectations().timeoutSeconds(expect)
        + " s";
  }

  @Override
  public final String toString() {
    return name;
  }
}
