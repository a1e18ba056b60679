// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import io.skbwalk.ipv4.route.Routing;
import io.skbwalk.netfilter.Ipv4Operations;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;

/** Plays struct ip_options_data and __ip_options_echo: the options of an answer. */
final class IpOptionsReply {
  final byte[] bytes = new byte[40];
  int length;
  int srr;
  int rr;
  int ts;
  int cipso;
  boolean strictRoute;
  boolean rrNeedsAddress;
  boolean tsNeedsAddress;
  boolean tsNeedsTime;

  /** First hop of the reversed source route; meaningful when {@link #srr} is not 0. */
  int firstHop;

  private void clear() {
    length = 0;
    srr = 0;
    rr = 0;
    ts = 0;
    cipso = 0;
    strictRoute = false;
    rrNeedsAddress = false;
    tsNeedsAddress = false;
    tsNeedsTime = false;
    firstHop = 0;
  }

  /**
   * Plays __ip_options_echo: the options of an answer to {@code skb}: a source route turned around,
   * route and time recorded further.
   *
   * @return false when the received options leave no room for that: no answer
   */
  boolean echo(SkBuff skb, Routing routing) {
    clear();
    IpControlBlock opt = IpControlBlock.options(skb);
    if (opt == null || opt.optionsLength == 0) {
      return true;
    }
    int start = skb.networkHeader;
    if (opt.rr != 0) {
      int from = start + opt.rr;
      int size = skb.u8(from + 1);
      int pointer = skb.u8(from + 2);
      int to = length;
      rr = to + IpHeader.MIN_LENGTH;
      System.arraycopy(skb.head, from, bytes, to, size);
      if (opt.rrNeedsAddress && pointer <= size) {
        if (pointer + 3 > size) {
          return false;
        }
        bytes[to + 2] = (byte) (pointer + 4);
        rrNeedsAddress = true;
      }
      length += size;
    }
    if (opt.ts != 0 && !echoTimestamp(skb, opt, routing)) {
      return false;
    }
    if (opt.srr != 0) {
      echoSourceRoute(skb, opt);
    }
    if (opt.cipso != 0) {
      int from = start + opt.cipso;
      int size = skb.u8(from + 1);
      cipso = length + IpHeader.MIN_LENGTH;
      System.arraycopy(skb.head, from, bytes, length, size);
      length += size;
    }
    while ((length & 3) != 0) {
      bytes[length++] = IpOptions.IPOPT_END;
    }
    return true;
  }

  private boolean echoTimestamp(SkBuff skb, IpControlBlock opt, Routing routing) {
    int from = skb.networkHeader + opt.ts;
    int size = skb.u8(from + 1);
    int pointer = skb.u8(from + 2);
    int to = length;
    ts = to + IpHeader.MIN_LENGTH;
    System.arraycopy(skb.head, from, bytes, to, size);
    if (pointer <= size) {
      if (opt.tsNeedsAddress) {
        if (pointer + 3 > size) {
          return false;
        }
        tsNeedsAddress = true;
        pointer += 4;
      }
      if (opt.tsNeedsTime) {
        if (pointer + 3 > size) {
          return false;
        }
        if ((skb.u8(from + 3) & 15) != IpOptions.IPOPT_TS_PRESPEC) {
          tsNeedsTime = true;
          pointer += 4;
        } else if (pointer + 7 <= size
            && routing.addressType(null, skb.u32(from + pointer - 1))
                != Ipv4Operations.RTN_UNICAST) {
          tsNeedsTime = true;
          pointer += 8;
        }
      }
      bytes[to + 2] = (byte) pointer;
    }
    length += size;
    return true;
  }

  /** The hops passed so far, backwards; the first of them is where the answer is sent. */
  private void echoSourceRoute(SkBuff skb, IpControlBlock opt) {
    int from = skb.networkHeader + opt.srr;
    int size = skb.u8(from + 1);
    int pointer = Math.min(skb.u8(from + 2), size + 1) - 4;
    int to = length;
    int hops = 0;
    int first = 0;
    if (pointer > 3) {
      first = skb.u32(from + pointer - 1);
      hops = 4;
      for (pointer -= 4; pointer > 3; pointer -= 4) {
        System.arraycopy(skb.head, from + pointer - 1, bytes, to + hops - 1, 4);
        hops += 4;
      }
      // RFC 1812, 5.3.13.4: a route that already ends at the source must not name it twice.
      if (IpHeader.source(skb) == skb.u32(from + pointer + 3)) {
        hops -= 4;
      }
    }
    if (hops > 3) {
      firstHop = first;
      bytes[to] = skb.head[from];
      bytes[to + 1] = (byte) (hops + 3);
      bytes[to + 2] = 4;
      srr = to + IpHeader.MIN_LENGTH;
      length += hops + 3;
      strictRoute = opt.strictRoute;
    }
  }
}
