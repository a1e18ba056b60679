// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import static io.skbwalk.netfilter.conntrack.ConntrackInfo.IP_CT_ESTABLISHED;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.IP_CT_ESTABLISHED_REPLY;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.IP_CT_RELATED;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.IP_CT_RELATED_REPLY;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.IP_CT_UNTRACKED;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.ORIGINAL;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.REPLY;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_CONFIRMED;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_DYING;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_FIXED_TIMEOUT;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_HELPER;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_NAT_CLASH;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_SRC_NAT_DONE;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_TEMPLATE;

import io.skbwalk.device.NetDevice;
import io.skbwalk.kernel.Clock;
import io.skbwalk.lib.Checksum;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.Ipv4Operations;
import io.skbwalk.netfilter.LogLine;
import io.skbwalk.netfilter.Netfilter;
import io.skbwalk.netfilter.NfCtHook;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.SkBuff;
import java.util.List;

/**
 * Plays net/netfilter/nf_conntrack_core.c: the connections of one machine, from the packet that
 * begins one to the end of its time. {@link ConntrackIn} finds a packet's, {@link ConntrackConfirm}
 * puts new ones into the table ({@link ConntrackHash}), {@link ConntrackEcache} tells their events.
 *
 * <p>{@code SkBuff.ct} holds the handle of an entry, and with it a reference. An entry that is not
 * confirmed is not in the table and vanishes with its packet.
 *
 * <p>The host calls {@link #advanceTo} before each frame, {@link #need} when rules have changed,
 * and {@link #put} for each packet that is freed.
 */
public final class Conntrack extends ConntrackEntries implements NfCtHook {
  private static final long NANOS_PER_TICK = Clock.SECOND / Clock.HZ;

  /** In nf_conntrack_log_invalid: every protocol. */
  private static final int IPPROTO_RAW = 255;

  /** NF_LOG_PREFIXLEN, with the zero behind it. */
  private static final int LOG_PREFIX = 128;

  final ConntrackSysctls sysctls;
  final ConntrackHash table = new ConntrackHash(this);
  final ConntrackEcache events = new ConntrackEcache(this);
  final ConntrackTimeouts timeouts;
  private final GreKeymap greKeys = new GreKeymap();
  private final ConntrackLabels labels = new ConntrackLabels(this);
  final ExpiryWheel wheel;
  private final ExpiryWheel.Expired whenExpired = this::expired;
  private final BySource bySource = new BySource(this);
  private final Netfilter netfilter;
  private final TcpTracker tcp = new TcpTracker(this);
  private final ConntrackExpectations expectations = new ConntrackExpectations(this);
  private final SequenceAdjustment sequenceAdjustment = new SequenceAdjustment(this);
  private final ConntrackIn tracking = new ConntrackIn(this, tcp);
  private final ConntrackFlows flows = new ConntrackFlows(this, tracking);
  private final ConntrackUsers users;
  private NfNatHook nat;
  private List<String> securityContexts = List.of();
  private int count;

  // struct nf_hook_state of the packet at hand.
  private NetDevice in;
  private NetDevice out;

  /** Why the packet at hand is invalid or ignored; kept only for a traced packet. */
  private String reason;

  /** The tracking of a machine, off until {@link #need}; registers its sysctls. */
  public Conntrack(Net net, Netfilter netfilter) {
    super(net);
    this.netfilter = netfilter;
    users = new ConntrackUsers(this, netfilter, tracking, new ConntrackConfirm(this));
    sysctls = new ConntrackSysctls(net.sysctls, () -> count);
    timeouts = new ConntrackTimeouts(sysctls);
    wheel = new ExpiryWheel(memory, net.clock.jiffies());
  }

  /** Sets who puts fragments together; without it {@link #need} leaves fragments as they are. */
  public void setIpv4(Ipv4Operations ipv4) {
    users.setIpv4(ipv4);
  }

  /**
   * Plays nf_ct_netns_get and nf_ct_netns_put: switches what rules need on, and what none needs any
   * longer off. The connections stay either way.
   *
   * @param tracking brings reassembly with it
   * @param reassembly fragments must be put together before any rule sees them
   */
  public void need(boolean tracking, boolean reassembly) {
    users.need(tracking, reassembly);
  }

  /** Is tracking on? */
  public boolean enabled() {
    return users.tracks();
  }

  /** Plays nf_ct_set_acct: connections that begin from now on are counted. */
  public void enableAccounting() {
    sysctls.acct = 1;
  }

