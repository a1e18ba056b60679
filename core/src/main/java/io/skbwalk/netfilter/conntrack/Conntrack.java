// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import static io.skbwalk.netfilter.conntrack.ConntrackInfo.IP_CT_ESTABLISHED;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.IP_CT_ESTABLISHED_REPLY;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.IP_CT_NEW;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.IP_CT_RELATED;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.IP_CT_RELATED_REPLY;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.IP_CT_UNTRACKED;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.ORIGINAL;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.REPLY;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_ASSURED;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_CONFIRMED;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_DYING;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_EXPECTED;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_FIXED_TIMEOUT;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_NAT_CLASH;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_SEEN_REPLY;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_SRC_NAT_DONE;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_TEMPLATE;

import io.skbwalk.kernel.Clock;
import io.skbwalk.lib.Checksum;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.HookPriority;
import io.skbwalk.netfilter.Ipv4Operations;
import io.skbwalk.netfilter.Netfilter;
import io.skbwalk.netfilter.NfCtHook;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.skb.IcmpHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;

/**
 * Plays net/netfilter/nf_conntrack_core.c: the connections of one machine.
 *
 * <p>An entry is an {@code int} handle, 0 for none; {@code SkBuff.ct} holds one, and with it a
 * reference. An entry that is not confirmed is not in the table and vanishes with its packet. Most
 * accessors take the handle and a direction, {@link ConntrackInfo#ORIGINAL} or {@link
 * ConntrackInfo#REPLY}. Addresses are {@link io.skbwalk.lib.Ip4} ints, ports 0 to 65535.
 *
 * <p>The host calls {@link #advanceTo} before each frame, {@link #enable} when a rule needs
 * tracking, and {@link #put} for each packet that is freed.
 */
public final class Conntrack implements NfCtHook {
  /** Zone directions of a zone for both, NF_CT_DEFAULT_ZONE_DIR. */
  public static final int ZONE_DIR_BOTH = 3;

  /** NF_CT_ZONE_DIR_ORIG: the zone is that of the original direction only. */
  public static final int ZONE_DIR_ORIGINAL = 1;

  /** NF_CT_ZONE_DIR_REPL: the zone is that of the reply direction only. */
  public static final int ZONE_DIR_REPLY = 2;

  private static final int META_ZONE_SHIFT = 8;
  private static final int META_DIR_SHIFT = 24;
  private static final int META_ZONE_FROM_MARK = 1 << 26;
  private static final int META_ACCT = 1 << 27;
  private static final int META_EVENTS = 1 << 28;
  private static final int META_START = 1 << 29;

  private static final long NANOS_PER_TICK = Clock.SECOND / Clock.HZ;

  /** NF_CT_EVICTION_RANGE: chains that early_drop looks at. */
  private static final int EVICTION_RANGE = 8;

  private static final int IPPROTO_GRE = 47;
  private static final int IPPROTO_ICMPV6 = 58;
  private static final int IPPROTO_SCTP = 132;
  private static final int IPPROTO_UDPLITE = 136;

  final Net net;
  final ConntrackSysctls sysctls;
  final ConntrackMemory memory = new ConntrackMemory();
  private final TupleHash table = new TupleHash();
  private final SourceHash bySource = new SourceHash();
  private final ExpiryWheel wheel;
  private final ExpiryWheel.Expired whenExpired = this::expired;
  private final Netfilter netfilter;
  private final ConntrackTuple packetTuple = new ConntrackTuple();
  private final ConntrackTuple replyTuple = new ConntrackTuple();
  private final ConntrackTuple innerTuple = new ConntrackTuple();
  private final TcpTracker tcp = new TcpTracker(this);
  private final UdpTracker udp = new UdpTracker(this);
  private final IcmpTracker icmp = new IcmpTracker(this);
  private final GreTracker gre = new GreTracker(this);
  private final SctpTracker sctp = new SctpTracker(this);
  private ConntrackEventListener listener;
  private Ipv4Operations ipv4;
  private boolean enabled;
  private int count;
  private boolean tableFull;

  /** Why the packet at hand is invalid, as the kernel logs it; kept only for a traced packet. */
  private String invalid;

  private final class TupleHash extends LinearHash {
    @Override
    int next(int node) {
      return memory.get(node >>> 1, ConntrackMemory.NEXT_ORIGINAL + (node & 1));
    }

    @Override
    void setNext(int node, int next) {
      memory.set(node >>> 1, ConntrackMemory.NEXT_ORIGINAL + (node & 1), next);
    }

    @Override
    int hash(int node) {
      return hashOf(node >>> 1, node & 1);
    }
  }

  private final class SourceHash extends LinearHash {
    @Override
    int next(int node) {
      return memory.get(node, ConntrackMemory.NEXT_BY_SOURCE);
    }

    @Override
    void setNext(int node, int next) {
      memory.set(node, ConntrackMemory.NEXT_BY_SOURCE, next);
    }

    @Override
    int hash(int node) {
      return hashBySource(
          protocol(node), source(node, ORIGINAL), sourcePort(node, ORIGINAL), zone(node, ORIGINAL));
    }
  }

  /** The tracking of a machine, off until {@link #enable}; registers its sysctls. */
  public Conntrack(Net net, Netfilter netfilter) {
    this.net = net;
    this.netfilter = netfilter;
    sysctls = new ConntrackSysctls(net.sysctls, () -> count);
    wheel = new ExpiryWheel(memory, net.clock.jiffies());
  }

  /** Sets who puts fragments together; without it {@link #enable} leaves fragments as they are. */
  public void setIpv4(Ipv4Operations ipv4) {
    this.ipv4 = ipv4;
  }

