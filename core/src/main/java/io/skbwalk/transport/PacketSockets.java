// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.transport;

import io.skbwalk.device.NetworkCore;
import io.skbwalk.skb.SkBuff;

/** Plays net/packet/af_packet.c: sockets that see frames as the interface did. */
final class PacketSockets {
  private PacketSockets() {}

  /** Plays packet_create and packet_rcv for {@code sock}. */
  static void add(Sock sock, NetworkCore core, SocketTable table) {
    core.addTap(
        sock.protocol,
        sock.device,
        (skb, dev) -> {
          if (skb.pktType == SkBuff.PACKET_LOOPBACK) {
            return;
          }
          if (sock.isFull()) {
            sock.drops++;
            return;
          }
          sock.take(skb, skb.tail - skb.macHeader, "packet_rcv", table.listener);
        });
  }
}
