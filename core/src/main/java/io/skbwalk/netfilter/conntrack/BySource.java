// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import static io.skbwalk.netfilter.conntrack.ConntrackInfo.ORIGINAL;

import io.skbwalk.lib.LinearHash;

/**
 * Plays nf_nat_bysource: the entries whose source NAT has been decided, by the source of their
 * original tuple. It lives here because an entry leaves it when it is freed.
 */
final class BySource extends LinearHash {
  private final Conntrack conntrack;

  BySource(Conntrack conntrack) {
    this.conntrack = conntrack;
  }

  @Override
  protected int next(int node) {
    return conntrack.memory.get(node, ConntrackMemory.NEXT_BY_SOURCE);
  }

  @Override
  protected void setNext(int node, int next) {
    conntrack.memory.set(node, ConntrackMemory.NEXT_BY_SOURCE, next);
  }

  @Override
  protected int hash(int node) {
    return hash(
        conntrack.protocol(node),
        conntrack.source(node, ORIGINAL),
        conntrack.sourcePort(node, ORIGINAL),
        conntrack.zone(node, ORIGINAL));
  }

  private static int hash(int protocol, int source, int port, int zone) {
    return mix(source, 0, port, protocol << 16 | zone);
  }

  /** The newest entry whose original tuple has this source, protocol and zone; 0 for none. */
  int first(int protocol, int source, int port, int zone) {
    int ct = head(bucket(hash(protocol, source, port, zone)));
    while (ct != 0 && !isSource(ct, protocol, source, port, zone)) {
      ct = next(ct);
    }
    return ct;
  }

  /** The one after {@code ct} with the same source, protocol and zone; 0 for none. */
  int nextOf(int ct) {
    int next = next(ct);
    while (next != 0
        && !isSource(
            next,
            conntrack.protocol(ct),
            conntrack.source(ct, ORIGINAL),
            conntrack.sourcePort(ct, ORIGINAL),
            conntrack.zone(ct, ORIGINAL))) {
      next = next(next);
    }
    return next;
  }

  private boolean isSource(int ct, int protocol, int source, int port, int zone) {
    return conntrack.source(ct, ORIGINAL) == source
        && conntrack.sourcePort(ct, ORIGINAL) == port
        && conntrack.protocol(ct) == protocol
        && conntrack.zone(ct, ORIGINAL) == zone;
  }
}