  /**
   * Plays nf_ct_netns_get: hangs the hook functions in, once, those of reassembly (nf_defrag_ipv4)
   * too.
   */
  public void enable() {
    if (enabled) {
      return;
    }
    enabled = true;
    netfilter.setConntrack(this);
    if (ipv4 != null) {
      new NfDefrag(this, ipv4).enable(netfilter);
    }
    netfilter.register(
        Hook.PRE_ROUTING, HookPriority.CONNTRACK, (hook, skb, in, out) -> in(hook, skb));
    netfilter.register(
        Hook.LOCAL_OUT, HookPriority.CONNTRACK, (hook, skb, in, out) -> local(hook, skb));
    netfilter.register(
        Hook.POST_ROUTING,
        HookPriority.CONNTRACK_CONFIRM,
        (hook, skb, in, out) -> confirm(hook, skb));
    netfilter.register(
        Hook.LOCAL_IN, HookPriority.CONNTRACK_CONFIRM, (hook, skb, in, out) -> confirm(hook, skb));
  }

  /** Is tracking on? */
  public boolean enabled() {
    return enabled;
  }

  /** Who is told of events; null for nobody. Entries made while nobody listens stay silent. */
  public void setEventListener(ConntrackEventListener listener) {
    this.listener = listener;
  }

  /**
   * Runs out every entry due at or before {@code nanos}, in order, with its DESTROY event; the
   * clock moves to each one's time.
   */
  public void advanceTo(long nanos) {
    wheel.advanceTo(nanos / NANOS_PER_TICK, whenExpired);
  }

  private void expired(int handle) {
    net.clock.advanceTo(wheel.tick() * NANOS_PER_TICK);
    delete(handle);
  }

  // ---- accessors --------------------------------------------------------------------------------

  /** nf_conntrack_count: entries, unconfirmed ones too. */
  public int count() {
    return count;
  }

  /** IP protocol number. */
  public int protocol(int ct) {
    return memory.get(ct, ConntrackMemory.META) & 0xFF;
  }

  /** Source address of a direction's tuple. */
  public int source(int ct, int direction) {
    return memory.get(ct, direction * 3);
  }

  /** Destination address of a direction's tuple. */
  public int destination(int ct, int direction) {
    return memory.get(ct, direction * 3 + ConntrackMemory.DESTINATION);
  }

  /** Source port (ICMP: identifier) of a direction's tuple. */
  public int sourcePort(int ct, int direction) {
    return memory.get(ct, direction * 3 + ConntrackMemory.PORTS) >>> 16;
  }

  /** Destination port (ICMP: type times 256 plus code) of a direction's tuple. */
  public int destinationPort(int ct, int direction) {
    return memory.get(ct, direction * 3 + ConntrackMemory.PORTS) & 0xFFFF;
  }

  /** ICMP type of a direction's tuple. */
  public int icmpType(int ct, int direction) {
    return destinationPort(ct, direction) >>> 8;
  }

  /** ICMP code of a direction's tuple. */
  public int icmpCode(int ct, int direction) {
    return destinationPort(ct, direction) & 0xFF;
  }

  /** ICMP identifier of a direction's tuple. */
  public int icmpId(int ct, int direction) {
    return sourcePort(ct, direction);
  }

  /** Plays nf_ct_tuple: fills {@code tuple} with a direction's. */
  public void tuple(int ct, int direction, ConntrackTuple tuple) {
    int[] words = memory.chunk(ct);
    int at = ConntrackMemory.offset(ct);
    tuple.source = words[at + direction * 3];
    tuple.destination = words[at + direction * 3 + ConntrackMemory.DESTINATION];
    tuple.ports(words[at + direction * 3 + ConntrackMemory.PORTS]);
    tuple.protocol = words[at + ConntrackMemory.META] & 0xFF;
  }

  private void setTuple(int ct, int direction, ConntrackTuple tuple) {
    int[] words = memory.chunk(ct);
    int at = ConntrackMemory.offset(ct) + direction * 3;
    words[at] = tuple.source;
    words[at + ConntrackMemory.DESTINATION] = tuple.destination;
    words[at + ConntrackMemory.PORTS] = tuple.ports();
  }

  /**
   * Plays nf_conntrack_alter_reply: NAT has chosen the reply tuple of an unconfirmed entry.
   *
   * @throws IllegalStateException when the entry is in the table already
   */
  public void setReplyTuple(int ct, ConntrackTuple tuple) {
    if (has(ct, IPS_CONFIRMED)) {
      throw new IllegalStateException("the reply tuple of a confirmed entry cannot change");
    }
    setTuple(ct, REPLY, tuple);
  }

  /** The bits of {@link ConntrackStatus}. */
  public int status(int ct) {
    return memory.get(ct, ConntrackMemory.STATUS);
  }

  /** Is any of {@code bits} set? */
  public boolean has(int ct, int bits) {
    return (memory.get(ct, ConntrackMemory.STATUS) & bits) != 0;
  }

  /** Sets {@code bits} too. */
  public void addStatus(int ct, int bits) {
    memory.set(ct, ConntrackMemory.STATUS, memory.get(ct, ConntrackMemory.STATUS) | bits);
  }

  /** Clears {@code bits}. */
  public void clearStatus(int ct, int bits) {
    memory.set(ct, ConntrackMemory.STATUS, memory.get(ct, ConntrackMemory.STATUS) & ~bits);
  }

  /** The connection's mark. */
  public int mark(int ct) {
    return memory.get(ct, ConntrackMemory.MARK);
  }

  /** Sets the mark as CONNMARK does: an event when it changes. */
  public void setMark(int ct, int mark) {
    if (memory.get(ct, ConntrackMemory.MARK) != mark) {
      memory.set(ct, ConntrackMemory.MARK, mark);
      cacheEvent(ct, ConntrackEvents.MARK);
    }
  }

  /** Plays nf_ct_zone_id: the zone that a direction's tuple lies in; 0 by default. */
  public int zone(int ct, int direction) {
    int meta = memory.get(ct, ConntrackMemory.META);
    return (meta >>> META_DIR_SHIFT & 1 << direction) == 0 ? 0 : meta >>> META_ZONE_SHIFT & 0xFFFF;
  }

  /** The zone as it was assigned, whichever directions it holds for. */
  public int zoneId(int ct) {
    return memory.get(ct, ConntrackMemory.META) >>> META_ZONE_SHIFT & 0xFFFF;
  }

