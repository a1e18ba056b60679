// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import io.skbwalk.skb.ControlBlock;
import io.skbwalk.skb.SkBuff;
import java.util.Arrays;

/**
 * Plays struct inet_skb_parm (IPCB): what the IP layer remembers about a packet. Its flags are in
 * {@link SkBuff#cbFlags}; the rest exists only for packets with options and for reassembled ones.
 */
public final class IpControlBlock implements ControlBlock {
  /** IPSKB_FORWARDED: ip_forward had it. */
  public static final int IPSKB_FORWARDED = 1;

  /** IPSKB_FRAG_COMPLETE: it is one of the fragments that this machine made. */
  public static final int IPSKB_FRAG_COMPLETE = 1 << 3;

  /** IPSKB_REROUTED: POST_ROUTING has seen it. */
  public static final int IPSKB_REROUTED = 1 << 4;

  /** IPSKB_DOREDIRECT: it leaves where it came in, and the sender may be told. */
  public static final int IPSKB_DOREDIRECT = io.skbwalk.ipv4.route.Routing.IPSKB_DOREDIRECT;

  /** IPSKB_FRAG_PMTU: reassembled from fragments with DF. */
  public static final int IPSKB_FRAG_PMTU = 1 << 6;

  /** skb->ignore_df: fragmented in spite of DF. */
  public static final int IGNORE_DF = 1 << 16;

  /** The option fields of the block are this packet's (opt.optlen is not 0). */
  public static final int HAS_OPTIONS = 1 << 17;

  /** skb_is_gso: a train of segments that the interface cuts; never fragmented. */
  public static final int IS_GSO = 1 << 19;

  /** {@link #fragments} are this packet's (skb_has_frag_list). */
  public static final int HAS_FRAG_LIST = 1 << 18;

  /** opt.optlen: bytes of options. */
  public int optionsLength;

  /** opt.srr: offset of the source route option from the IP header, 0 for none. */
  public int srr;

  /** opt.rr: offset of the record route option, 0 for none. */
  public int rr;

  /** opt.ts: offset of the timestamp option, 0 for none. */
  public int ts;

  /** opt.router_alert: offset of the router alert option, 0 for none. */
  public int routerAlert;

  /** opt.cipso: offset of the CIPSO option, 0 for none. */
  public int cipso;

  /** opt.is_strictroute: the source route is a strict one. */
  public boolean strictRoute;

  /** opt.srr_is_hit: this machine is the source route's present hop. */
  public boolean srrHit;

  /** opt.is_changed: the header checksum must be computed anew. */
  public boolean changed;

  /** opt.rr_needaddr: the record route option has a slot for the outgoing address. */
  public boolean rrNeedsAddress;

  /** opt.ts_needaddr: the timestamp option has a slot for the outgoing address. */
  public boolean tsNeedsAddress;

  /** opt.ts_needtime: the timestamp option has a slot for the time. */
  public boolean tsNeedsTime;

  /** opt.nexthop: next address of the source route. */
  public int nextHop;

  /** Payload bytes of each fragment behind the first, in order, as they came in. */
  int[] fragments = new int[0];

  /** Number of valid entries in {@link #fragments}. */
  int fragmentCount;

  /** Bytes from the IP header to the end of the first fragment. */
  int firstLength;

  /** The packet's block, made when there is none. */
  static IpControlBlock of(SkBuff skb) {
    if (skb.cb instanceof IpControlBlock block) {
      return block;
    }
    IpControlBlock block = new IpControlBlock();
    skb.cb = block;
    return block;
  }

  /** The compiled options of {@code skb}, or null when it has none. */
  public static IpControlBlock options(SkBuff skb) {
    return (skb.cbFlags & HAS_OPTIONS) == 0 ? null : (IpControlBlock) skb.cb;
  }

  /** Forgets the options. */
  void clearOptions() {
    optionsLength = 0;
    srr = 0;
    rr = 0;
    ts = 0;
    routerAlert = 0;
    cipso = 0;
    strictRoute = false;
    srrHit = false;
    changed = false;
    rrNeedsAddress = false;
    tsNeedsAddress = false;
    tsNeedsTime = false;
    nextHop = 0;
  }

  @Override
  public ControlBlock copyTo(ControlBlock old) {
    IpControlBlock copy = old instanceof IpControlBlock block ? block : new IpControlBlock();
    copy.optionsLength = optionsLength;
    copy.srr = srr;
    copy.rr = rr;
    copy.ts = ts;
    copy.routerAlert = routerAlert;
    copy.cipso = cipso;
    copy.strictRoute = strictRoute;
    copy.srrHit = srrHit;
    copy.changed = changed;
    copy.rrNeedsAddress = rrNeedsAddress;
    copy.tsNeedsAddress = tsNeedsAddress;
    copy.tsNeedsTime = tsNeedsTime;
    copy.nextHop = nextHop;
    copy.firstLength = firstLength;
    copy.fragmentCount = fragmentCount;
    if (copy.fragments.length < fragmentCount) {
      copy.fragments = Arrays.copyOf(fragments, fragmentCount);
    } else {
      System.arraycopy(fragments, 0, copy.fragments, 0, fragmentCount);
    }
    return copy;
  }
}
