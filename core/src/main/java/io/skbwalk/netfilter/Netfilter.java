// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter;

import io.skbwalk.device.NetDevice;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;
import java.util.Arrays;
import java.util.List;

/** Plays net/netfilter/core.c: the hook functions of one machine and their traversal. */
public final class Netfilter {
  private final Net net;
  private final NfQueues queues = new NfQueues();
  private NfCtHook conntrack;
  private LogListener log;
  private NfFlowHook flows;
  private final NfHookOps[][] entries = new NfHookOps[Hook.values().length][0];

  private final long[] entered = new long[Hook.values().length];
  private final long[] dropped = new long[Hook.values().length];

  /** A machine without hook functions. */
  public Netfilter(Net net) {
    this.net = net;
  }

  /** The programs that listen on queues. */
  public NfQueues queues() {
    return queues;
  }

  /** Sets nf_ct_hook; null while nothing tracks connections. */
  public void setConntrack(NfCtHook conntrack) {
    this.conntrack = conntrack;
  }

  /** Sets who knows what earlier packets met; null for nobody. */
  public void setFlows(NfFlowHook flows) {
    this.flows = flows;
    for (Hook hook : Hook.values()) {
      flows.changed(hook, entries[hook.ordinal()]);
    }
  }

  /** Sets who reads the kernel's log; null for nobody. */
  public void setLog(LogListener log) {
    this.log = log;
  }

  /** Who reads the kernel's log, null for nobody. */
  public LogListener log() {
    return log;
  }

  /** Packets that have come to {@code hook}. */
  public long entered(Hook hook) {
    return entered[hook.ordinal()];
  }

  /** Packets that a function at {@code hook} dropped. */
  public long dropped(Hook hook) {
    return dropped[hook.ordinal()];
  }

  /** Plays nf_ct_attach: see {@link NfCtHook#attach}. */
  public void attach(SkBuff made, SkBuff because) {
    if (conntrack != null && (because.ct != 0 || because.ctInfo != 0)) {
      conntrack.attach(made, because);
    }
  }

  /** Plays nf_copy: see {@link NfCtHook#copy}. */
  public void copyConntrack(SkBuff to, SkBuff from) {
    to.nfTrace = from.nfTrace;
    if (conntrack != null && (from.ct != 0 || from.ctInfo != 0)) {
      conntrack.copy(to, from);
    }
  }

  /** Plays nf_reset_ct: see {@link NfCtHook#reset}. */
  public void resetConntrack(SkBuff skb) {
    if (conntrack != null && (skb.ct != 0 || skb.ctInfo != 0)) {
      conntrack.reset(skb);
    }
  }

  /** Plays nf_ct_set_closing: see {@link NfCtHook#setClosing}. */
  public void setClosing(SkBuff skb) {
    if (conntrack != null && skb.ct != 0) {
      conntrack.setClosing(skb);
    }
  }

  /**
   * Plays nf_register_net_hook: {@code function} is asked at {@code hook} after those of a smaller
   * priority and after those of the same priority that were registered before it.
   */
  public void register(Hook hook, int priority, HookFunction function) {
    register(hook, priority, HookRole.OTHER, function);
  }

  /** The same for a function of which more is known. */
  public void register(Hook hook, int priority, HookRole role, HookFunction function) {
    NfHookOps[] old = entries[hook.ordinal()];
    int at = old.length;
    while (at > 0 && old[at - 1].priority() > priority) {
      at--;
    }
    NfHookOps[] longer = Arrays.copyOf(old, old.length + 1);
    System.arraycopy(old, at, longer, at + 1, old.length - at);
    longer[at] = new NfHookOps(hook, priority, role, function);
    change(hook, longer);
  }

  /** Plays nf_register_net_hooks. */
  public void register(List<NfHookOps> all) {
    all.forEach(ops -> register(ops.hook(), ops.priority(), ops.role(), ops.function()));
  }

  /** Plays nf_unregister_net_hooks: these functions are asked no more. */
  public void unregister(List<NfHookOps> all) {
    for (NfHookOps ops : all) {
      NfHookOps[] left =
          Arrays.stream(entries[ops.hook().ordinal()])
              .filter(entry -> entry.function() != ops.function())
              .toArray(NfHookOps[]::new);
      change(ops.hook(), left);
    }
  }

  private void change(Hook hook, NfHookOps[] functions) {
    entries[hook.ordinal()] = functions;
    if (flows != null) {
      flows.changed(hook, functions);
    }
  }

  /**
   * Plays NF_HOOK and nf_hook_slow: asks every function at {@code hook} in order and goes on with
   * {@code okfn} when all accept. Otherwise the packet is gone when this returns.
   */
  public void hook(Hook hook, SkBuff skb, NetDevice in, NetDevice out, OkFunction okfn) {
    entered[hook.ordinal()]++;
    NfHookOps[] functions = entries[hook.ordinal()];
    if (functions.length > 0) {
      int from = flows == null ? 0 : flows.begin(hook, skb, in, out);
      if (from < functions.length && !accepts(functions, from, hook, skb, in, out)) {
        return;
      }
      if (skb.flow < 0) {
        flows.end(hook, skb, in, out);
      }
    }
    okfn.ok(skb);
  }

  private boolean accepts(
      NfHookOps[] functions, int from, Hook hook, SkBuff skb, NetDevice in, NetDevice out) {
    if (skb.trace != null) {
      skb.trace.on(
          new TraceEvent.HookEnter(
              hook.name(), in == null ? "" : in.name, out == null ? "" : out.name));
    }
    DropReason reason = DropReason.NETFILTER_DROP;
    String dropper = "nf_hook_slow";
    int asked = from == 0 ? -1 : flows.asked();
    for (int i = from; i < functions.length; i++) {
      NfHookOps entry = functions[i];
      int verdict = asked < 0 ? entry.function().hook(hook, skb, in, out) : asked;
      asked = -1;
      if (Verdict.isQueue(verdict)) {
        boolean shares = conntrack != null && conntrack.sharesUnconfirmed(skb);
        verdict = queues.ask(verdict, entry.function(), hook, skb, in, out, shares);
        if (verdict == Verdict.DROP && queues.refused()) {
          reason = DropReason.NOT_SPECIFIED;
          dropper = "nf_queue";
        } else if (queues.answered()) {
          // The program's own call goes on with the rest of the hook.
          reason = DropReason.NOT_SPECIFIED;
          dropper = "nfqnl_reinject";
        }
      }
      if (verdict == Verdict.ACCEPT) {
        continue;
      }
      if (verdict == Verdict.STOP) {
        break;
      }
      if (verdict == Verdict.STOLEN) {
        return false;
      }
      if (skb.trace != null) {
        skb.trace.on(new TraceEvent.HookLeave(hook.name(), Verdict.name(verdict)));
      }
      dropped[hook.ordinal()]++;
      net.skbs.drop(skb, reason, dropper);
      return false;
    }
    if (skb.trace != null) {
      skb.trace.on(new TraceEvent.HookLeave(hook.name(), "ACCEPT"));
    }
    return true;
  }
}