  /** ZONE_DIR_ bits: the directions that {@link #zoneId} holds for. */
  public int zoneDirections(int ct) {
    return memory.get(ct, ConntrackMemory.META) >>> META_DIR_SHIFT & ZONE_DIR_BOTH;
  }

  /** Plays nf_ct_expires: ticks of {@link Clock#HZ} until it runs out, at least 0. */
  public int expires(int ct) {
    int ticks = memory.get(ct, ConntrackMemory.TIMEOUT);
    if (has(ct, IPS_CONFIRMED)) {
      ticks -= (int) net.clock.jiffies();
    }
    return Math.max(ticks, 0);
  }

  /** Whole seconds until it runs out, as conntrack -L prints them. */
  public int timeoutSeconds(int ct) {
    return expires(ct) / Clock.HZ;
  }

  /** The connection that expected this one, 0 for none. */
  public int master(int ct) {
    return memory.get(ct, ConntrackMemory.MASTER);
  }

  /** The protocol's state: TCP and SCTP by the kernel's numbers; 0 for others. */
  public int protocolState(int ct) {
    int protocol = protocol(ct);
    if (protocol == IpHeader.IPPROTO_TCP) {
      return TcpTracker.state(memory, ct);
    }
    return protocol == IPPROTO_SCTP ? SctpTracker.state(memory, ct) : 0;
  }

  /** The name of {@link #protocolState}, such as SYN_SENT; empty for protocols without states. */
  public String protocolStateName(int ct) {
    int protocol = protocol(ct);
    if (protocol == IpHeader.IPPROTO_TCP) {
      return TcpTracker.NAMES[TcpTracker.state(memory, ct)];
    }
    return protocol == IPPROTO_SCTP ? SctpTracker.NAMES[SctpTracker.state(memory, ct)] : "";
  }

  /** td_end: behind the last sequence number that a side of a TCP connection has sent. */
  public int tcpEnd(int ct, int direction) {
    return TcpTracker.end(memory, ct, direction);
  }

  /** Does the entry count (nf_conntrack_acct was on when it was made)? */
  public boolean accounted(int ct) {
    return (memory.get(ct, ConntrackMemory.META) & META_ACCT) != 0;
  }

  /** Packets of a direction; 0 when not {@link #accounted}. */
  public long packets(int ct, int direction) {
    return accounted(ct) ? memory.packets(ct, direction) : 0;
  }

  /** Bytes of a direction, from the IP header on; 0 when not {@link #accounted}. */
  public long bytes(int ct, int direction) {
    return accounted(ct) ? memory.bytes(ct, direction) : 0;
  }

  /** When it was confirmed, nanoseconds since the epoch; 0 without nf_conntrack_timestamp. */
  public long start(int ct) {
    return (memory.get(ct, ConntrackMemory.META) & META_START) != 0 ? memory.start(ct) : 0;
  }

  /** References: 1 of the table and 1 of each packet. */
  public int use(int ct) {
    return memory.get(ct, ConntrackMemory.REFERENCES) & 0xFFFF;
  }

  /** Index of the interface that MASQUERADE chose the address of, 0 for none. */
  public int masqueradeIndex(int ct) {
    return memory.get(ct, ConntrackMemory.MASQUERADE_INDEX);
  }

  /** See {@link #masqueradeIndex}. */
  public void setMasqueradeIndex(int ct, int ifindex) {
    memory.set(ct, ConntrackMemory.MASQUERADE_INDEX, ifindex);
  }

  /** The first confirmed entry for a listing, 0 for none; go on with {@link #next}. */
  public int first() {
    return next(0);
  }

  /**
   * The confirmed entry after {@code ct}, 0 at the end. Entries that lost a clash are not listed,
   * as in Linux. Entries may be deleted meanwhile.
   */
  public int next(int ct) {
    for (int at = ct + 1; at <= memory.highest(); at++) {
      if (use(at) != 0
          && (status(at) & (IPS_CONFIRMED | IPS_DYING | IPS_NAT_CLASH)) == IPS_CONFIRMED) {
        return at;
      }
    }
    return 0;
  }

  // ---- references -------------------------------------------------------------------------------

  /** Plays nf_conntrack_get. */
  public void get(int ct) {
    memory.set(ct, ConntrackMemory.REFERENCES, memory.get(ct, ConntrackMemory.REFERENCES) + 1);
  }

  /** Plays nf_ct_put: gives a reference back; the last one frees the entry. */
  public void put(int ct) {
    int references = memory.get(ct, ConntrackMemory.REFERENCES) - 1;
    memory.set(ct, ConntrackMemory.REFERENCES, references);
    if ((references & 0xFFFF) == 0) {
      free(ct);
    }
  }

  /**
   * Plays skb_release of _nfct: the packet gives its reference back and is not tracked any more.
   */
  public void put(SkBuff skb) {
    int ct = skb.ct;
    skb.ct = 0;
    skb.ctInfo = 0;
    if (ct != 0) {
      put(ct);
    }
  }

  /** Plays nf_ct_set with a reference taken: the packet belongs to {@code ct}. */
  public void set(SkBuff skb, int ct, int ctInfo) {
    get(ct);
    skb.ct = ct;
    skb.ctInfo = (byte) ctInfo;
  }

  /** Plays NOTRACK: the packet is deliberately not tracked. */
  public void untrack(SkBuff skb) {
    put(skb);
    skb.ctInfo = IP_CT_UNTRACKED;
  }

  /**
   * Plays nf_conntrack_attach. The answer to an untracked packet is tracked as if it came from
   * nowhere.
   */
  @Override
  public void attach(SkBuff made, SkBuff because) {
    if (because.ct == 0) {
      return;
    }
    set(
        made,
        because.ct,
        ConntrackInfo.direction(because.ctInfo) == ORIGINAL ? IP_CT_RELATED_REPLY : IP_CT_RELATED);
  }

  @Override
  public void copy(SkBuff to, SkBuff from) {
    put(to);
    if (from.ct != 0) {
      get(from.ct);
    }
    to.ct = from.ct;
    to.ctInfo = from.ctInfo;
  }

