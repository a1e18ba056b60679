// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import static io.skbwalk.netfilter.conntrack.ConntrackInfo.ORIGINAL;

import io.skbwalk.lib.LinearHash;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import java.util.Arrays;

/**
 * Plays nf_conncount.c: how many connections there are with the same key. Each key has a list of
 * tuples that were seen with it, and those whose connection is gone or closed leave the list when
 * it is next looked through.
 *
 * <p>Keys and tuples lie in flat arrays, numbered from 1; what is free is linked through {@code
 * next}.
 */
public final class ConnectionCount {
  /** CONNCOUNT_GC_MAX_COLLECT: so many tuples leave a list at a time. */
  private static final int MOST_COLLECTED = 64;

  private final Conntrack conntrack;
  private final Keys keys = new Keys();
  private final Tuples tuples = new Tuples();
  private final ConntrackTuple tuple = new ConntrackTuple();
  private final ConntrackTuple counted = new ConntrackTuple();
  private int zone;
  private int zoneDirections;

  /** The lists of one rule, all empty (nf_conncount_init). */
  public ConnectionCount(Conntrack conntrack) {
    this.conntrack = conntrack;
  }

  /** Plays struct nf_conncount_rb with its nf_conncount_list. */
  private static final class Keys extends LinearHash {
    int[] address = new int[16];
    int[] zone = new int[16];
    int[] first = new int[16];
    int[] last = new int[16];
    int[] count = new int[16];
    int[] lastGc = new int[16];
    int[] lastGcCount = new int[16];
    int[] next = new int[16];
    int used;
    int free;

    int find(int address, int zone) {
      int key = head(bucket(mix(address, zone, 0, 0)));
      while (key != 0 && (this.address[key] != address || this.zone[key] != zone)) {
        key = next[key];
      }
      return key;
    }

    boolean isFull() {
      return free == 0 && used + 1 == next.length;
    }

    void grow() {
      int size = next.length * 2;
      address = Arrays.copyOf(address, size);
      zone = Arrays.copyOf(zone, size);
      first = Arrays.copyOf(first, size);
      last = Arrays.copyOf(last, size);
      count = Arrays.copyOf(count, size);
      lastGc = Arrays.copyOf(lastGc, size);
      lastGcCount = Arrays.copyOf(lastGcCount, size);
      next = Arrays.copyOf(next, size);
    }

    int add(int address, int zone) {
      int key = free;
      if (key == 0) {
        key = ++used;
      } else {
        free = next[key];
      }
      this.address[key] = address;
      this.zone[key] = zone;
      first[key] = last[key] = count[key] = lastGcCount[key] = 0;
      insert(key, hash(key));
      return key;
    }

    void remove(int key) {
      remove(key, hash(key));
      first[key] = -1;
      next[key] = free;
      free = key;
    }

    @Override
    protected int next(int key) {
      return next[key];
    }

    @Override
    protected void setNext(int key, int following) {
      next[key] = following;
    }

    @Override
    protected int hash(int key) {
      return mix(address[key], zone[key], 0, 0);
    }
  }

  /** Plays struct nf_conncount_tuple. */
  private static final class Tuples {
    int[] source = new int[16];
    int[] destination = new int[16];
    int[] ports = new int[16];

    /** Zone times 1024 plus its directions times 256 plus the protocol. */
    int[] rest = new int[16];

    int[] next = new int[16];
    int used;
    int free;

    int add(ConntrackTuple tuple, int zone, int directions) {
      int one = free;
      if (one != 0) {
        free = next[one];
      } else {
        one = ++used;
        if (one == next.length) {
          int size = one * 2;
          source = Arrays.copyOf(source, size);
          destination = Arrays.copyOf(destination, size);
          ports = Arrays.copyOf(ports, size);
          rest = Arrays.copyOf(rest, size);
          next = Arrays.copyOf(next, size);
        }
      }
      source[one] = tuple.source;
      destination[one] = tuple.destination;
      ports[one] = tuple.ports();
      rest[one] = zone << 10 | directions << 8 | tuple.protocol;
      next[one] = 0;
      return one;
    }

    void read(int one, ConntrackTuple tuple) {
      tuple.source = source[one];
      tuple.destination = destination[one];
      tuple.ports(ports[one]);
      tuple.protocol = rest[one] & 0xFF;
    }
  }

