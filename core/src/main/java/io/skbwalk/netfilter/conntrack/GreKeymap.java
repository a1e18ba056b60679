// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import java.util.ArrayList;
import java.util.List;

/**
 * Plays the keymap of nf_conntrack_proto_gre.c: a packet of enhanced GRE (RFC 2637) carries the
 * call id of whom it goes to only; here stands which id the other side has in that call.
 */
public final class GreKeymap {
  private final List<ConntrackTuple> entries = new ArrayList<>();

  /** Plays gre_keymap_lookup: the source key for what else {@code tuple} says, 0 for none. */
  int sourceKey(ConntrackTuple tuple) {
    for (int i = 0; i < entries.size(); i++) {
      ConntrackTuple entry = entries.get(i);
      if (isOf(entry, tuple)) {
        return entry.sourcePort;
      }
    }
    return 0;
  }

  private static boolean isOf(ConntrackTuple entry, ConntrackTuple tuple) {
    return entry.source == tuple.source
        && entry.destination == tuple.destination
        && entry.destinationPort == tuple.destinationPort;
  }

  /**
   * Plays nf_ct_gre_keymap_add for one direction of a call.
   *
   * @param held what that direction has already, or null
   * @return what it has now; null when it has something else already
   */
  public ConntrackTuple add(ConntrackTuple held, ConntrackTuple tuple) {
    if (held != null) {
      return isOf(held, tuple) ? held : null;
    }
    ConntrackTuple entry = new ConntrackTuple();
    entry.set(tuple);
    entries.add(entry);
    return entry;
  }

  /** Plays nf_ct_gre_keymap_destroy for what {@link #add} gave; nothing when that is null. */
  public void remove(ConntrackTuple entry) {
    entries.removeIf(one -> one == entry);
  }
}
