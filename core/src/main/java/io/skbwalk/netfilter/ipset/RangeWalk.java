// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.ipset;

import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.Ip6;
import io.skbwalk.netfilter.ipset.SetType.Part;
import io.skbwalk.skb.IpHeader;

/**
 * Plays hash_ip4_uadt and its kin: takes a user's entry apart into single elements of a hash. An
 * address goes through its range one by one, a network by the largest prefixes that fit, a port one
 * by one, the last part fastest.
 */
final class RangeWalk {
  private final HashTypeSet set;
  private final SetType type;
  private final boolean first;
  private final boolean firstIsNet;
  private final boolean second;
  private final boolean secondIsNet;
  private final boolean port;
  private final SetEntry one = new SetEntry();

  // The entry at hand.
  private SetEntry entry;
  private boolean adds;
  private boolean exist;
  private long portTo;

  RangeWalk(HashTypeSet set) {
    this.set = set;
    this.type = set.type;
    first = type.parts.get(0) == Part.IP || type.parts.get(0) == Part.NET;
    firstIsNet = type.parts.get(0) == Part.NET;
    Part last = type.parts.get(type.parts.size() - 1);
    second = type.parts.size() > 1 && (last == Part.IP || last == Part.NET);
    secondIsNet = second && last == Part.NET;
    port = type.parts.contains(Part.PORT);
  }

  /** Adds or deletes all that the entry says, up to the first error. */
  int each(SetEntry entry, boolean adds, boolean exist) {
    this.entry = entry;
    this.adds = adds;
    this.exist = exist;
    SetError refusal = refusal();
    if (refusal != null) {
      return refusal.code;
    }
    if (type == SetType.HASH_IP || type == SetType.HASH_IPPORT || type == SetType.HASH_NETNET) {
      mask(entry.ip);
    }
    if (type == SetType.HASH_NETNET) {
      mask(entry.ip2);
    }
    refusal = zero();
    if (refusal != null) {
      return refusal.code;
    }
    copy();
    portTo = Math.max(one.port, entry.portTo);
    one.port = entry.portTo < 0 ? one.port : Math.min(one.port, entry.portTo);
    if (!set.options.inet6 && entry.ipTo != SetEntry.NONE
        || !set.options.inet6 && entry.cidr >= 0 && !firstIsNet) {
      return range();
    }
    if (firstIsNet) {
      one.cidr = entry.cidr < 0 ? set.layout.hostBits : entry.cidr;
      maskPrefix(one.ip, one.cidr);
    }
    return ports();
  }

  private SetError refusal() {
    boolean inet6 = set.options.inet6;
    SetError refusal = set.extensions.refusal(entry);
    if (refusal != null) {
      return refusal;
    }
    if (inet6 && (entry.ipTo != SetEntry.NONE || entry.ip2To != SetEntry.NONE)) {
      return SetError.RANGE_UNSUPPORTED;
    }
    boolean anyLength = type == SetType.HASH_NETPORTNET || type == SetType.HASH_NETIFACE;
    if ((entry.cidr == 0 || entry.cidr2 == 0) && !anyLength
        || inet6 && !firstIsNet && entry.cidr >= 0 && entry.cidr != set.layout.hostBits) {
      return SetError.INVALID_CIDR;
    }
    if (port && entry.protocol == 0) {
      return SetError.INVALID_PROTO;
    }
    boolean all = entry.ip[0] == 0 && entry.ipTo == 0xFFFFFFFFL && firstIsNet;
    boolean all2 = entry.ip2[0] == 0 && entry.ip2To == 0xFFFFFFFFL && secondIsNet;
    return all || all2 ? SetError.HASH_RANGE : null;
  }

  private void mask(int[] address) {
    if (!set.options.inet6) {
      address[0] &= set.addressMask();
    } else if (set.options.netmask != 0) {
      Ip6.mask(address, set.options.netmask);
    } else if (set.options.bitmask != null) {
      for (int i = 0; i < 4; i++) {
        address[i] &= set.options.bitmask[i];
      }
    }
  }

  private void maskPrefix(int[] address, int length) {
    if (set.options.inet6) {
      Ip6.mask(address, length);
    } else {
      address[0] &= Ip4.mask(length);
    }
  }

  /** Elements of zero that a type cannot store. */
  private SetError zero() {
    boolean zero = (entry.ip[0] | entry.ip[1] | entry.ip[2] | entry.ip[3]) == 0;
    return switch (type) {
      case HASH_IP -> zero ? SetError.HASH_ELEM : null;
      case HASH_IPPORT -> {
        boolean masked = set.options.netmask != 0 || set.options.bitmask != null;
        yield masked && zero ? SetError.INVALID : null;
      }
      case HASH_IPMARK ->
          zero && (entry.mark & set.options.markmask) == 0 ? SetError.HASH_ELEM : null;
      case HASH_MAC, HASH_IPMAC -> entry.mac == 0 ? SetError.HASH_ELEM : null;
      default -> null;
    };
  }

