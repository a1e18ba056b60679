// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import static io.skbwalk.netfilter.conntrack.ConntrackInfo.ORIGINAL;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.REPLY;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_ASSURED;

import io.skbwalk.lib.LinearHash;

/**
 * Plays nf_conntrack_hash: the entries by their tuples, each under that of both directions. A node
 * is a handle times 2 plus the direction.
 */
final class ConntrackHash extends LinearHash {
  /** NF_CT_EVICTION_RANGE: chains that early_drop looks at. */
  private static final int EVICTION_RANGE = 8;

  private final Conntrack conntrack;
  private final ConntrackMemory memory;

  ConntrackHash(Conntrack conntrack) {
    this.conntrack = conntrack;
    memory = conntrack.memory;
  }

  @Override
  protected int next(int node) {
    return memory.get(node >>> 1, ConntrackMemory.NEXT_ORIGINAL + (node & 1));
  }

  @Override
  protected void setNext(int node, int next) {
    memory.set(node >>> 1, ConntrackMemory.NEXT_ORIGINAL + (node & 1), next);
  }

  @Override
  protected int hash(int node) {
    return hash(node >>> 1, node & 1);
  }

  static int hash(ConntrackTuple tuple, int zone) {
    return mix(tuple.source, tuple.destination, tuple.ports(), tuple.protocol << 16 | zone);
  }

  private int hash(int ct, int direction) {
    int[] words = memory.chunk(ct);
    int base = ConntrackMemory.offset(ct);
    int at = base + direction * 3;
    return mix(
        words[at],
        words[at + ConntrackMemory.DESTINATION],
        words[at + ConntrackMemory.PORTS],
        (words[base + ConntrackMemory.META] & 0xFF) << 16 | conntrack.zone(ct, direction));
  }

  /** The zone that a tuple of {@code direction} lies in. */
  static int zoneOf(int zone, int directions, int direction) {
    return (directions & 1 << direction) == 0 ? 0 : zone;
  }

  /** Enters a direction of {@code ct}. */
  void add(int ct, int direction) {
    insert(ct << 1 | direction, hash(ct, direction));
  }

  /** Takes a direction of {@code ct} out again. */
  void take(int ct, int direction) {
    remove(ct << 1 | direction, hash(ct, direction));
  }

  /**
   * Plays nf_conntrack_find_get without taking a reference: the entry one of whose tuples is {@code
   * tuple} in the zone.
   *
   * @param directions ZONE_DIR_ bits of {@code zone}
   * @return handle times 2 plus direction, 0 for none
   */
  int find(ConntrackTuple tuple, int zone, int directions) {
    int originalZone = zoneOf(zone, directions, ORIGINAL);
    int replyZone = zoneOf(zone, directions, REPLY);
    int node = find(tuple, originalZone, originalZone, replyZone);
    if (node == 0 && originalZone != replyZone) {
      node = find(tuple, replyZone, originalZone, replyZone);
    }
    return node;
  }

  /**
   * The same where the zones of both directions are known; {@code hashZone} is the one of the two
   * that the tuple is looked for in.
   */
  int find(ConntrackTuple tuple, int hashZone, int originalZone, int replyZone) {
    int ports = tuple.ports();
    int node = head(bucket(hash(tuple, hashZone)));
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
          && conntrack.zone(ct, node & 1) == ((node & 1) == 0 ? originalZone : replyZone)) {
        if (isExpired(ct)) {
          // Only a timeout of no time at all gets here: the wheel turns tick by tick.
          conntrack.delete(ct);
          return find(tuple, hashZone, originalZone, replyZone);
        }
        return node;
      }
      node = next;
    }
    return 0;
  }

  private boolean isExpired(int ct) {
    return memory.get(ct, ConntrackMemory.TIMEOUT) - (int) conntrack.net.clock.jiffies() <= 0;
  }

  /**
   * Plays nf_conntrack_tuple_taken: would {@code tuple} as reply tuple of {@code ct} clash with
   * another entry? Entries with the very same original tuple do not count: clash resolution merges
   * them.
   */
  boolean tupleTaken(ConntrackTuple tuple, int ct) {
    int replyZone = conntrack.zone(ct, REPLY);
    int originalZone = conntrack.zone(ct, ORIGINAL);
    int ports = tuple.ports();
    int node = head(bucket(hash(tuple, replyZone)));
    while (node != 0) {
      int other = node >>> 1;
      int direction = node & 1;
      node = next(node);
      if (other == ct
          || conntrack.source(other, direction) != tuple.source
          || conntrack.destination(other, direction) != tuple.destination
          || memory.get(other, direction * 3 + ConntrackMemory.PORTS) != ports
          || conntrack.protocol(other) != tuple.protocol
          || conntrack.zone(other, direction)
              != (direction == ORIGINAL ? originalZone : replyZone)) {
        continue;
      }
      if (isExpired(other)) {
        conntrack.delete(other);
        return tupleTaken(tuple, ct);
      }
      if (conntrack.sameTuple(other, ct, ORIGINAL)
          && conntrack.zone(other, ORIGINAL) == originalZone) {
        continue;
      }
      return true;
    }
    return false;
  }

  /**
   * Plays early_drop: deletes the entries that are not ASSURED of the first of eight neighbouring
   * chains that has any. The chains are those of a table of nf_conntrack_buckets, so that a small
   * limit is as hard as in Linux.
   */
  boolean earlyDrop(int hash) {
    int virtual = Integer.highestOneBit((int) conntrack.sysctls.buckets);
    for (int i = 0; i < EVICTION_RANGE; i++) {
      int wanted = hash + i & virtual - 1;
      int drops = 0;
      int buckets = buckets();
      if (virtual > buckets) {
        drops = dropChain(bucket(wanted), virtual - 1, wanted);
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
    int node = head(bucket);
    while (node != 0) {
      int ct = node >>> 1;
      if ((hash(node) & mask) == wanted && !conntrack.has(ct, IPS_ASSURED)) {
        conntrack.delete(ct);
        drops++;
        node = head(bucket);
      } else {
        node = next(node);
      }
    }
    return drops;
  }
}
