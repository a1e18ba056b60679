// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.ipset;

import io.skbwalk.kernel.Clock;
import io.skbwalk.lib.Ip4;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;

/**
 * Plays ip_set_bitmap_gen.h with ip_set_bitmap_ip.c, _ipmac.c and _port.c: a bit for each address,
 * network or port of a range.
 */
final class BitmapSet extends IpSet {
  private static final int HOST = 32;

  // What setting a bit came to (enum in ip_set_bitmap.h).
  private static final int NEW = 0;
  private static final int FAILED = 1;
  private static final int START_STORED_TIMEOUT = 2;
  private static final int STORE_PLAIN_TIMEOUT = -1;

  private final int netmask;

  /** Addresses or ports that share a bit. */
  private final long hosts;

  private final long created;
  private final long[] members;

  /** bitmap:ip,mac: the Ethernet address of each element, -1 while it has none. */
  private final long[] macs;

  private final SetEntry shown = new SetEntry();

  /** The number of bits that a set of these options has, unsigned. */
  static long elements(SetOptions options) {
    return options.netmask == 0
        ? Integer.toUnsignedLong(options.to) - Integer.toUnsignedLong(options.from) + 1
        : 1L << options.netmask - rangeLength(options);
  }

  /** Plays range_to_mask: the longest prefix, below 32, under which the end is the beginning. */
  static int rangeLength(SetOptions options) {
    int length = HOST - 1;
    while (length > 0 && (options.to & Ip4.mask(length)) != options.from) {
      length--;
    }
    return length;
  }

  BitmapSet(SetOptions options, Clock clock) {
    super(options, clock);
    netmask = options.netmask == 0 ? HOST : options.netmask;
    hosts = 1L << HOST - netmask;
    created = clock.jiffies();
    int elements = (int) elements(options);
    members = new long[(elements >>> 6) + 1];
    macs = type == SetType.BITMAP_IPMAC ? new long[elements] : null;
    extensions.ensure(elements);
  }

  private boolean isMember(int id) {
    return (members[id >>> 6] & 1L << id) != 0;
  }

  private void setMember(int id, boolean member) {
    if (member) {
      members[id >>> 6] |= 1L << id;
    } else {
      members[id >>> 6] &= ~(1L << id);
    }
  }

  private boolean isInside(int address) {
    return Integer.compareUnsigned(address, options.from) >= 0
        && Integer.compareUnsigned(address, options.to) <= 0;
  }

  private int id(int address) {
    return (int) (Integer.toUnsignedLong((address & Ip4.mask(netmask)) - options.from) / hosts);
  }

  // ---- what rules ask ---------------------------------------------------------------------------

  /** The bit that the packet's element has, or -1 when it cannot be in the set. */
  private int id(SkBuff skb, SetQuery query, SetEntry entry) {
    if (type == SetType.BITMAP_PORT) {
      boolean known =
          PacketElement.read(type, skb, query, entry)
              && (entry.protocol == IpHeader.IPPROTO_TCP || entry.protocol == IpHeader.IPPROTO_UDP);
      return known && isInside(entry.port) ? entry.port - options.from : -1;
    }
    return PacketElement.read(type, skb, query, entry) && isInside(entry.ip[0])
        ? id(entry.ip[0])
        : -1;
  }

  @Override
  int testPacket(SkBuff skb, SetQuery query) {
    SetEntry entry = packetEntry(skb, query);
    int id = id(skb, query, entry);
    if (id < 0 || !isMember(id)) {
      return NONE;
    }
    if (macs != null) {
      if (macs[id] < 0) {
        return INCOMPLETE;
      }
      if (macs[id] != entry.mac) {
        return NONE;
      }
    }
    query.foundIn = this;
    query.found = id;
    return extensions.matches(id, query, query.skipsCounters, query.comparesCounters, skb.length())
        ? MATCH
        : NONE;
  }

  @Override
  int addPacket(SkBuff skb, SetQuery query) {
    SetEntry entry = packetEntry(skb, query);
    int id = id(skb, query, entry);
    query.foundIn = this;
    query.found = id;
    return id < 0 ? SetError.BITMAP_RANGE.code : insert(id, entry, query.exist);
  }

  @Override
  int deletePacket(SkBuff skb, SetQuery query) {
    int id = id(skb, query, packetEntry(skb, query));
    query.foundIn = this;
    query.found = id;
    return id < 0 ? SetError.BITMAP_RANGE.code : remove(id);
  }

  // ---- elements ---------------------------------------------------------------------------------

  /** Plays mtype_add. */
  private int insert(int id, SetEntry entry, boolean exist) {
    collect(id);
    int outcome = setBit(id, entry.mac, exist);
    if (outcome == FAILED) {
      if (extensions.isExpired(id)) {
        outcome = NEW;
      } else if (!exist) {
        return SetError.EXIST.code;
      }
      extensions.forget(id);
    }
    if (outcome == START_STORED_TIMEOUT) {
      // Linux begins the element anew, its comment too.
      extensions.forget(id);
    }
    long stored = extensions.expires(id);
    extensions.start(id, entry);
    if (macs != null && extensions.timeouts) {
      long seconds = extensions.seconds(entry);
      if (outcome == START_STORED_TIMEOUT) {
        // A timeout of its own that was stored wins over the set's.
        extensions.setTimeout(id, seconds == options.timeout ? stored : seconds);
      } else if (entry.mac == SetEntry.NONE) {
        extensions.storeTimeout(id, seconds);
      }
    }
    setMember(id, true);
    return NONE;
  }

