// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

/**
 * Plays struct nf_conn_help: what a connection with a helper carries besides its entry. A helper
 * that remembers something of each connection has a subclass of it.
 */
public class ConntrackHelp {
  private final ConntrackHelper helper;
  private final int[] expecting = new int[ConntrackHelper.MAX_EXPECT_CLASSES];
  private ConntrackExpect newest;

  /** A connection that {@code helper} looks into. */
  public ConntrackHelp(ConntrackHelper helper) {
    this.helper = helper;
  }

  /** Who looks into the connection's packets. */
  public final ConntrackHelper helper() {
    return helper;
  }

  /** How many connections of that class are expected. */
  public final int expecting(int expectClass) {
    return expecting[expectClass];
  }

  /** What was announced last, null for nothing; go on with {@link #older}. */
  public final ConntrackExpect newest() {
    return newest;
  }

  /** What was announced before {@code expect}, or null. */
  public static ConntrackExpect older(ConntrackExpect expect) {
    return expect.nextOfMaster;
  }

  final ConntrackExpect oldest(int expectClass) {
    ConntrackExpect oldest = null;
    for (ConntrackExpect at = newest; at != null; at = at.nextOfMaster) {
      if (at.expectClass == expectClass) {
        oldest = at;
      }
    }
    return oldest;
  }

  final void add(ConntrackExpect expect) {
    expect.nextOfMaster = newest;
    newest = expect;
    expecting[expect.expectClass]++;
  }

  final void remove(ConntrackExpect expect) {
    expecting[expect.expectClass]--;
    if (newest == expect) {
      newest = expect.nextOfMaster;
      return;
    }
    ConntrackExpect at = newest;
    while (at.nextOfMaster != expect) {
      at = at.nextOfMaster;
    }
    at.nextOfMaster = expect.nextOfMaster;
  }
}
