// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.device.NetDevice;
import io.skbwalk.lib.SourceException;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.HookRole;
import io.skbwalk.netfilter.Netfilter;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.netfilter.nat.NatRules;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Plays net/ipv4/netfilter/ip_tables.c and iptable_*.c: the tables of one machine, hooked in where
 * each belongs. A table that no rule file names is not there.
 */
public final class IptTables {
  private final Environment environment;
  private RuleSet rules = RuleSet.EMPTY;
  private final Map<TableKind, Table> tables = new EnumMap<>(TableKind.class);
  private VerdictRecorder recorder;
  private boolean interprets;

  /** Plays struct xt_table, whose rules can be replaced while packets pass. */
  private static final class Table {
    CompiledTable current;
    boolean registered;

    int evaluate(Hook hook, SkBuff skb, NetDevice in, NetDevice out) {
      return current.evaluate(hook, skb, in, out);
    }
  }

  /**
   * Loads a rule set; counters start where it says.
   *
   * @throws SourceException when iptables or the kernel would refuse it
   */
  public IptTables(RuleSet rules, Environment environment) {
    this.environment = environment;
    replace(rules);
  }

  /**
   * Plays iptables-restore at run time (do_replace): each table that {@code later} names has its
   * rules and counters from now on, the others stay as they are. The new rules take hold of what
   * rules share (hashlimit's tables, recent's lists, estimators) before the old ones let go, so
   * that it survives; what belongs to one rule alone (limit's bucket, a quota) begins anew, even
   * when the rule is the same.
   *
   * <p>For {@code iptables-restore -n}, add the rules to those of {@link #counters}.
   *
   * @throws SourceException when iptables or the kernel would refuse a rule: its table stays as it
   *     was, and so do those after it
   */
  public void replace(RuleSet later) {
    replace(later, () -> {});
  }

  /**
   * The same.
   *
   * @param committed run after each table: one may need what the next does not
   */
  public void replace(RuleSet later, Runnable committed) {
    RuleCheck.check(later);
    for (RuleSet.Table rules : later.tables()) {
      CompiledTable compiled = new CompiledTable(rules, environment);
      Table table = tables.computeIfAbsent(rules.kind(), kind -> new Table());
      CompiledTable old = table.current;
      if (environment.flows() != null) {
        environment.flows().forget();
      }
      table.current = compiled;
      compiled.record(recorder);
      compiled.interpret(interprets);
      if (old != null) {
        old.destroy();
      }
      this.rules = this.rules.with(rules);
      committed.run();
    }
  }

  /** The rules as they were loaded. */
  public RuleSet rules() {
    return rules;
  }

  /** The rules with the counters as they stand now. */
  public RuleSet counters() {
    if (environment.flows() != null) {
      environment.flows().settle();
    }
    List<RuleSet.Table> now = new ArrayList<>();
    tables.values().forEach(table -> now.add(table.current.withCounters()));
    return RuleSet.of(now);
  }

  /** Must conntrack (and defragmentation before it) be active in this namespace? */
  public boolean needsConntrack() {
    return rules.needsConntrack();
  }

  /** Must fragments be put together before any rule sees them, tracked or not? */
  public boolean needsDefragmentation() {
    return rules.needsDefragmentation();
  }

  /** Tells {@code recorder} of every packet's rules from now on; null for nobody. */
  public void record(VerdictRecorder recorder) {
    this.recorder = recorder;
    chooseFlows();
    tables.values().forEach(table -> table.current.record(recorder));
  }

  /**
   * Asks rule after rule from now on, as the kernel does, or (as at first) only those that may
   * match. Nothing but the time it takes depends on it.
   */
  public void interpret(boolean on) {
    interprets = on;
    chooseFlows();
    tables.values().forEach(table -> table.current.interpret(on));
  }

  /** Who hears of every packet's rules hears nothing of packets that are not judged. */
  private void chooseFlows() {
    if (environment.flows() != null) {
      environment.flows().set(recorder == null && !interprets);
    }
  }

  /** The nat table for the NAT engine, or null when there is none. */
  public NatRules nat() {
    Table nat = tables.get(TableKind.NAT);
    return nat == null ? null : nat::evaluate;
  }

  /** Plays iptable_*_table_init: registers the tables in use, except nat, each once. */
  public void register(Netfilter netfilter) {
    tables.forEach(
        (kind, table) -> {
          if (kind == TableKind.NAT || table.registered) {
            return;
          }
          table.registered = true;
          for (Hook hook : kind.hooks) {
            if (kind == TableKind.MANGLE && hook == Hook.LOCAL_OUT) {
              netfilter.register(
                  hook,
                  kind.priority,
                  HookRole.TABLE,
                  (at, skb, in, out) -> mangleOut(table, skb, in, out));
            } else {
              netfilter.register(hook, kind.priority, HookRole.TABLE, table::evaluate);
            }
          }
        });
  }

  /** Plays ipt_mangle_out: a packet whose way may have changed is routed anew. */
  private int mangleOut(Table table, SkBuff skb, NetDevice in, NetDevice out) {
    int mark = skb.mark;
    int source = IpHeader.source(skb);
    int destination = IpHeader.destination(skb);
    int tos = IpHeader.tos(skb);
    int verdict = table.evaluate(Hook.LOCAL_OUT, skb, in, out);
    if (verdict == Verdict.DROP || verdict == Verdict.STOLEN) {
      return verdict;
    }
    boolean same =
        mark == skb.mark
            && source == IpHeader.source(skb)
            && destination == IpHeader.destination(skb)
            && tos == IpHeader.tos(skb);
    return same || environment.ipv4().routeMeHarder(skb) ? verdict : Verdict.DROP;
  }
}