  @Override
  public void setClosing(SkBuff skb) {
    if (skb.ct != 0 && protocol(skb.ct) == IpHeader.IPPROTO_TCP) {
      tcp.setClosing(skb.ct);
    }
  }

  /**
   * Plays nf_ct_tmpl_alloc: a template for the CT target, with one reference for its rule.
   *
   * @param directions ZONE_DIR_ bits
   * @param zoneFromMark the zone is the packet's mark (CT --zone mark)
   */
  public int allocateTemplate(int zone, int directions, boolean zoneFromMark) {
    int ct = memory.allocate();
    memory.set(
        ct,
        ConntrackMemory.META,
        (zone & 0xFFFF) << META_ZONE_SHIFT
            | directions << META_DIR_SHIFT
            | (zoneFromMark ? META_ZONE_FROM_MARK : 0));
    memory.set(ct, ConntrackMemory.STATUS, IPS_TEMPLATE);
    get(ct);
    return ct;
  }

  private void free(int ct) {
    int status = status(ct);
    if ((status & IPS_SRC_NAT_DONE) != 0) {
      bySource.remove(ct, bySource.hash(ct));
    }
    if ((status & IPS_TEMPLATE) == 0) {
      count--;
    }
    int master = master(ct);
    // next() and stale accessors must see that nothing is here.
    memory.set(ct, ConntrackMemory.STATUS, 0);
    memory.set(ct, ConntrackMemory.REFERENCES, 0);
    memory.free(ct);
    if (master != 0) {
      put(master);
    }
  }

  /** Plays nf_ct_delete and nf_ct_kill: out of the table at once, with a DESTROY event. */
  public boolean delete(int ct) {
    int status = status(ct);
    if ((status & IPS_DYING) != 0) {
      return false;
    }
    addStatus(ct, IPS_DYING);
    if ((status & IPS_CONFIRMED) != 0) {
      report(ct, ConntrackEvents.DESTROY);
      wheel.remove(ct);
      if ((status & IPS_NAT_CLASH) == 0) {
        table.remove(ct << 1, hashOf(ct, ORIGINAL));
      }
      table.remove(ct << 1 | 1, hashOf(ct, REPLY));
      put(ct);
    }
    return true;
  }

  /** Plays nf_ct_kill_acct: counts the packet, then {@link #delete}. */
  public boolean killAccounted(int ct, int ctInfo, SkBuff skb) {
    account(ct, ConntrackInfo.direction(ctInfo), skb.length());
    return delete(ct);
  }

  // ---- lookup -----------------------------------------------------------------------------------

  private static int mix(int source, int destination, int ports, int rest) {
    long x = ((long) source << 32 | destination & 0xFFFFFFFFL) * 0x9E3779B97F4A7C15L;
    x ^= x >>> 32;
    x = (x + ((long) ports << 32 | rest & 0xFFFFFFFFL)) * 0xBF58476D1CE4E5B9L;
    x ^= x >>> 29;
    return (int) (x * 0x94D049BB133111EBL >>> 32);
  }

  private static int hash(ConntrackTuple tuple, int zone) {
    return mix(tuple.source, tuple.destination, tuple.ports(), tuple.protocol << 16 | zone);
  }

  private int hashOf(int ct, int direction) {
    int[] words = memory.chunk(ct);
    int base = ConntrackMemory.offset(ct);
    int at = base + direction * 3;
    return mix(
        words[at],
        words[at + ConntrackMemory.DESTINATION],
        words[at + ConntrackMemory.PORTS],
        (words[base + ConntrackMemory.META] & 0xFF) << 16 | zone(ct, direction));
  }

  private static int hashBySource(int protocol, int source, int port, int zone) {
    return mix(source, 0, port, protocol << 16 | zone);
  }

  private static int zoneOf(int zone, int directions, int direction) {
    return (directions & 1 << direction) == 0 ? 0 : zone;
  }

  /**
   * Plays nf_conntrack_find_get without taking a reference: the entry one of whose tuples is {@code
   * tuple} in the zone.
   *
   * @param directions ZONE_DIR_ bits of {@code zone}
   * @return handle times 2 plus direction, 0 for none
   */
  public int find(ConntrackTuple tuple, int zone, int directions) {
    int originalZone = zoneOf(zone, directions, ORIGINAL);
    int replyZone = zoneOf(zone, directions, REPLY);
    int node = find(tuple, originalZone, originalZone, replyZone);
    if (node == 0 && originalZone != replyZone) {
      node = find(tuple, replyZone, originalZone, replyZone);
    }
    return node;
  }

  private int find(ConntrackTuple tuple, int hashZone, int originalZone, int replyZone) {
    int ports = tuple.ports();
    int node = table.head(table.bucket(hash(tuple, hashZone)));
    while (node != 0) {
      int ct = node >>> 1;
      int[] words = memory.chunk(ct);
      int base = ConntrackMemory.offset(ct);
      int next = words[base + ConntrackMemory.NEXT_ORIGINAL + (node & 1)];
      int at = base + (node & 1) * 3;
      if (words[at] == tuple.source
          && words[at + ConntrackMemory.DESTINATION] == tuple.destination
          && words[at + ConntrackMemory.PORTS] == ports
          && (words[base + ConntrackMemory.META] & 0xFF) == tuple.protocol
          && zone(ct, node & 1) == ((node & 1) == 0 ? originalZone : replyZone)) {
        if (isExpired(ct)) {
          // Only a timeout of no time at all gets here: the wheel turns tick by tick.
          delete(ct);
          return find(tuple, hashZone, originalZone, replyZone);
        }
        return node;
      }
      node = next;
    }
    return 0;
  }

  private boolean isExpired(int ct) {
    return memory.get(ct, ConntrackMemory.TIMEOUT) - (int) net.clock.jiffies() <= 0;
  }

