// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import io.skbwalk.lib.Checksum;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.SourceException;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.TcpHeader;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;

/**
 * The numbers that a machine has chosen in its TCP segments, for the packets of a scenario that
 * answer them: {@code ack: isn+1} and {@code timestamps: [5, last]}.
 */
public final class TcpAnswers {
  /**
   * A number of a packet that only the machine knows.
   *
   * @param timestamp its last timestamp; else the sequence number of its last SYN
   * @param at where its 32 bits are, from the packet's first byte
   * @param plus what is added
   */
  public record Number(boolean timestamp, int at, int plus) {}

  private static final int ETHERNET = 14;
  private static final int VLAN = 18;
  private static final int OPTION_TIMESTAMP = 8;
  private static final int OPTION_TIMESTAMP_LENGTH = 10;

  /** From whom to whom a segment goes. */
  private record Ends(int source, int destination, int ports) {
    Ends reversed() {
      return new Ends(destination, source, ports << 16 | ports >>> 16);
    }

    @Override
    public String toString() {
      return Ip4.format(source)
          + ":"
          + (ports >>> 16)
          + " > "
          + Ip4.format(destination)
          + ":"
          + (ports & 0xFFFF);
    }
  }

  private final Map<Ends, Integer> sequences = new HashMap<>();
  private final Map<Ends, Integer> timestamps = new HashMap<>();

  /** Where the IP header of a frame begins. */
  public static int network(byte[] frame) {
    return frame.length > VLAN && frame[12] == (byte) 0x81 && frame[13] == 0 ? VLAN : ETHERNET;
  }

  /** Where the TCP header of what begins at {@code network} is; -1 when it has no whole one. */
  public static int tcp(byte[] bytes, int network, int end) {
    if (end - network < IpHeader.MIN_LENGTH || bytes[network] >>> 4 != 4) {
      return -1;
    }
    int tcp = network + (bytes[network] & 15) * 4;
    boolean isTcp = bytes[network + IpHeader.PROTOCOL_OFFSET] == IpHeader.IPPROTO_TCP;
    int least = tcp + TcpHeader.MIN_LENGTH;
    boolean whole =
        isTcp && least <= end && tcp + (bytes[tcp + TcpHeader.DATA_OFFSET] >>> 4 & 15) * 4 <= end;
    return whole ? tcp : -1;
  }

  /** Where the value of the timestamps of the TCP header at {@code tcp} is; -1 without any. */
  public static int timestamp(byte[] bytes, int tcp) {
    int end = tcp + (bytes[tcp + TcpHeader.DATA_OFFSET] >>> 4 & 15) * 4;
    int at = tcp + TcpHeader.MIN_LENGTH;
    while (at + 1 < end && bytes[at] != 0) {
      int length = bytes[at] == 1 ? 1 : bytes[at + 1] & 0xFF;
      if (bytes[at] == OPTION_TIMESTAMP
          && length == OPTION_TIMESTAMP_LENGTH
          && at + length <= end) {
        return at + 2;
      }
      at += Math.max(length, 1);
    }
    return -1;
  }

  private static Ends ends(ByteBuffer packet, int network, int tcp) {
    return new Ends(
        packet.getInt(network + IpHeader.SOURCE_OFFSET),
        packet.getInt(network + IpHeader.DESTINATION_OFFSET),
        packet.getInt(tcp));
  }

  /** The machine has sent the packet from {@code network} to {@code end}. */
  public void sent(byte[] bytes, int network, int end) {
    int tcp = tcp(bytes, network, end);
    if (tcp < 0) {
      return;
    }
    ByteBuffer packet = ByteBuffer.wrap(bytes);
    Ends ends = ends(packet, network, tcp);
    if ((bytes[tcp + TcpHeader.FLAGS_OFFSET] & TcpHeader.SYN) != 0) {
      sequences.put(ends, packet.getInt(tcp + TcpHeader.SEQUENCE_OFFSET));
    }
    int timestamp = timestamp(bytes, tcp);
    if (timestamp >= 0) {
      timestamps.put(ends, packet.getInt(timestamp));
    }
  }

  /**
   * The bytes of {@code packet} with its numbers, and with the checksum that they make right.
   *
   * @throws SourceException when the machine has not sent what it answers
   */
  public byte[] fill(ScenarioPacket packet) {
    byte[] bytes = packet.bytes().clone();
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    int network = packet.device() == null ? 0 : network(bytes);
    int tcp = tcp(bytes, network, bytes.length);
    int checksum = sum(bytes, network, tcp);
    for (Number number : packet.answers()) {
      Ends sought = ends(buffer, network, tcp).reversed();
      Integer known = (number.timestamp ? timestamps : sequences).get(sought);
      if (known == null) {
        throw new SourceException(
            packet.position(),
            "the machine has sent no "
                + (number.timestamp ? "timestamp" : "SYN")
                + " "
                + sought
                + " before, which this packet answers");
      }
      buffer.putInt(number.at, known + number.plus);
    }
    if (checksum == 0) {
      buffer.putShort(tcp + TcpHeader.CHECKSUM_OFFSET, (short) 0);
      buffer.putShort(tcp + TcpHeader.CHECKSUM_OFFSET, (short) sum(bytes, network, tcp));
    }
    return bytes;
  }

  /** The checksum over the segment with the field as it stands: 0 when that is right. */
  public static int sum(byte[] bytes, int network, int tcp) {
    ByteBuffer packet = ByteBuffer.wrap(bytes);
    int total = packet.getShort(network + IpHeader.TOTAL_LENGTH_OFFSET) & 0xFFFF;
    int length = Math.min(network + total, bytes.length) - tcp;
    long sum =
        Checksum.pseudoHeader(
            packet.getInt(network + IpHeader.SOURCE_OFFSET),
            packet.getInt(network + IpHeader.DESTINATION_OFFSET),
            IpHeader.IPPROTO_TCP,
            length);
    return Checksum.fold(Checksum.partial(bytes, tcp, length, sum));
  }
}