  /** Who is told of events; null for nobody. Entries made while nobody listens stay silent. */
  public void setEventListener(ConntrackEventListener listener) {
    events.setListener(listener);
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

  /** The call ids of PPTP. */
  public GreKeymap greKeys() {
    return greKeys;
  }

  /** The labels of its connections. */
  public ConntrackLabels labels() {
    return labels;
  }

  /** What the SELinux policy knows; empty without SELinux. A security mark counts them from 1. */
  public List<String> securityContexts() {
    return securityContexts;
  }

  /** Sets what the SELinux policy knows. */
  public void setSecurityContexts(List<String> securityContexts) {
    this.securityContexts = List.copyOf(securityContexts);
  }

  /** nf_conntrack_count: entries, unconfirmed ones too. */
  public int count() {
    return count;
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
   * nowhere, but has a state already, so that NOTRACK and CT leave it alone.
   */
  @Override
  public void attach(SkBuff made, SkBuff because) {
    int info =
        ConntrackInfo.direction(because.ctInfo) == ORIGINAL ? IP_CT_RELATED_REPLY : IP_CT_RELATED;
    if (because.ct == 0) {
      made.ctInfo = (byte) info;
    } else {
      set(made, because.ct, info);
    }
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
  public void reset(SkBuff skb) {
    put(skb);
  }

  @Override
  public void setClosing(SkBuff skb) {
    if (skb.ct != 0 && protocol(skb.ct) == IpHeader.IPPROTO_TCP) {
      tcp.setClosing(skb.ct);
    }
  }

  @Override
  public boolean sharesUnconfirmed(SkBuff skb) {
    return skb.ct != 0 && (status(skb.ct) & (IPS_CONFIRMED | IPS_TEMPLATE)) == 0 && use(skb.ct) > 1;
  }

  // ---- life -------------------------------------------------------------------------------------

  /**
   * Plays __nf_conntrack_alloc: an unconfirmed entry with one reference; 0 when the table is full
   * (nf_conntrack_max) and early_drop finds nothing.
   *
   * @param template what a rule says of it, 0 for nothing
   */
  int allocate(
      ConntrackTuple original, ConntrackTuple reply, int zone, int directions, int template) {
    count++;
    if (sysctls.max != 0
        && count > sysctls.max
        && !table.earlyDrop(
            ConntrackHash.hash(original, ConntrackHash.zoneOf(zone, directions, ORIGINAL)))) {
      count--;
      return 0;
    }
    int ct = memory.allocate();
    flows.forget(ct);
    setTuple(ct, ORIGINAL, original);
    setTuple(ct, REPLY, reply);
    int meta =
        original.protocol
            | zone << ConntrackMemory.META_ZONE_SHIFT
            | directions << ConntrackMemory.META_DIR_SHIFT;
    if (sysctls.acct != 0) {
      meta |= ConntrackMemory.META_ACCT;
      memory.addCounters(ct);
    }
    if (sysctls.timestamp != 0) {
      meta |= ConntrackMemory.META_START;
    }
    if (labels.used()) {
      meta |= ConntrackMemory.META_LABELS;
    }
    int masks = template == 0 ? 0 : extension(template, ConntrackExtensions.EVENT_MASKS);
    if (events.wanted(masks)) {
      meta |= ConntrackMemory.META_EVENTS;
    }
    memory.set(ct, ConntrackMemory.META, meta);
    memory.set(ct, ConntrackMemory.REFERENCES, 1);
    if (template != 0) {
      inherit(ct, template, ConntrackExtensions.EVENT_MASKS);
      inherit(ct, template, ConntrackExtensions.TIMEOUT_POLICY);
    }
    return ct;
  }

  private void inherit(int ct, int template, int word) {
    int value = extension(template, word);
    if (value != 0) {
      setExtension(ct, word, value);
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
        (zone & 0xFFFF) << ConntrackMemory.META_ZONE_SHIFT
            | directions << ConntrackMemory.META_DIR_SHIFT
            | (zoneFromMark ? ConntrackMemory.META_ZONE_FROM_MARK : 0));
    // It counts as confirmed, and the rules behind see that.
    memory.set(ct, ConntrackMemory.STATUS, IPS_TEMPLATE | IPS_CONFIRMED);
    get(ct);
    return ct;
  }

  /**
   * Plays the event masks of xt_CT: connections made from {@code template} tell only these events.
   * Where entries keep events only while somebody listens (nf_conntrack_events is 2), somebody must
   * listen already; otherwise the masks are lost and all events are told, as in Linux.
   *
   * @param events bits of {@link ConntrackEvents}
   * @param expectationEvents bits of enum ip_conntrack_expect_events
   */
  public void setTemplateEvents(int template, int events, int expectationEvents) {
    int masks = expectationEvents << 16 | events;
    if (masks != 0 && this.events.wanted(masks)) {
      setExtension(template, ConntrackExtensions.EVENT_MASKS, masks);
    }
  }

  /**
   * Plays xt_ct_set_timeout: connections made from {@code template} have the timeouts of a policy.
   *
   * @param protocol the rule's protocol
   * @throws IllegalArgumentException when there is none of that name for that protocol
   */
  public void setTemplateTimeouts(int template, String policy, int protocol) {
    setExtension(template, ConntrackExtensions.TIMEOUT_POLICY, timeouts.find(policy, protocol));
  }

  /**
   * Plays nfct add timeout.
   *
   * @param words {@code NAME inet PROTOCOL STATE SECONDS [STATE SECONDS ...]}
   * @throws IllegalArgumentException when nfct or the kernel would refuse them
   */
  public void addTimeoutPolicy(String words) {
    timeouts.add(words);
  }

  private void free(int ct) {
    int status = status(ct);
    if ((status & IPS_SRC_NAT_DONE) != 0) {
      bySource.remove(ct, bySource.hash(ct));
    }
    if ((status & IPS_TEMPLATE) == 0) {
      count--;
    }
    if ((status & IPS_HELPER) != 0) {
      expectations.removeOf(ct);
      extensions.setHelp(memory.get(ct, ConntrackMemory.EXTENSIONS), null);
    }
    int master = master(ct);
    // next() and stale accessors must see that nothing is here.
    memory.set(ct, ConntrackMemory.STATUS, 0);
    memory.set(ct, ConntrackMemory.REFERENCES, 0);
    int extension = memory.get(ct, ConntrackMemory.EXTENSIONS);
    if (extension != 0) {
      int synproxy = extensions.get(extension, ConntrackExtensions.SYNPROXY);
      if (synproxy != 0) {
        synproxies.free(synproxy);
      }
      extensions.free(extension);
    }
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
      events.report(ct, ConntrackEvents.DESTROY);
      if ((status & IPS_HELPER) != 0) {
        help(ct).helper().destroy(ct);
      }
      wheel.remove(ct);
      if ((status & IPS_NAT_CLASH) == 0) {
        table.take(ct, ORIGINAL);
      }
      table.take(ct, REPLY);
      if ((status & IPS_HELPER) != 0) {
        expectations.removeOf(ct);
      }
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

  /**
   * Plays nf_conntrack_find_get without taking a reference: the entry one of whose tuples is {@code
   * tuple} in the zone.
   *
   * @param directions ZONE_DIR_ bits of {@code zone}
   * @return handle times 2 plus direction, 0 for none
   */
  public int find(ConntrackTuple tuple, int zone, int directions) {
    return table.find(tuple, zone, directions);
  }

  /**
   * Plays nf_conntrack_tuple_taken: would {@code tuple} as reply tuple of {@code ct} clash with
   * another entry? Entries with the very same original tuple do not count: clash resolution merges
   * them.
   */
  public boolean tupleTaken(ConntrackTuple tuple, int ct) {
    return table.tupleTaken(tuple, ct);
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
    return bySource.first(protocol, source, port, zone);
  }

  /** The one after {@code ct} with the same source, protocol and zone; 0 for none. */
  public int nextBySource(int ct) {
    return bySource.nextOf(ct);
  }

  // ---- helpers ----------------------------------------------------------------------------------

  /**
   * Plays nf_ct_helper_ext_add: {@code helper} looks into the packets of {@code ct}, or template.
   */
  public void setHelper(int ct, ConntrackHelper helper) {
    extensions.setHelp(extendedBy(ct), helper.newHelp());
    addStatus(ct, IPS_HELPER);
  }

  /** Plays nf_ct_expect_alloc: something that {@code master} may announce. */
  public ConntrackExpect expect(int master) {
    ConntrackExpect expect = new ConntrackExpect(expectations, master);
    expect.zone = zoneId(master);
    expect.helper = help(master).helper();
    return expect;
  }

  /** What connections have announced. */
  public ConntrackExpectations expectations() {
    return expectations;
  }

  /** The shifts of TCP sequence numbers. */
  public SequenceAdjustment sequenceAdjustment() {
    return sequenceAdjustment;
  }

  /** What a flow table asks. */
  public ConntrackFlows flows() {
    return flows;
  }

  /** Sets nf_nat_hook. */
  public void setNat(NfNatHook nat) {
    this.nat = nat;
  }

  /** Plays nf_nat_hook; there is one whenever a connection has been translated. */
  public NfNatHook nat() {
    return nat;
  }

  /** Plays nf_is_loopback_packet: has it come in on lo? */
  public static boolean isLoopback(SkBuff skb) {
    return skb.dev instanceof NetDevice dev && skb.iif != 0 && dev.isLoopback();
  }

  // ---- for the trackers -------------------------------------------------------------------------

  /** Plays nf_ct_timeout_lookup: those of the entry's policy, or else {@code usual}. */
  int[] timeouts(int ct, int[] usual) {
    int policy = extension(ct, ConntrackExtensions.TIMEOUT_POLICY);
    return policy == 0 ? usual : timeouts.ticks(policy);
  }

  /** Plays nf_ct_refresh_acct: renews the timeout and counts the packet. */
  void refresh(int ct, int ctInfo, SkBuff skb, int ticks) {
    int status = status(ct);
    if ((status & IPS_FIXED_TIMEOUT) == 0) {
      setTimeout(ct, status, ticks);
    }
    account(ct, ConntrackInfo.direction(ctInfo), skb.length());
  }

  /** Plays nf_ct_refresh: the entry lives for {@code seconds} from now. */
  public void refresh(int ct, int seconds) {
    int status = status(ct);
    if ((status & IPS_FIXED_TIMEOUT) == 0) {
      setTimeout(ct, status, seconds * Clock.HZ);
    }
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
      wheel.shorten(ct);
    }
  }

  /** Plays nf_ct_acct_update. */
  void account(int ct, int direction, int bytes) {
    if (accounted(ct)) {
      memory.count(ct, direction, bytes);
    }
  }

  /** Is the checksum to be verified here (nf_conntrack_checksum, PRE_ROUTING only)? */
  boolean verifies(Hook hook) {
    return sysctls.checksum != 0 && hook == Hook.PRE_ROUTING;
  }

  /**
   * Plays nf_ip_checksum: is the transport checksum wrong? {@code coverage} bytes from {@code
   * offset} count.
   */
  public static boolean badChecksum(SkBuff skb, int offset, int coverage, int protocol) {
    if (skb.checksumUnnecessary()) {
      return false;
    }
    long sum =
        protocol == IpHeader.IPPROTO_ICMP
            ? 0
            : Checksum.pseudoHeader(
                IpHeader.source(skb), IpHeader.destination(skb), protocol, skb.tail - offset);
    if (Checksum.fold(Checksum.partial(skb.head, offset, coverage, sum)) != 0) {
      if (offset + coverage == skb.tail) {
        skb.ipSummed = SkBuff.CHECKSUM_COMPLETE;
      }
      return true;
    }
    if (offset + coverage == skb.tail) {
      skb.ipSummed = SkBuff.CHECKSUM_UNNECESSARY;
    }
    return false;
  }

  /** A packet has come to {@link ConntrackIn}: its interfaces, as its hook knows them. */
  void atHand(NetDevice in, NetDevice out) {
    this.in = in;
    this.out = out;
    reason = null;
  }

  /** Remembers why a traced packet is invalid or ignored, where the kernel says nothing. */
  void because(String reason) {
    this.reason = reason;
  }

  /** Does the walk or the kernel's log tell why a packet of {@code protocol} is invalid? */
  boolean tells(SkBuff skb, int protocol) {
    return skb.trace != null || logsInvalid(protocol);
  }

  private boolean logsInvalid(int protocol) {
    return sysctls.logInvalid != 0
        && (sysctls.logInvalid == protocol || sysctls.logInvalid == IPPROTO_RAW);
  }

  /**
   * Plays nf_l4proto_log_invalid: tells why the packet at hand is invalid or ignored, in the
   * kernel's log when nf_conntrack_log_invalid is {@code protocol} or 255.
   */
  void logInvalid(SkBuff skb, int protocol, String reason) {
    this.reason = reason;
    if (logsInvalid(protocol)) {
      log(skb, in, out, "nf_ct_proto_" + protocol + ": " + reason + " ");
    }
  }

  /** Plays nf_log_packet of who has no settings for it. */
  private void log(SkBuff skb, NetDevice in, NetDevice out, String prefix) {
    LogLine.write(
        netfilter.log(),
        net.clock.now(),
        skb,
        in,
        out,
        prefix.length() < LOG_PREFIX ? prefix : prefix.substring(0, LOG_PREFIX - 1),
        LogLine.DEFAULT_LEVEL,
        LogLine.DEFAULT_FLAGS);
  }

  /** Plays nf_ct_helper_log: a helper drops the packet. */
  void logHelper(SkBuff skb, ConntrackHelper helper, String reason) {
    if (netfilter.log() != null || skb.trace != null) {
      log(skb, null, null, "nf_ct_" + helper.name + ": dropping packet: " + reason + " ");
    }
  }

  /** See {@link #because}; null for none. */
  String reason() {
    return reason;
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
}
