// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_CONFIRMED;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_DYING;

/**
 * Plays nf_conntrack_ecache.c: an entry's events gather in it while a packet passes and are told
 * together when the packet is confirmed.
 */
final class ConntrackEcache {
  private final Conntrack conntrack;
  private ConntrackEventListener listener;

  ConntrackEcache(Conntrack conntrack) {
    this.conntrack = conntrack;
  }

  /** See {@link Conntrack#setEventListener}. */
  void setListener(ConntrackEventListener listener) {
    this.listener = listener;
  }

  /**
   * Plays nf_ct_ecache_ext_add's choice: does an entry made now keep its events?
   * nf_conntrack_events is 0 for none but those that a rule masks, 1 for all, 2 for all while
   * somebody listens.
   *
   * @param masks {@link ConntrackExtensions#EVENT_MASKS} that a rule asks for
   */
  boolean wanted(int masks) {
    long events = conntrack.sysctls.events;
    return events == 0 ? masks != 0 : events == 1 || listener != null;
  }

  /** Plays nf_ct_deliver_cached_events. */
  void deliver(int ct) {
    int references = conntrack.memory.get(ct, ConntrackMemory.REFERENCES);
    int events = references >>> 16;
    if (events == 0 || (conntrack.status(ct) & (IPS_CONFIRMED | IPS_DYING)) != IPS_CONFIRMED) {
      return;
    }
    conntrack.memory.set(ct, ConntrackMemory.REFERENCES, references & 0xFFFF);
    report(ct, events);
  }

  /** Plays nf_conntrack_eventmask_report and ctnetlink_conntrack_event. */
  void report(int ct, int events) {
    if (listener == null
        || (conntrack.memory.get(ct, ConntrackMemory.META) & ConntrackMemory.META_EVENTS) == 0) {
      return;
    }
    int masks = conntrack.extension(ct, ConntrackExtensions.EVENT_MASKS);
    if (masks != 0 && (masks & 0xFFFF & events) == 0) {
      return;
    }
    ConntrackEventListener.Type type =
        (events & ConntrackEvents.DESTROY) != 0
            ? ConntrackEventListener.Type.DESTROY
            : (events & (ConntrackEvents.NEW | ConntrackEvents.RELATED)) != 0
                ? ConntrackEventListener.Type.NEW
                : ConntrackEventListener.Type.UPDATE;
    listener.event(type, conntrack, ct, events);
  }
}
