// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter;

import java.util.List;

/**
 * Plays the socket of a program as far as rules look at who sends: its file's struct cred. It is
 * the {@link io.skbwalk.skb.SkBuff#sk} of what programs of this machine send.
 *
 * @param uid fsuid, 32 bits without a sign
 * @param gid fsgid, likewise
 * @param groups supplementary groups, likewise
 */
public record SocketOwner(int uid, int gid, List<Integer> groups) {
  /** Whoever nobody has said more of. */
  public static final SocketOwner ROOT = new SocketOwner(0, 0, List.of());

  /** Copies the list. */
  public SocketOwner {
    groups = List.copyOf(groups);
  }
}
