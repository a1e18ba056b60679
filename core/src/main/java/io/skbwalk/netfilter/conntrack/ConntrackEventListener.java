// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

/** Plays ctnetlink's event notifier: is told of events in order, those of a packet at its end. */
@FunctionalInterface
public interface ConntrackEventListener {
  /** The three groups that {@code conntrack -E} prints. */
  enum Type {
    /** NFNLGRP_CONNTRACK_NEW. */
    NEW,
    /** NFNLGRP_CONNTRACK_UPDATE. */
    UPDATE,
    /** NFNLGRP_CONNTRACK_DESTROY. */
    DESTROY
  }

  /**
   * Something happened to {@code entry}, whose accessors still answer; {@link
   * ConntrackPrinter#event} gives the line.
   *
   * @param entry handle in {@code conntrack}; do not keep it
   * @param events bits of {@link ConntrackEvents}
   */
  void event(Type type, Conntrack conntrack, int entry, int events);
}
