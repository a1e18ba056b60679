// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import io.skbwalk.kernel.Timer;

/**
 * Plays struct nf_conntrack_expect: a connection that another one, its master, has announced.
 *
 * <p>Whoever expects something makes one with {@link Conntrack#expect}, sets what is special about
 * it, and hands it to {@link ConntrackExpectations#related}.
 */
public final class ConntrackExpect extends Timer {
  /** NF_CT_EXPECT_PERMANENT: stays when its connection has come. */
  public static final int PERMANENT = 1;

  /** NF_CT_EXPECT_INACTIVE: announced, but not to be found yet. */
  public static final int INACTIVE = 1 << 1;

  /** NF_CT_EXPECT_USERSPACE: made by a program. */
  public static final int USERSPACE = 1 << 2;

  /** Plays the callback expectfn: does something to the connection that has come. */
  @FunctionalInterface
  public interface ExpectFunction {
    /** {@code ct} is fresh: nothing about it has been translated and no packet has been tracked. */
    void expected(int ct, ConntrackExpect expect);
  }

  private final ConntrackExpectations table;

  /** What its first packet looks like; where the mask of the source is 0, anything. */
  public final ConntrackTuple tuple = new ConntrackTuple();

  /** Bits of the source address that count. */
  public int maskSource;

  /** Bits of the source port that count. */
  public int maskSourcePort;

  /** The connection that announced it. */
  public final int master;

  /** Index of its policy in the helper. */
  public int expectClass;

  /** The bits above. */
  public int flags;

  /** The helper that announced it, for listings; null for none. */
  public ConntrackHelper helper;

  /** The helper of the connection to come; null for none. */
  public ConntrackHelper assignHelper;

  /** Called when the connection comes; null for nobody. */
  public ExpectFunction expectFunction;

  /** NAT: the address that was announced, before it was translated. */
  public int savedAddress;

  /** NAT: the port that was announced, before it was translated. */
  public int savedPort;

  /** NAT: the direction of the master that the connection will come in. */
  public int direction;

  /** Expected connections lie in the zone of their master. */
  int zone;

  /** When it runs out. */
  long expiresTick;

  ConntrackExpect nextInHash;
  ConntrackExpect nextOfMaster;

  ConntrackExpect(ConntrackExpectations table, int master) {
    this.table = table;
    this.master = master;
  }

  /**
   * Plays nf_ct_expect_init for a connection from {@code source} and any port.
   *
   * @param source 0 for any
   */
  public ConntrackExpect to(int source, int destination, int protocol, int destinationPort) {
    tuple.source = source;
    maskSource = source == 0 ? 0 : -1;
    tuple.destination = destination;
    tuple.protocol = protocol;
    tuple.destinationPort = destinationPort;
    return this;
  }

  /** Only from that source port. */
  public ConntrackExpect fromPort(int port) {
    tuple.sourcePort = port;
    maskSourcePort = 0xFFFF;
    return this;
  }

  /** Is it in the table? */
  public boolean isExpected() {
    return isPending();
  }

  /** Plays nf_ct_tuple_mask_cmp. */
  boolean matches(ConntrackTuple other) {
    return matches(other, maskSource, maskSourcePort);
  }

  private boolean matches(ConntrackTuple other, int sourceMask, int portMask) {
    return ((tuple.source ^ other.source) & sourceMask) == 0
        && ((tuple.sourcePort ^ other.sourcePort) & portMask) == 0
        && tuple.destination == other.destination
        && tuple.destinationPort == other.destinationPort
        && tuple.protocol == other.protocol;
  }

  /** Plays expect_matches: do both expect the very same? */
  boolean sameAs(ConntrackExpect other) {
    return tuple.sameAs(other.tuple)
        && maskSource == other.maskSource
        && maskSourcePort == other.maskSourcePort
        && zone == other.zone;
  }

  /** Plays expect_clash: could one packet be of both? */
  boolean clashes(ConntrackExpect other) {
    return matches(
            other.tuple, maskSource & other.maskSource, maskSourcePort & other.maskSourcePort)
        && zone == other.zone;
  }

  @Override
  protected void expired() {
    table.remove(this);
  }
}
