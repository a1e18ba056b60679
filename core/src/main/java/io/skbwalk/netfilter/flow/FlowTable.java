// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.flow;

import io.skbwalk.device.NetDevice;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.Netfilter;
import io.skbwalk.netfilter.NfFlowHook;
import io.skbwalk.netfilter.NfHookOps;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackFlows;
import io.skbwalk.netfilter.conntrack.ConntrackInfo;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;
import io.skbwalk.skb.UdpHeader;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * Remembers what packets of established connections meet at the hooks. Linux has such a memory
 * (nf_flow_table), but with it packets pass rules by; here nothing shows: every counter, mark and
 * translation is what it would be, as with the megaflows of Open vSwitch.
 *
 * <p>The first packet of a direction that comes once the connection is established is judged as
 * always, and what happens is noted down, hook by hook: which entries of which tables matched it,
 * and that all it was asked for will be the same for the next packet (its tuple, interfaces, type
 * of service, marks, and its connection's state). A rule that asks for anything else, or remembers,
 * or changes the packet by more than its mark, is noted too: then the hook is asked every time.
 *
 * <pre>
 *   packet -&gt; hook -&gt; begin()  the connection's memo of this hook, and the packet like it?
 *                       yes: track it, count, translate; no function is asked
 *                       no:  all functions are asked; end() makes a memo of it
 * </pre>
 *
 * <p>Connection tracking itself sees every packet. When it finds that this one is not what was
 * expected, the functions behind it are asked as always.
 *
 * <p>Memos are shared by all connections that are treated alike, so there are few. Counters are
 * added up in them and brought to the rules by {@link #settle}.
 */
public final class FlowTable implements NfFlowHook {
  /** Memos, and decisions, that there may be; beyond that all functions are asked. */
  private static final int MOST = 8192;

  /** {@link ConntrackFlows#flow} of what is always judged anew. */
  private static final int NEVER = 0xFFFF;

  private static final int ID_BITS = 16;
  private static final int ID_MASK = (1 << ID_BITS) - 1;
  private static final int GENERATIONS = 1 << 15;
  private static final int RECORDING = -1;

  /** TCP flags that segments of an established connection may have beside ACK. */
  private static final int PSH_OR_FIN = TcpHeader.PSH | TcpHeader.FIN;

  private final Conntrack conntrack;
  private final ConntrackFlows connections;

  // By hook: how many functions there are, and where some of them are among them; -1 for none.
  private final int[] functions = new int[Hook.values().length];
  private final int[] trackAt = new int[Hook.values().length];
  private final int[] translateAt = new int[Hook.values().length];
  private final boolean[] confirms = new boolean[Hook.values().length];
  private final boolean[] unknown = new boolean[Hook.values().length];

  private boolean on = true;
  private int asked = -1;
  private int generation;

  private final Map<FlowMemo, FlowMemo> memos = new HashMap<>();
  private final Map<FlowDecision, FlowDecision> known = new HashMap<>();
  private FlowDecision[] decisions = new FlowDecision[64];
  private int used;
  private long repeated;

  // The packet of which is noted down what it meets, and what was known before.
  private SkBuff current;
  private int node;
  private int connmark;
  private boolean repeats;
  private FlowDecision base;
  private final FlowMemo draft = new FlowMemo();
  private final FlowDecision draftDecision = new FlowDecision();
  private final FlowDecision nothing = new FlowDecision();

  /** Hangs itself into a machine's hooks. */
  public FlowTable(Netfilter netfilter, Conntrack conntrack) {
    this.conntrack = conntrack;
    connections = conntrack.flows();
    netfilter.setFlows(this);
  }

  /** From now on every packet is judged anew, or (as at first) no longer. */
  public void set(boolean on) {
    forget();
    this.on = on;
  }

  /** The rules are others from now on: nothing is known any more. */
  public void forget() {
    settle();
    memos.clear();
    known.clear();
    Arrays.fill(decisions, null);
    used = 0;
    connections.clear();
    generation = (generation + 1) % GENERATIONS;
    current = null;
  }

  /** Makes the counters of all rules right. */
  public void settle() {
    for (FlowMemo memo : memos.keySet()) {
      memo.settle();
    }
  }

  /** How often a packet was not judged anew at a hook. */
  public long repeated() {
    return repeated;
  }

  @Override
  public void changed(Hook hook, NfHookOps[] ops) {
    forget();
    int at = hook.ordinal();
    functions[at] = ops.length;
    trackAt[at] = -1;
    translateAt[at] = -1;
    confirms[at] = false;
    unknown[at] = false;
    for (int i = 0; i < ops.length; i++) {
      switch (ops[i].role()) {
        case TRACK -> trackAt[at] = i;
        case TRANSLATE -> translateAt[at] = i;
        case CONFIRM -> confirms[at] = true;
        case OTHER -> unknown[at] = true;
        case TABLE, DEFRAGMENT -> {}
      }
    }
  }

  // ---- what is known --------------------------------------------------------------------------

  @Override
  public int begin(Hook hook, SkBuff skb, NetDevice in, NetDevice out) {
    if (hook == Hook.PRE_ROUTING || hook == Hook.LOCAL_OUT) {
      skb.flow = 0;
      return on && trackAt[hook.ordinal()] >= 0 ? first(hook, skb, in, out) : 0;
    }
    if (skb.flow <= 0 || skb.ct == 0) {
      return 0;
    }
    FlowDecision decision =
        skb.flow >>> ID_BITS == generation ? decisions[skb.flow & ID_MASK] : null;
    if (decision == null || skb.trace != null) {
      skb.flow = 0;
      return 0;
    }
    FlowMemo memo = decision.at[hook.ordinal()];
    if (memo == null) {
      open(hook, skb, in, out, decision, skb.ct << 1 | ConntrackInfo.direction(skb.ctInfo));
      return 0;
    }
    if (memo == FlowMemo.NEVER || !memo.isLike(skb, in, out) || !isExpected(memo, skb)) {
      return 0;
    }
    return repeat(memo, hook, skb);
  }

  /** A packet whose connection is not known yet. */
  private int first(Hook hook, SkBuff skb, NetDevice in, NetDevice out) {
    if (skb.trace != null || skb.ct != 0 || skb.ctInfo != 0 || skb.nfTrace) {
      return 0;
    }
    int found = find(skb);
    if (found == 0) {
      return 0;
    }
    int id = connections.flow(found);
    if (id == NEVER) {
      return 0;
    }
    FlowDecision decision = id == 0 ? nothing : decisions[id];
    FlowMemo memo = decision.at[hook.ordinal()];
    int ct = found >>> 1;
    if (memo == null) {
      if (connections.isSteady(ct)) {
        open(hook, skb, in, out, decision, found);
      }
      return 0;
    }
    if (memo == FlowMemo.NEVER || !memo.isLike(skb, in, out)) {
      return 0;
    }
    if (conntrack.status(ct) != memo.status || conntrack.mark(ct) != memo.connmark) {
      // It has become another connection to the rules, and will stay that.
      connections.setFlow(found, 0);
      return 0;
    }
    int verdict = connections.track(hook, skb, in, out, found);
    if (verdict != Verdict.ACCEPT || skb.ct != ct || !isExpected(memo, skb)) {
      memo.countBeforeTracking(skb);
      asked = verdict;
      return trackAt[hook.ordinal()];
    }
    skb.flow = generation << ID_BITS | id;
    return repeat(memo, hook, skb);
  }

  /** Finds the connection of a whole packet that does not begin or break it off; 0 for none. */
  private int find(SkBuff skb) {
    int ip = skb.networkHeader;
    if (skb.u8(ip) != 0x45 || IpHeader.isFragment(skb)) {
      return 0;
    }
    int transport = ip + IpHeader.MIN_LENGTH;
    int protocol = IpHeader.protocol(skb);
    if (protocol == IpHeader.IPPROTO_TCP) {
      if (skb.tail - transport < TcpHeader.MIN_LENGTH) {
        return 0;
      }
      if ((TcpHeader.flags(skb, transport) & ~PSH_OR_FIN) != TcpHeader.ACK) {
        return 0;
      }
    } else if (protocol != IpHeader.IPPROTO_UDP || skb.tail - transport < UdpHeader.LENGTH) {
      return 0;
    }
    return connections.find(skb, transport, protocol);
  }

  /** Does the packet's connection look as that did which the memo was noted down of? */
  private boolean isExpected(FlowMemo memo, SkBuff skb) {
    int ct = skb.ct;
    return skb.ctInfo == memo.ctInfo
        && conntrack.status(ct) == memo.status
        && conntrack.mark(ct) == memo.connmark;
  }

  private int repeat(FlowMemo memo, Hook hook, SkBuff skb) {
    repeated++;
    memo.count(skb);
    skb.mark = memo.markAfter;
    if (memo.translates && !conntrack.nat().mangle(hook, skb)) {
      asked = -1;
      return translateAt[hook.ordinal()];
    }
    if (confirms[hook.ordinal()]) {
      connections.deliverEvents(skb.ct);
    }
    return functions[hook.ordinal()];
  }

  @Override
  public int asked() {
    return asked;
  }

  // ---- what is noted down ---------------------------------------------------------------------

  private void open(
      Hook hook, SkBuff skb, NetDevice in, NetDevice out, FlowDecision base, int node) {
    boolean busy = current != null && current != skb && current.flow < 0;
    if (busy || used + 1 >= MOST || memos.size() >= MOST) {
      return;
    }
    current = skb;
    skb.flow = RECORDING;
    this.base = base;
    this.node = node;
    connmark = conntrack.mark(node >>> 1);
    repeats = !unknown[hook.ordinal()];
    draft.open(skb, in, out);
  }

  /**
   * An entry of a table has matched the packet of which is noted down what it meets.
   *
   * @param packets where it is counted
   * @param bytes likewise
   */
  public void matched(SkBuff skb, long[] packets, long[] bytes, int entry) {
    if (skb == current) {
      repeats &= draft.add(packets, bytes, entry, skb.ct != 0);
    }
  }

  /** Something asks or does what the next packet may not have in common with this one. */
  public void varies(SkBuff skb) {
    if (skb == current) {
      repeats = false;
    }
  }

  /** The rules of a table tell segments with ACK apart by their other flags. */
  public void tellsFlagsApart(SkBuff skb) {
    if (skb == current && IpHeader.protocol(skb) == IpHeader.IPPROTO_TCP) {
      draft.tellFlagsApart(skb);
    }
  }

  @Override
  public void end(Hook hook, SkBuff skb, NetDevice in, NetDevice out) {
    skb.flow = 0;
    if (skb != current) {
      return;
    }
    current = null;
    int ct = node >>> 1;
    if (skb.ct != ct
        || ConntrackInfo.direction(skb.ctInfo) != (node & 1)
        || !connections.isSteady(ct)) {
      return;
    }
    draft.ctInfo = skb.ctInfo;
    draft.status = conntrack.status(ct);
    draft.connmark = conntrack.mark(ct);
    draft.markAfter = skb.mark;
    draft.translates = translateAt[hook.ordinal()] >= 0 && conntrack.nat().changesAt(hook, skb);
    boolean reroutes = hook == Hook.LOCAL_OUT && (draft.translates || draft.changesMark());
    FlowMemo memo =
        repeats && !reroutes && connmark == draft.connmark ? shared(draft) : FlowMemo.NEVER;
    if (memo == FlowMemo.NEVER && trackAt[hook.ordinal()] >= 0) {
      connections.setFlow(node, NEVER);
      return;
    }
    FlowDecision decision = shared(base, hook, memo);
    connections.setFlow(node, decision.id);
    skb.flow = generation << ID_BITS | decision.id;
  }

  private FlowMemo shared(FlowMemo draft) {
    FlowMemo memo = memos.get(draft);
    if (memo == null) {
      memo = draft.copy();
      memos.put(memo, memo);
    }
    return memo;
  }

  private FlowDecision shared(FlowDecision base, Hook hook, FlowMemo memo) {
    draftDecision.become(base, hook, memo);
    FlowDecision decision = known.get(draftDecision);
    if (decision == null) {
      decision = draftDecision.copy(++used);
      known.put(decision, decision);
      if (used == decisions.length) {
        decisions = Arrays.copyOf(decisions, 2 * used);
      }
      decisions[used] = decision;
    }
    return decision;
  }
}