  /** Plays bitmap_ip_do_add and bitmap_ipmac_do_add. */
  private int setBit(int id, long mac, boolean exist) {
    boolean member = isMember(id);
    if (macs == null) {
      return member ? FAILED : NEW;
    }
    boolean given = mac != SetEntry.NONE;
    if (!member) {
      macs[id] = mac;
      return given ? NEW : STORE_PLAIN_TIMEOUT;
    }
    if (macs[id] >= 0) {
      if (given && exist) {
        macs[id] = mac;
      }
      return FAILED;
    }
    if (!given) {
      return FAILED;
    }
    macs[id] = mac;
    return START_STORED_TIMEOUT;
  }

  /** Plays mtype_del. */
  private int remove(int id) {
    collect(id);
    if (!isMember(id)) {
      return SetError.NOT_THERE.code;
    }
    setMember(id, false);
    extensions.forget(id);
    return extensions.isExpired(id) ? SetError.NOT_THERE.code : NONE;
  }

  /** Plays mtype_gc for one element: it went when the collector last ran after its time. */
  private void collect(int id) {
    if (isMember(id) && timeRuns(id) && extensions.isExpired(id)) {
      long period = GarbagePeriod.ticks(options.timeout);
      long lastRun = created + (clock.jiffies() - created) / period * period;
      if (extensions.expires(id) < lastRun) {
        setMember(id, false);
        extensions.forget(id);
      }
    }
  }

  // ---- what the user asks -----------------------------------------------------------------------

  @Override
  int add(SetEntry entry, boolean exist) {
    return each(entry, true, exist);
  }

  @Override
  int delete(SetEntry entry, boolean exist) {
    return each(entry, false, exist);
  }

  /** Plays bitmap_ip_uadt, bitmap_ipmac_uadt and bitmap_port_uadt. */
  private int each(SetEntry entry, boolean adds, boolean exist) {
    SetError refusal = extensions.refusal(entry);
    if (refusal != null) {
      return refusal.code;
    }
    boolean ports = type == SetType.BITMAP_PORT;
    int first = ports ? entry.port : entry.ip[0];
    if (!isInside(first)) {
      return SetError.BITMAP_RANGE.code;
    }
    int last = first;
    if (ports && entry.portTo >= 0) {
      last = entry.portTo;
    } else if (entry.ipTo != SetEntry.NONE) {
      last = (int) entry.ipTo;
    } else if (entry.cidr == 0) {
      return SetError.INVALID_CIDR.code;
    } else if (entry.cidr > 0) {
      first &= Ip4.mask(entry.cidr);
      last = first | ~Ip4.mask(entry.cidr);
    }
    if (Integer.compareUnsigned(first, last) > 0) {
      int swap = first;
      first = last;
      last = swap;
    }
    if (!isInside(first) || !isInside(last)) {
      return SetError.BITMAP_RANGE.code;
    }
    long end = Integer.toUnsignedLong(last);
    for (long at = Integer.toUnsignedLong(first); at <= end; at += hosts) {
      int id = ports ? (int) at - options.from : id((int) at);
      int result = adds ? insert(id, entry, exist) : remove(id);
      if (result != NONE && !exist) {
        return result;
      }
    }
    return NONE;
  }

  @Override
  void flush() {
    for (int id = 0; id < members.length * 64; id++) {
      if (isMember(id)) {
        extensions.forget(id);
      }
    }
    java.util.Arrays.fill(members, 0);
  }

  // ---- for people -------------------------------------------------------------------------------

  @Override
  void appendOwn(StringBuilder out, String option) {
    if (option.equals("range")) {
      boolean ports = type == SetType.BITMAP_PORT;
      out.append(" range ").append(ports ? "" + options.from : Ip4.format(options.from));
      out.append('-').append(ports ? "" + options.to : Ip4.format(options.to));
    }
  }

  private boolean isListed(int id) {
    return isMember(id) && !(timeRuns(id) && extensions.isExpired(id));
  }

  @Override
  void appendElements(StringBuilder out) {
    for (int id = 0; id < members.length * 64; id++) {
      if (isListed(id)) {
        appendElement(out, id);
      }
    }
  }

  @Override
  public int size() {
    int size = 0;
    for (int id = 0; id < members.length * 64; id++) {
      size += isListed(id) ? 1 : 0;
    }
    return size;
  }

  @Override
  boolean timeRuns(int id) {
    return macs == null || macs[id] >= 0;
  }

  @Override
  String element(int id) {
    if (type == SetType.BITMAP_PORT) {
      return Integer.toString(options.from + id);
    }
    String address = Ip4.format((int) (options.from + id * hosts));
    if (!timeRuns(id) || macs == null) {
      return address;
    }
    shown.ip[0] = options.from + id;
    shown.mac = macs[id];
    return ElementText.of(type, shown, false);
  }

  @Override
  int peek(SkBuff skb, SetQuery query) {
    SetEntry entry = packetEntry(skb, query);
    int id = id(skb, query, entry);
    return id >= 0 && isMember(id) && (macs == null || macs[id] < 0 || macs[id] == entry.mac)
        ? id
        : -1;
  }

  @Override
  String packetElement(SkBuff skb, SetQuery query) {
    SetEntry entry = packetEntry(skb, query);
    return PacketElement.read(type, skb, query, entry) ? ElementText.of(type, entry, false) : null;
  }
}