  /**
   * Plays nf_conntrack_tuple_taken: would {@code tuple} as reply tuple of {@code ct} clash with
   * another entry? Entries with the very same original tuple do not count: clash resolution merges
   * them.
   */
  public boolean tupleTaken(ConntrackTuple tuple, int ct) {
    int replyZone = zone(ct, REPLY);
    int originalZone = zone(ct, ORIGINAL);
    int ports = tuple.ports();
    int node = table.head(table.bucket(hash(tuple, replyZone)));
    while (node != 0) {
      int other = node >>> 1;
      int direction = node & 1;
      node = table.next(node);
      if (other == ct
          || source(other, direction) != tuple.source
          || destination(other, direction) != tuple.destination
          || memory.get(other, direction * 3 + ConntrackMemory.PORTS) != ports
          || protocol(other) != tuple.protocol
          || zone(other, direction) != (direction == ORIGINAL ? originalZone : replyZone)) {
        continue;
      }
      if (isExpired(other)) {
        delete(other);
        return tupleTaken(tuple, ct);
      }
      if (sameTuple(other, ct, ORIGINAL) && zone(other, ORIGINAL) == originalZone) {
        continue;
      }
      return true;
    }
    return false;
  }

  private boolean sameTuple(int a, int b, int direction) {
    return sameTuple(a, direction, b, direction);
  }

  private boolean sameTuple(int a, int directionOfA, int b, int directionOfB) {
    return source(a, directionOfA) == source(b, directionOfB)
        && destination(a, directionOfA) == destination(b, directionOfB)
        && memory.get(a, directionOfA * 3 + ConntrackMemory.PORTS)
            == memory.get(b, directionOfB * 3 + ConntrackMemory.PORTS)
        && protocol(a) == protocol(b);
  }

  /**
   * Puts an entry into nf_nat_bysource, first in its chain; once, when SRC_NAT_DONE is about to be
   * set. It leaves by itself when it is freed.
   */
  public void linkBySource(int ct) {
    bySource.insert(ct, bySource.hash(ct));
  }

  /**
   * The newest entry in nf_nat_bysource whose original tuple has this source, protocol and zone; 0
   * for none.
   */
  public int firstBySource(int protocol, int source, int port, int zone) {
    int ct = bySource.head(bySource.bucket(hashBySource(protocol, source, port, zone)));
    while (ct != 0 && !isSource(ct, protocol, source, port, zone)) {
      ct = bySource.next(ct);
    }
    return ct;
  }

  /** The one after {@code ct} with the same source, protocol and zone; 0 for none. */
  public int nextBySource(int ct) {
    int next = bySource.next(ct);
    while (next != 0
        && !isSource(
            next,
            protocol(ct),
            source(ct, ORIGINAL),
            sourcePort(ct, ORIGINAL),
            zone(ct, ORIGINAL))) {
      next = bySource.next(next);
    }
    return next;
  }

  private boolean isSource(int ct, int protocol, int source, int port, int zone) {
    return source(ct, ORIGINAL) == source
        && sourcePort(ct, ORIGINAL) == port
        && protocol(ct) == protocol
        && zone(ct, ORIGINAL) == zone;
  }

  // ---- timeouts, accounting, events: for the trackers
  // --------------------------------------------

  /** Plays nf_ct_refresh_acct: renews the timeout and counts the packet. */
  void refresh(int ct, int ctInfo, SkBuff skb, int ticks) {
    int status = status(ct);
    if ((status & IPS_FIXED_TIMEOUT) == 0) {
      setTimeout(ct, status, ticks);
    }
    account(ct, ConntrackInfo.direction(ctInfo), skb.length());
  }

  /** Sets the timeout to {@code ticks} from now. */
  void setTimeout(int ct, int status, int ticks) {
    if ((status & IPS_CONFIRMED) == 0) {
      memory.set(ct, ConntrackMemory.TIMEOUT, ticks);
      return;
    }
    int expires = ticks + (int) net.clock.jiffies();
    int old = memory.get(ct, ConntrackMemory.TIMEOUT);
    memory.set(ct, ConntrackMemory.TIMEOUT, expires);
    if (expires - old < 0 && (status & IPS_DYING) == 0) {
      wheel.remove(ct);
      wheel.add(ct);
    }
  }

  /** Plays nf_ct_acct_update. */
  void account(int ct, int direction, int bytes) {
    if (accounted(ct)) {
      memory.setCounters(
          ct, direction, memory.packets(ct, direction) + 1, memory.bytes(ct, direction) + bytes);
    }
  }

  /** Plays nf_conntrack_event_cache: told with the packet's other events when it is confirmed. */
  public void cacheEvent(int ct, int event) {
    if ((memory.get(ct, ConntrackMemory.META) & META_EVENTS) != 0) {
      memory.set(
          ct, ConntrackMemory.REFERENCES, memory.get(ct, ConntrackMemory.REFERENCES) | event << 16);
    }
  }

  /** Plays nf_ct_deliver_cached_events. */
  private void deliverEvents(int ct) {
    int references = memory.get(ct, ConntrackMemory.REFERENCES);
    int events = references >>> 16;
    if (events == 0 || (status(ct) & (IPS_CONFIRMED | IPS_DYING)) != IPS_CONFIRMED) {
      return;
    }
    memory.set(ct, ConntrackMemory.REFERENCES, references & 0xFFFF);
    report(ct, events);
  }

  /** Plays nf_conntrack_eventmask_report and ctnetlink_conntrack_event. */
  private void report(int ct, int events) {
    if (listener == null || (memory.get(ct, ConntrackMemory.META) & META_EVENTS) == 0) {
      return;
    }
    ConntrackEventListener.Type type =
        (events & ConntrackEvents.DESTROY) != 0
            ? ConntrackEventListener.Type.DESTROY
            : (events & (ConntrackEvents.NEW | ConntrackEvents.RELATED)) != 0
                ? ConntrackEventListener.Type.NEW
                : ConntrackEventListener.Type.UPDATE;
    listener.event(type, this, ct, events);
  }

  // ---- the hook functions -----------------------------------------------------------------------

