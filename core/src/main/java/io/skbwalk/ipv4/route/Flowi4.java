// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4.route;

/**
 * Plays struct flowi4: the question to {@link Routing#output}, and part of its answer. Mutable and
 * reused: {@link #reset} before each question.
 */
public final class Flowi4 {
  /** Destination address; 0 is answered with loopback. */
  public int daddr;

  /** Source address, 0 for "choose"; the answer is left here. */
  public int saddr;

  /** Firewall mark. */
  public int mark;

  /** Type of service (all 8 bits as in the header). */
  public int tos;

  /** IP protocol. */
  public int proto;

  /** Index of the interface to leave on, 0 for any; the answer is left here. */
  public int oif;

  /**
   * Index of the interface that policy rules take it to come from: loopback, 1, for own packets.
   */
  public int iif;

  /** Routes of a smaller scope than this (an RT_SCOPE_ constant) do not count. */
  public int scope;

  /** FLOWI_FLAG_ANYSRC: the source need not be an own address. */
  public boolean anySource;

  /** Why there is no route: an errno such as {@link Rtable#ENETUNREACH}; 0 when there is one. */
  public int error;

  /** A question of this machine's own about {@code daddr}, everything else open. */
  public Flowi4 reset(int daddr) {
    this.daddr = daddr;
    saddr = 0;
    mark = 0;
    tos = 0;
    proto = 0;
    oif = 0;
    iif = 1;
    scope = 0;
    anySource = false;
    error = 0;
    return this;
  }
}
