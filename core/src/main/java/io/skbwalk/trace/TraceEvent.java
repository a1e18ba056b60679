// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.trace;

/**
 * One step of a packet's walk. Texts are for people, in present tense, without a final stop; names
 * are the kernel's. The same code that moves the packet makes these, only when somebody listens.
 */
public sealed interface TraceEvent {

  /**
   * A frame is about to be handled.
   *
   * @param frame number from 1
   * @param time nanoseconds since the epoch
   * @param device interface name
   * @param outgoing true when the machine itself sends it
   * @param summary one line: protocol, addresses, flags, length
   */
  record Frame(long frame, long time, String device, boolean outgoing, String summary)
      implements TraceEvent {}

  /** The interface looked at the frame: filter, check sequence, ring slot. */
  record Nic(String device, String text) implements TraceEvent {}

  /** The interrupt's top half ran. */
  record HardIrq(String device, String text) implements TraceEvent {}

  /** NET_RX_SOFTIRQ polled the device and built the packet. */
  record SoftIrq(String device, int polled, int budget, String text) implements TraceEvent {}

  /** An initcall ran at boot, such as inet_init at level 5 (fs). */
  record InitCall(int level, String function, String text) implements TraceEvent {}

  /**
   * A function of the path did its work.
   *
   * @param function the kernel's name, such as {@code ip_rcv}
   * @param text what it found and decided
   */
  record Step(String function, String text) implements TraceEvent {}

  /** A packet socket or raw socket got a copy, or a listening socket got the packet. */
  record Socket(String function, String socket, String text) implements TraceEvent {}

  /**
   * A routing decision.
   *
   * @param function ip_rcv_finish, ip_route_me_harder, ...
   * @param result local, forward, broadcast, multicast, unreachable, ...
   * @param text prefix, gateway, device, table and policy rule, as {@code ip route get} words them
   */
  record Route(String function, String result, String text) implements TraceEvent {}

  /** A netfilter hook begins. */
  record HookEnter(String hook, String in, String out) implements TraceEvent {}

  /**
   * A netfilter hook is done, with ACCEPT, DROP or QUEUE; not told when a function took the packet.
   */
  record HookLeave(String hook, String verdict) implements TraceEvent {}

  /** A hook function other than a table: conntrack, defrag, nat, confirm. */
  record HookStep(String hook, int priority, String name, String text) implements TraceEvent {}

  /** A table begins in a chain at a hook; {@code rules} is the number of rules of that chain. */
  record TableEnter(String table, String chain, int rules) implements TraceEvent {}

  /**
   * A rule matched.
   *
   * @param number from 1 in its chain
   * @param rule the rule as iptables-save prints it, without {@code -A CHAIN}
   * @param source file:line, or empty
   * @param target the target's name, empty when the rule has none
   */
  record RuleMatched(
      String table, String chain, int number, String rule, String source, String target)
      implements TraceEvent {}

  /** A rule did not match; {@code reason} is the first thing about it that failed. */
  record RuleMissed(
      String table, String chain, int number, String rule, String source, String reason)
      implements TraceEvent {}

  /**
   * What a match of the rule that just matched found, or what its target did besides changing the
   * packet.
   *
   * @param extension the name of the match or target
   */
  record Detail(String extension, String text) implements TraceEvent {}

  /** A rule jumped (or went, {@code goTo}) to a user chain. */
  record ChainEnter(String table, String chain, boolean goTo) implements TraceEvent {}

  /** A user chain ended or returned, to its caller {@code back}. */
  record ChainReturn(String table, String chain, String back) implements TraceEvent {}

  /** The end of a built-in chain: its policy decides. */
  record Policy(String table, String chain, String policy) implements TraceEvent {}

  /** The verdict of a table: ACCEPT, DROP, STOLEN, QUEUE. */
  record TableLeave(String table, String chain, String verdict) implements TraceEvent {}

  /** A field of the packet changed; {@code field} is lower case words such as {@code ttl}. */
  record Changed(String field, String before, String after) implements TraceEvent {}

  /** A LOG or TRACE target wrote this line. */
  record Log(String line) implements TraceEvent {}

  /** A new packet was made because of this one, by {@code function}; its events follow. */
  record Made(String function, String summary) implements TraceEvent {}

  /** A packet left on {@code device}; {@code index} from 1 among those sent there. */
  record Sent(String device, long index, String summary) implements TraceEvent {}

  /** A packet made by this machine is not sent, because the capture already has its answers. */
  record Withheld(String function) implements TraceEvent {}

  /** The packet was dropped; {@code reason} is SKB_DROP_REASON_ without its prefix. */
  record Dropped(String reason, String function) implements TraceEvent {}

  /** The packet waits: for its other fragments, for a neighbour's address. */
  record Queued(String function, String text) implements TraceEvent {}
}