  /** Plays ipv4_conntrack_local. */
  private int local(Hook hook, SkBuff skb) {
    if (IpHeader.isFragment(skb)) {
      // A socket with IP_NODEFRAG sent it: not tracked.
      if (skb.ct != 0 && has(skb.ct, IPS_TEMPLATE)) {
        put(skb);
      }
      return Verdict.ACCEPT;
    }
    return in(hook, skb);
  }

  /** Plays nf_conntrack_in: which connection is this packet of? */
  public int in(Hook hook, SkBuff skb) {
    int template = skb.ct;
    if (template != 0 || skb.ctInfo == IP_CT_UNTRACKED) {
      if (skb.ctInfo == IP_CT_UNTRACKED || !has(template, IPS_TEMPLATE)) {
        if (skb.trace != null) {
          step(
              skb,
              hook,
              skb.ctInfo == IP_CT_UNTRACKED ? "UNTRACKED" : "already known: " + describe(skb));
        }
        return Verdict.ACCEPT;
      }
      skb.ct = 0;
      skb.ctInfo = 0;
    }
    if (skb.trace != null) {
      invalid = null;
    }
    int verdict = track(template, hook, skb);
    if (template != 0) {
      put(template);
    }
    return verdict;
  }

  private int track(int template, Hook hook, SkBuff skb) {
    int offset = skb.networkHeader + IpHeader.headerLength(skb);
    if (IpHeader.fragmentOffset(skb) != 0 || offset > skb.tail) {
      return invalid(hook, skb, "a fragment or a header that is not there");
    }
    int zone = 0;
    int directions = ZONE_DIR_BOTH;
    if (template != 0) {
      int meta = memory.get(template, ConntrackMemory.META);
      zone =
          (meta & META_ZONE_FROM_MARK) != 0 ? skb.mark & 0xFFFF : meta >>> META_ZONE_SHIFT & 0xFFFF;
      directions = meta >>> META_DIR_SHIFT & ZONE_DIR_BOTH;
    }
    int protocol = IpHeader.protocol(skb);
    if (protocol == IpHeader.IPPROTO_ICMP) {
      if (!icmp.error(hook, skb, offset, zone, directions)) {
        return invalid(hook, skb, null);
      }
      if (skb.ct != 0) {
        if (skb.trace != null) {
          step(skb, hook, "RELATED " + describe(skb));
        }
        return Verdict.ACCEPT;
      }
    }
    while (true) {
      if (!tupleOf(skb, skb.networkHeader, offset, protocol, packetTuple)) {
        return invalid(hook, skb, "no ports or keys to know it by");
      }
      if (!resolve(skb, zone, directions)) {
        if (tableFull) {
          tableFull = false;
          if (skb.trace != null) {
            step(skb, hook, "table full, dropping packet");
          }
          return Verdict.DROP;
        }
        return invalid(hook, skb, "cannot be answered, so it begins no connection");
      }
      int ct = skb.ct;
      int before = skb.trace == null ? 0 : protocolState(ct);
      boolean fresh = !has(ct, IPS_CONFIRMED);
      int verdict = handle(protocol, hook, skb, offset);
      if (verdict <= 0) {
        put(skb);
        if (verdict == -Verdict.REPEAT) {
          if (skb.trace != null) {
            step(skb, hook, "the closed connection is forgotten, looked up again");
          }
          continue;
        }
        if (verdict == Verdict.DROP) {
          return Verdict.DROP;
        }
        return invalid(hook, skb, null);
      }
      if (skb.ctInfo == IP_CT_ESTABLISHED_REPLY && !has(ct, IPS_SEEN_REPLY)) {
        addStatus(ct, IPS_SEEN_REPLY);
        cacheEvent(ct, ConntrackEvents.REPLY);
      }
      if (skb.trace != null) {
        trace(hook, skb, before, fresh);
      }
      return Verdict.ACCEPT;
    }
  }

  /** Plays resolve_normal_ct; false when there is and can be no entry, or the table is full. */
  private boolean resolve(SkBuff skb, int zone, int directions) {
    int node = find(packetTuple, zone, directions);
    if (node == 0) {
      int ct = init(packetTuple, zone, directions);
      if (ct == 0) {
        return false;
      }
      skb.ct = ct;
      skb.ctInfo = has(ct, IPS_EXPECTED) ? IP_CT_RELATED : IP_CT_NEW;
      return true;
    }
    int ct = node >>> 1;
    int status = status(ct);
    set(
        skb,
        ct,
        (node & 1) == REPLY
            ? IP_CT_ESTABLISHED_REPLY
            : (status & IPS_SEEN_REPLY) != 0
                ? IP_CT_ESTABLISHED
                : (status & IPS_EXPECTED) != 0 ? IP_CT_RELATED : IP_CT_NEW);
    return true;
  }

  /** Plays init_conntrack: an unconfirmed entry with one reference; 0 when there can be none. */
  private int init(ConntrackTuple tuple, int zone, int directions) {
    if (!replyTuple.invert(tuple)) {
      return 0;
    }
    count++;
    if (sysctls.max != 0
        && count > sysctls.max
        && !earlyDrop(hash(tuple, zoneOf(zone, directions, ORIGINAL)))) {
      count--;
      tableFull = true;
      return 0;
    }
    int ct = memory.allocate();
    setTuple(ct, ORIGINAL, tuple);
    setTuple(ct, REPLY, replyTuple);
    int meta = tuple.protocol | zone << META_ZONE_SHIFT | directions << META_DIR_SHIFT;
    if (sysctls.acct != 0) {
      meta |= META_ACCT;
      memory.addCounters(ct);
    }
    if (sysctls.timestamp != 0) {
      meta |= META_START;
    }
    if (sysctls.events == 1 || sysctls.events == 2 && listener != null) {
      meta |= META_EVENTS;
    }
    memory.set(ct, ConntrackMemory.META, meta);
    memory.set(ct, ConntrackMemory.REFERENCES, 1);
    return ct;
  }

