// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import io.skbwalk.device.NetDevice;
import io.skbwalk.kernel.Timer;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.Mac;
import io.skbwalk.skb.SkBuffQueue;
import java.util.Locale;

/** Plays struct neighbour: what is known of one address on one link, and what waits for it. */
public final class Neighbour extends Timer {
  /** Plays the NUD_ states, as `ip neigh` names them. */
  public enum State {
    /** Just made. */
    NONE,
    /** Asked for. */
    INCOMPLETE,
    /** Confirmed lately. */
    REACHABLE,
    /** Known, not confirmed lately. */
    STALE,
    /** Known, used, and about to be asked. */
    DELAY,
    /** Known, being asked. */
    PROBE,
    /** Did not answer. */
    FAILED,
    /** Needs no asking: broadcast, loopback. */
    NOARP,
    /** Given by the user. */
    PERMANENT;

    /** NUD_CONNECTED: may be used without further thought. */
    public boolean isConnected() {
      return this == REACHABLE || this == NOARP || this == PERMANENT;
    }

    /** NUD_VALID: its link-layer address is known. */
    public boolean isValid() {
      return isConnected() || this == STALE || this == DELAY || this == PROBE;
    }
  }

  /** Its IPv4 address. */
  public final int address;

  /** The interface it is on. */
  public final NetDevice dev;

  private final Neighbours table;
  final NeighbourParameters parameters;
  final SkBuffQueue queue = new SkBuffQueue();

  State state = State.NONE;
  long mac;
  int probes;
  int queuedBytes;

  /** Virtual times, nanoseconds since the epoch. */
  long confirmed;

  long updated;
  long used;

  /** Next with the same hash. */
  Neighbour next;

  Neighbour(Neighbours table, int address, NetDevice dev, NeighbourParameters parameters) {
    this.table = table;
    this.address = address;
    this.dev = dev;
    this.parameters = parameters;
  }

  /** Its state. */
  public State state() {
    return state;
  }

  /** Its Ethernet address; meaningful in a valid state. */
  public long macAddress() {
    return mac;
  }

  @Override
  protected void expired() {
    table.expired(this);
  }

  /** As `ip neigh` prints it. */
  @Override
  public String toString() {
    return Ip4.format(address)
        + " dev "
        + dev
        + (state.isValid() ? " lladdr " + Mac.format(mac) : "")
        + " "
        + state.name().toUpperCase(Locale.ROOT);
  }
}
