// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.transport;

import io.skbwalk.skb.SkBuff;

/** Is told of each packet that a socket gets. */
@FunctionalInterface
public interface SocketListener {
  /** {@code sock} got {@code skb} or a copy of it; {@code skb} must be neither changed nor kept. */
  void received(Sock sock, SkBuff skb);
}