  /**
   * Plays early_drop: deletes the entries that are not ASSURED of the first of eight neighbouring
   * chains that has any. The chains are those of a table of nf_conntrack_buckets, so that a small
   * limit is as hard as in Linux.
   */
  private boolean earlyDrop(int hash) {
    int virtual = Integer.highestOneBit((int) sysctls.buckets);
    for (int i = 0; i < EVICTION_RANGE; i++) {
      int wanted = hash + i & virtual - 1;
      int drops = 0;
      int buckets = table.buckets();
      if (virtual > buckets) {
        drops = dropChain(table.bucket(wanted), virtual - 1, wanted);
      } else {
        for (int bucket = wanted; bucket < buckets; bucket += virtual) {
          drops += dropChain(bucket, virtual - 1, wanted);
        }
      }
      if (drops > 0) {
        return true;
      }
    }
    return false;
  }

  private int dropChain(int bucket, int mask, int wanted) {
    int drops = 0;
    int node = table.head(bucket);
    while (node != 0) {
      int ct = node >>> 1;
      if ((table.hash(node) & mask) == wanted && !has(ct, IPS_ASSURED)) {
        delete(ct);
        drops++;
        node = table.head(bucket);
      } else {
        node = table.next(node);
      }
    }
    return drops;
  }

  /** Plays nf_ct_get_tuple: what the packet is known by; false when it is too short. */
  boolean tupleOf(SkBuff skb, int network, int offset, int protocol, ConntrackTuple tuple) {
    tuple.source = skb.u32(network + IpHeader.SOURCE_OFFSET);
    tuple.destination = skb.u32(network + IpHeader.DESTINATION_OFFSET);
    tuple.protocol = protocol;
    switch (protocol) {
      case IpHeader.IPPROTO_TCP:
      case IpHeader.IPPROTO_UDP:
      case IPPROTO_UDPLITE:
      case IPPROTO_SCTP:
        if (offset + 4 > skb.tail) {
          return false;
        }
        tuple.ports(skb.u32(offset));
        return true;
      case IpHeader.IPPROTO_ICMP:
        if (offset + IcmpHeader.LENGTH > skb.tail) {
          return false;
        }
        tuple.sourcePort = skb.u16(offset + IcmpHeader.ID_OFFSET);
        tuple.destinationPort = skb.u16(offset);
        return true;
      case IPPROTO_GRE:
        return gre.tuple(skb, offset, tuple);
      case IPPROTO_ICMPV6:
        // Its tracker takes nothing that comes in IPv4, so it is always invalid.
        return false;
      default:
        tuple.sourcePort = 0;
        tuple.destinationPort = 0;
        return true;
    }
  }

  /** Plays nf_conntrack_handle_packet. */
  private int handle(int protocol, Hook hook, SkBuff skb, int offset) {
    switch (protocol) {
      case IpHeader.IPPROTO_TCP:
        return tcp.packet(hook, skb, offset);
      case IpHeader.IPPROTO_UDP:
        return udp.packet(hook, skb, offset);
      case IPPROTO_UDPLITE:
        return udp.litePacket(hook, skb, offset);
      case IpHeader.IPPROTO_ICMP:
        return icmp.packet(skb);
      case IPPROTO_GRE:
        return gre.packet(skb);
      case IPPROTO_SCTP:
        return sctp.packet(hook, skb, offset);
      default:
        refresh(skb.ct, skb.ctInfo, skb, sysctls.generic[0]);
        return Verdict.ACCEPT;
    }
  }

  /** Plays nf_confirm and nf_conntrack_confirm. */
  private int confirm(Hook hook, SkBuff skb) {
    int ct = skb.ct;
    if (ct == 0) {
      return Verdict.ACCEPT;
    }
    int verdict = Verdict.ACCEPT;
    if (!has(ct, IPS_CONFIRMED)) {
      verdict = insert(hook, skb);
      ct = skb.ct;
    }
    if (verdict == Verdict.ACCEPT) {
      deliverEvents(ct);
    }
    return verdict;
  }

  /** Plays __nf_conntrack_confirm: the packet got through, so its connection enters the table. */
  private int insert(Hook hook, SkBuff skb) {
    int ct = skb.ct;
    if (ConntrackInfo.direction(skb.ctInfo) != ORIGINAL || has(ct, IPS_TEMPLATE)) {
      return Verdict.ACCEPT;
    }
    if (has(ct, IPS_DYING)) {
      return Verdict.DROP;
    }
    int originalZone = zone(ct, ORIGINAL);
    int replyZone = zone(ct, REPLY);
    tuple(ct, ORIGINAL, packetTuple);
    int winner = find(packetTuple, originalZone, originalZone, replyZone);
    tuple(ct, REPLY, replyTuple);
    int replyWinner = find(replyTuple, replyZone, originalZone, replyZone);
    if (winner != 0 || replyWinner != 0) {
      return resolveClash(hook, skb, winner != 0 ? winner : replyWinner, replyWinner);
    }
    memory.set(
        ct,
        ConntrackMemory.TIMEOUT,
        memory.get(ct, ConntrackMemory.TIMEOUT) + (int) net.clock.jiffies());
    enter(ct);
    table.insert(ct << 1, hashOf(ct, ORIGINAL));
    table.insert(ct << 1 | 1, hashOf(ct, REPLY));
    cacheEvent(ct, master(ct) != 0 ? ConntrackEvents.RELATED : ConntrackEvents.NEW);
    if (skb.trace != null) {
      skb.trace.on(
          new TraceEvent.HookStep(
              hook.name(),
              HookPriority.CONNTRACK_CONFIRM,
              "confirm",
              "the connection enters the table, timeout " + timeoutSeconds(ct) + " s"));
    }
    return Verdict.ACCEPT;
  }

  /** Plays __nf_conntrack_insert_prepare, the CONFIRMED bit and the start of the timeout. */
  private void enter(int ct) {
    get(ct);
    addStatus(ct, IPS_CONFIRMED);
    if ((memory.get(ct, ConntrackMemory.META) & META_START) != 0) {
      memory.setStart(ct, net.clock.now());
    }
    wheel.add(ct);
  }

