// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import io.skbwalk.lib.Checksum;
import io.skbwalk.skb.IpHeader;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A packet of a scenario as a router before a narrow link would have sent it on: in fragments. */
final class Fragments {
  private static final int FLAGS_OFFSET = 6;
  private static final int MORE = 0x2000;
  private static final int CHECKSUM_OFFSET = 10;
  private static final int OFFSET_MASK = 0x1FFF;

  private Fragments() {}

  /**
   * The fragments in order.
   *
   * @param network where the IP header is
   * @param mtu of the narrow link, as it is written
   */
  static List<byte[]> of(byte[] bytes, int network, YamlValue mtu) {
    int header = bytes.length - network < IpHeader.MIN_LENGTH ? 0 : (bytes[network] & 15) * 4;
    if (header < IpHeader.MIN_LENGTH || network + header > bytes.length) {
      throw mtu.error("only a packet with a whole IPv4 header can be sent in fragments");
    }
    int room = (int) mtu.number(header + 8L, 65_535) - header & ~7;
    int word = ByteBuffer.wrap(bytes).getShort(network + FLAGS_OFFSET) & 0xFFFF;
    int payload = bytes.length - network - header;
    if (payload <= room) {
      throw mtu.error(
          "the packet has " + (payload + header) + " bytes, which need no fragments of that size");
    }
    List<byte[]> parts = new ArrayList<>();
    for (int at = 0; at < payload; at += room) {
      int length = Math.min(room, payload - at);
      byte[] part = Arrays.copyOf(bytes, network + header + length);
      System.arraycopy(bytes, network + header + at, part, network + header, length);
      boolean more = at + length < payload || (word & MORE) != 0;
      ByteBuffer packet = ByteBuffer.wrap(part);
      packet.putShort(network + IpHeader.TOTAL_LENGTH_OFFSET, (short) (header + length));
      int offset = (word & OFFSET_MASK) + at / 8;
      packet.putShort(
          network + FLAGS_OFFSET,
          (short) (word & ~(OFFSET_MASK | MORE) | (more ? MORE : 0) | offset));
      packet.putShort(network + CHECKSUM_OFFSET, (short) 0);
      packet.putShort(network + CHECKSUM_OFFSET, (short) Checksum.of(part, network, header));
      parts.add(part);
    }
    return parts;
  }
}