  /**
   * Plays nf_conncount_count_skb: counts the packet's connection under its key.
   *
   * @param address first half of the key
   * @param zoneId second half of the key
   * @return how many there are; 0 when the packet is no connection's, or when it is one whose list
   *     has become empty
   */
  public int count(SkBuff skb, int address, int zoneId) {
    int now = (int) conntrack.net.clock.jiffies();
    int ct = connection(skb);
    if (ct < 0) {
      return 0;
    }
    int key = keys.find(address, zoneId);
    if (key == 0) {
      if (keys.isFull()) {
        collect();
      }
      key = keys.add(address, zoneId);
      keys.lastGc[key] = now;
      append(key);
      keys.lastGcCount[key] = 0;
    } else if (ct != 0
        && conntrack.has(ct, ConntrackStatus.IPS_CONFIRMED)
        && conntrack.has(ct, ConntrackStatus.IPS_ASSURED)) {
      // It has been counted while it was young; only the others are looked at.
      if (now != keys.lastGc[key]) {
        lookThrough(key, now, false);
      }
    } else {
      boolean fresh = ct == 0 || !conntrack.has(ct, ConntrackStatus.IPS_CONFIRMED);
      boolean justLooked =
          now == keys.lastGc[key] && keys.count[key] - keys.lastGcCount[key] < MOST_COLLECTED;
      if (fresh && justLooked || !lookThrough(key, now, true)) {
        append(key);
      }
    }
    return keys.count[key];
  }

  /**
   * Plays get_ct_or_tuple_from_skb: the packet's tuple and zone.
   *
   * @return its connection, 0 for none, -1 when it has no tuple
   */
  private int connection(SkBuff skb) {
    int ct = skb.ct;
    zone = ct == 0 ? 0 : conntrack.zoneId(ct);
    zoneDirections = ct == 0 ? ConntrackEntries.ZONE_DIR_BOTH : conntrack.zoneDirections(ct);
    if (ct != 0 && !conntrack.has(ct, ConntrackStatus.IPS_TEMPLATE)) {
      conntrack.tuple(ct, ORIGINAL, tuple);
      return ct;
    }
    int offset = skb.networkHeader + IpHeader.headerLength(skb);
    if (IpHeader.fragmentOffset(skb) != 0
        || offset > skb.tail
        || !ConntrackIn.tupleOf(
            conntrack.greKeys(), skb, skb.networkHeader, offset, IpHeader.protocol(skb), tuple)) {
      return -1;
    }
    return conntrack.find(tuple, zone, zoneDirections) >>> 1;
  }

  private void append(int key) {
    int one = tuples.add(tuple, zone, zoneDirections);
    if (keys.first[key] == 0) {
      keys.first[key] = one;
    } else {
      tuples.next[keys.last[key]] = one;
    }
    keys.last[key] = one;
    keys.count[key]++;
  }

  /**
   * Takes the tuples of gone and closed connections off a list.
   *
   * @param searches stop at the tuple at hand
   * @return was it found?
   */
  private boolean lookThrough(int key, int now, boolean searches) {
    int collected = 0;
    int before = 0;
    int one = keys.first[key];
    while (one != 0 && collected <= MOST_COLLECTED) {
      int after = tuples.next[one];
      tuples.read(one, counted);
      int itsZone = tuples.rest[one] >>> 10;
      int found = conntrack.find(counted, itsZone, tuples.rest[one] >>> 8 & 3) >>> 1;
      if (found != 0 && searches && counted.sameAs(tuple) && inThisZone(found)) {
        return true;
      }
      if (found == 0 || isClosed(found)) {
        take(key, one, before);
        collected++;
      } else {
        before = one;
      }
      one = after;
    }
    keys.lastGc[key] = now;
    keys.lastGcCount[key] = keys.count[key];
    return false;
  }

  private boolean inThisZone(int ct) {
    int ours = (zoneDirections & ConntrackEntries.ZONE_DIR_ORIGINAL) == 0 ? 0 : zone;
    return conntrack.zone(ct, ORIGINAL) == ours;
  }

  /** Plays already_closed. */
  private boolean isClosed(int ct) {
    if (conntrack.protocol(ct) != IpHeader.IPPROTO_TCP) {
      return false;
    }
    int state = conntrack.protocolState(ct);
    return state == TcpStates.TIME_WAIT || state == TcpStates.CLOSE;
  }

  private void take(int key, int one, int before) {
    int after = tuples.next[one];
    if (before == 0) {
      keys.first[key] = after;
    } else {
      tuples.next[before] = after;
    }
    if (keys.last[key] == one) {
      keys.last[key] = before;
    }
    tuples.next[one] = tuples.free;
    tuples.free = one;
    keys.count[key]--;
  }

  /** Plays tree_gc_worker: keys that have no connection left make room, or there is more. */
  private void collect() {
    for (int key = 1; key <= keys.used; key++) {
      // Those that are free already.
      if (keys.first[key] < 0) {
        continue;
      }
      lookThrough(key, keys.lastGc[key], false);
      if (keys.count[key] == 0) {
        keys.remove(key);
      }
    }
    if (keys.size() > keys.next.length / 2) {
      keys.grow();
    }
  }
}