  /** Plays nf_ct_resolve_clash: another packet's entry was faster. */
  private int resolveClash(Hook hook, SkBuff skb, int winner, int replyWinner) {
    int loser = skb.ct;
    int verdict = Verdict.DROP;
    String text = "clash with a connection in the table";
    int protocol = protocol(loser);
    // TCP, ICMP and SCTP do not allow_clash.
    if (protocol != IpHeader.IPPROTO_TCP
        && protocol != IpHeader.IPPROTO_ICMP
        && protocol != IPPROTO_SCTP
        && protocol != IPPROTO_GRE) {
      if (merge(skb, winner >>> 1, loser)
          || replyWinner != 0 && merge(skb, replyWinner >>> 1, loser)) {
        verdict = Verdict.ACCEPT;
        text = "clash: the same connection is in the table already";
      } else if (replyWinner == 0) {
        addStatus(loser, IPS_FIXED_TIMEOUT | IPS_NAT_CLASH);
        memory.set(loser, ConntrackMemory.TIMEOUT, (int) net.clock.jiffies() + Clock.HZ);
        enter(loser);
        table.insert(loser << 1 | 1, hashOf(loser, REPLY));
        verdict = Verdict.ACCEPT;
        text = "clash in the original direction: enters the table for replies only, for 1 s";
      }
    }
    if (skb.trace != null) {
      skb.trace.on(
          new TraceEvent.HookStep(hook.name(), HookPriority.CONNTRACK_CONFIRM, "confirm", text));
    }
    return verdict;
  }

  /**
   * Plays nf_ct_can_merge and __nf_ct_resolve_clash: the packet goes over to the entry that won.
   */
  private boolean merge(SkBuff skb, int winner, int loser) {
    boolean same =
        sameTuple(winner, loser, ORIGINAL)
            && sameTuple(winner, loser, REPLY)
            && zone(winner, ORIGINAL) == zone(loser, ORIGINAL)
            && zone(winner, REPLY) == zone(loser, REPLY);
    boolean reverse =
        sameTuple(winner, ORIGINAL, loser, REPLY)
            && sameTuple(winner, REPLY, loser, ORIGINAL)
            && zone(winner, ORIGINAL) == zone(loser, REPLY)
            && zone(winner, REPLY) == zone(loser, ORIGINAL);
    if (!same && !reverse) {
      return false;
    }
    if (accounted(loser)) {
      int direction = ConntrackInfo.direction(skb.ctInfo);
      account(winner, direction, (int) memory.bytes(loser, direction));
    }
    get(winner);
    put(loser);
    skb.ct = winner;
    return true;
  }

  // ---- checksums, trace -------------------------------------------------------------------------

  /** Is the checksum to be verified here (nf_conntrack_checksum, PRE_ROUTING only)? */
  boolean verifies(Hook hook) {
    return sysctls.checksum != 0 && hook == Hook.PRE_ROUTING;
  }

  /**
   * Plays nf_ip_checksum: is the transport checksum wrong? {@code coverage} bytes from {@code
   * offset} count.
   */
  static boolean badChecksum(SkBuff skb, int offset, int coverage, int protocol) {
    if (skb.ipSummed == SkBuff.CHECKSUM_UNNECESSARY) {
      return false;
    }
    long sum =
        protocol == IpHeader.IPPROTO_ICMP
            ? 0
            : Checksum.pseudoHeader(
                IpHeader.source(skb), IpHeader.destination(skb), protocol, skb.tail - offset);
    if (Checksum.fold(Checksum.partial(skb.head, offset, coverage, sum)) != 0) {
      return true;
    }
    if (offset + coverage == skb.tail) {
      skb.ipSummed = SkBuff.CHECKSUM_UNNECESSARY;
    }
    return false;
  }

  /** Remembers why a traced packet is invalid or ignored; {@code reason} as the kernel logs it. */
  void because(String reason) {
    invalid = reason;
  }

  private int invalid(Hook hook, SkBuff skb, String reason) {
    if (skb.trace != null) {
      String why = invalid != null ? invalid : reason;
      step(skb, hook, why == null ? "INVALID" : "INVALID: " + why);
    }
    return Verdict.ACCEPT;
  }

  private void trace(Hook hook, SkBuff skb, int before, boolean fresh) {
    StringBuilder text = new StringBuilder(96).append(describe(skb));
    int after = protocolState(skb.ct);
    if (!fresh && before != after) {
      text.append(", state ")
          .append(
              protocol(skb.ct) == IPPROTO_SCTP
                  ? SctpTracker.NAMES[before]
                  : TcpTracker.NAMES[before])
          .append(" -> ")
          .append(protocolStateName(skb.ct));
    }
    if (invalid != null) {
      text.append(", ").append(invalid);
    }
    step(skb, hook, text.toString());
  }

  private String describe(SkBuff skb) {
    int direction = ConntrackInfo.direction(skb.ctInfo);
    tuple(skb.ct, direction, innerTuple);
    String state = protocolStateName(skb.ct);
    return stateName(skb)
        + (direction == REPLY ? " (reply) " : " ")
        + ConntrackPrinter.protocolName(innerTuple.protocol)
        + (state.isEmpty() ? " " : " " + state + " ")
        + innerTuple;
  }

  /** The packet's state as rules name it: NEW, ESTABLISHED, RELATED, INVALID or UNTRACKED. */
  public static String stateName(SkBuff skb) {
    if (skb.ctInfo == IP_CT_UNTRACKED) {
      return "UNTRACKED";
    }
    if (skb.ct == 0) {
      return "INVALID";
    }
    switch (skb.ctInfo) {
      case IP_CT_ESTABLISHED:
      case IP_CT_ESTABLISHED_REPLY:
        return "ESTABLISHED";
      case IP_CT_RELATED:
      case IP_CT_RELATED_REPLY:
        return "RELATED";
      default:
        return "NEW";
    }
  }

  private static void step(SkBuff skb, Hook hook, String text) {
    skb.trace.on(new TraceEvent.HookStep(hook.name(), HookPriority.CONNTRACK, "conntrack", text));
  }
}