  /** {@link #one} becomes the entry without its ranges. */
  private void copy() {
    one.reset(entry.at);
    System.arraycopy(entry.ip, 0, one.ip, 0, 4);
    System.arraycopy(entry.ip2, 0, one.ip2, 0, 4);
    one.protocol = entry.protocol;
    boolean hasPort =
        PacketElement.hasPorts(entry.protocol)
            || entry.protocol == IpHeader.IPPROTO_ICMP
            || entry.protocol == ElementText.IPPROTO_ICMPV6 && set.options.inet6;
    one.port = hasPort ? entry.port : 0;
    one.mac = entry.mac;
    one.mark = entry.mark & set.options.markmask;
    one.iface = entry.iface;
    one.physdev = entry.physdev;
    one.wildcard = entry.wildcard;
    one.nomatch = entry.nomatch;
    one.timeout = entry.timeout;
    one.packets = entry.packets;
    one.bytes = entry.bytes;
    one.comment = entry.comment;
    one.skbMark = entry.skbMark;
    one.skbMask = entry.skbMask;
    one.skbPriority = entry.skbPriority;
    one.skbQueue = entry.skbQueue;
    one.cidr = set.layout.hostBits;
    one.cidr2 = set.layout.hostBits;
  }

  /** The first part, from one end to the other. */
  private int range() {
    long from = Integer.toUnsignedLong(one.ip[0]);
    long to = entry.ipTo;
    if (entry.ipTo == SetEntry.NONE) {
      from &= Ip4.mask(entry.cidr) & 0xFFFFFFFFL;
      to = from | ~Ip4.mask(entry.cidr) & 0xFFFFFFFFL;
    } else if (from > to) {
      if (to == 0 && (type == SetType.HASH_IP || type == SetType.HASH_IPMARK && one.mark == 0)) {
        return SetError.HASH_ELEM.code;
      }
      to = from;
      from = entry.ipTo;
    }
    long step =
        type == SetType.HASH_IP && set.options.netmask != 0 ? 1L << 32 - set.options.netmask : 1;
    for (long at = from; at <= to; at += step) {
      one.ip[0] = (int) at;
      if (firstIsNet) {
        one.cidr = largestPrefix((int) at, (int) to);
        at += (1L << 32 - one.cidr) - 1;
      }
      int result = ports();
      if (result != IpSet.NONE) {
        return result;
      }
    }
    return IpSet.NONE;
  }

  /** Plays ip_set_range_to_cidr: the widest network that begins here and ends in time. */
  static int largestPrefix(int from, int to) {
    for (int length = 1; length < 32; length++) {
      int last = from | ~Ip4.mask(length);
      // Linux compares by the sign of the difference, whatever the distance.
      if ((from & Ip4.mask(length)) == from && to - last >= 0) {
        return length;
      }
    }
    return 32;
  }

  private int ports() {
    if (!port) {
      return second();
    }
    int start = one.port;
    for (int at = start; at <= portTo; at++) {
      one.port = at;
      int result = second();
      if (result != IpSet.NONE) {
        return result;
      }
    }
    one.port = start;
    return IpSet.NONE;
  }

  private int second() {
    if (!secondIsNet) {
      return element();
    }
    one.ip2[0] = entry.ip2[0];
    if (entry.ip2To == SetEntry.NONE) {
      one.cidr2 = entry.cidr2 < 0 ? set.layout.hostBits : entry.cidr2;
      maskPrefix(one.ip2, one.cidr2);
      return element();
    }
    long given = Integer.toUnsignedLong(entry.ip2[0]);
    long to = Math.max(given, entry.ip2To);
    for (long at = Math.min(given, entry.ip2To); at <= to; ) {
      one.ip2[0] = (int) at;
      one.cidr2 = largestPrefix((int) at, (int) to);
      int result = element();
      if (result != IpSet.NONE) {
        return result;
      }
      at += 1L << 32 - one.cidr2;
    }
    return IpSet.NONE;
  }

  private int element() {
    int result = adds ? set.insert(one, exist) : set.remove(one);
    while (result == IpSet.RESIZE) {
      set.resize();
      result = set.insert(one, exist);
    }
    boolean known = result == SetError.EXIST.code || result == SetError.NOT_THERE.code;
    return known && exist ? IpSet.NONE : result;
  }
}
