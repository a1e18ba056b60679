// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.HookPriority;
import java.util.List;

/** Plays struct xt_table: the five tables, in the order in which they are printed. */
public enum TableKind {
  /** iptable_raw. */
  RAW("raw", HookPriority.RAW, Hook.PRE_ROUTING, Hook.LOCAL_OUT),
  /** iptable_mangle. */
  MANGLE("mangle", HookPriority.MANGLE, Hook.values()),
  /** iptable_nat: asked by the NAT engine, not by the hooks. */
  NAT("nat", 0, Hook.PRE_ROUTING, Hook.LOCAL_IN, Hook.LOCAL_OUT, Hook.POST_ROUTING),
  /** iptable_filter. */
  FILTER("filter", HookPriority.FILTER, Hook.LOCAL_IN, Hook.FORWARD, Hook.LOCAL_OUT),
  /** iptable_security. */
  SECURITY("security", HookPriority.SECURITY, Hook.LOCAL_IN, Hook.FORWARD, Hook.LOCAL_OUT);

  /** The name behind {@code -t}. */
  public final String label;

  /** Where it stands among the functions of its hooks. */
  public final int priority;

  /** Its hooks, in order. */
  public final List<Hook> hooks;

  TableKind(String label, int priority, Hook... hooks) {
    this.label = label;
    this.priority = priority;
    this.hooks = List.of(hooks);
  }

  /** The table called {@code label}, or null. */
  public static TableKind of(String label) {
    for (TableKind kind : values()) {
      if (kind.label.equals(label)) {
        return kind;
      }
    }
    return null;
  }

  /** The hook whose built-in chain is {@code chain}, or null for a user chain's name. */
  public Hook hook(String chain) {
    for (Hook hook : hooks) {
      if (hook.chain.equals(chain)) {
        return hook;
      }
    }
    return null;
  }

  @Override
  public String toString() {
    return label;
  }
}
