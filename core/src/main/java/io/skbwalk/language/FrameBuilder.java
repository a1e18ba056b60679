// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import io.skbwalk.lib.Checksum;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Builds one Ethernet/IPv4 frame field by field, right by default and wrong on purpose.
 *
 * <p>Lengths and checksums are computed unless they are set. Addresses are {@link
 * io.skbwalk.lib.Ip4} ints, Ethernet addresses {@link io.skbwalk.lib.Mac} longs, ports and other
 * numbers in host order. Values are cut to their field's width.
 */
public final class FrameBuilder {
  private static final int UNSET = Integer.MIN_VALUE;
  private static final int ETHERNET = 14;

  private long macDestination;
  private long macSource;
  private int etherType = 0x0800;
  private int vlan = UNSET;

  private int version = 4;
  private int headerWords = UNSET;
  private int tos;
  private int totalLength = UNSET;
  private int id;
  private int fragment;
  private int ttl = 64;
  private int protocol = UNSET;
  private int ipChecksum = UNSET;
  private int source;
  private int destination;
  private byte[] ipOptions = {};

  private byte[] transport = {};
  private int transportChecksum = UNSET;
  private int checksumAt = -1;
  private boolean pseudoHeader;
  private int udpLength = UNSET;
  private byte[] payload = {};

  /** A frame with the given Ethernet addresses. */
  public FrameBuilder(long macDestination, long macSource) {
    this.macDestination = macDestination;
    this.macSource = macSource;
  }

  /** Sets the EtherType. */
  public FrameBuilder etherType(int value) {
    etherType = value;
    return this;
  }

  /** Puts an 802.1Q tag with this tag control information before the EtherType. */
  public FrameBuilder vlan(int tci) {
    vlan = tci;
    return this;
  }

  /** Sets the IP addresses. */
  public FrameBuilder ip(int from, int to) {
    source = from;
    destination = to;
    return this;
  }

  /** Sets the IP version. */
  public FrameBuilder version(int value) {
    version = value;
    return this;
  }

  /** Sets the header length field, in 32-bit words, whatever the header's real length. */
  public FrameBuilder headerWords(int value) {
    headerWords = value;
    return this;
  }

  /** Sets the type of service. */
  public FrameBuilder tos(int value) {
    tos = value;
    return this;
  }

  /** Sets the total length field, whatever the real length. */
  public FrameBuilder totalLength(int value) {
    totalLength = value;
    return this;
  }

  /** Sets the identification. */
  public FrameBuilder id(int value) {
    id = value;
    return this;
  }

  /** Sets the flags and fragment offset (in units of 8 bytes), as they stand in the header. */
  public FrameBuilder fragment(int flagsAndOffset) {
    fragment = flagsAndOffset;
    return this;
  }

  /** Sets the time to live. */
  public FrameBuilder ttl(int value) {
    ttl = value;
    return this;
  }

  /** Sets the protocol number, whatever the transport header is. */
  public FrameBuilder protocol(int value) {
    protocol = value;
    return this;
  }

  /** Sets the IP header checksum. */
  public FrameBuilder ipChecksum(int value) {
    ipChecksum = value;
    return this;
  }

  /** Sets the IP options, padded with zeros to a multiple of four bytes. */
  public FrameBuilder ipOptions(byte... value) {
    ipOptions = Arrays.copyOf(value, (value.length + 3) / 4 * 4);
    return this;
  }

  /** Makes it a TCP segment; {@code flags} as in the header's flags byte. */
  public FrameBuilder tcp(
      int sourcePort,
      int destinationPort,
      int flags,
      int sequence,
      int acknowledgement,
      int window,
      byte... options) {
    int length = 20 + (options.length + 3) / 4 * 4;
    ByteBuffer header = ByteBuffer.allocate(length);
    header.putShort((short) sourcePort).putShort((short) destinationPort);
    header.putInt(sequence).putInt(acknowledgement);
    header.put((byte) (length / 4 << 4)).put((byte) flags).putShort((short) window);
    header.position(20).put(options);
    return transport(6, header.array(), 16, true);
  }

  /**
   * Sets fields of the TCP header built before: the data offset in 32-bit words, negative for the
   * right one, and the urgent pointer.
   */
  public FrameBuilder tcpOverrides(int dataOffsetWords, int urgent) {
    ByteBuffer header = ByteBuffer.wrap(transport);
    if (dataOffsetWords >= 0) {
      header.put(12, (byte) (dataOffsetWords << 4));
    }
    header.putShort(18, (short) urgent);
    return this;
  }

  /** Sets the UDP length field, whatever the real length. */
  public FrameBuilder udpLength(int value) {
    udpLength = value;
    return this;
  }

  /** Makes it a UDP datagram. */
  public FrameBuilder udp(int sourcePort, int destinationPort) {
    ByteBuffer header = ByteBuffer.allocate(8);
    header.putShort((short) sourcePort).putShort((short) destinationPort);
    return transport(17, header.array(), 6, true);
  }

  /** Makes it an ICMP message; {@code rest} is the header's second word. */
  public FrameBuilder icmp(int type, int code, int rest) {
    ByteBuffer header = ByteBuffer.allocate(8);
    header.put((byte) type).put((byte) code).putShort((short) 0).putInt(rest);
    return transport(1, header.array(), 2, false);
  }

  /** Makes it a packet of any protocol: {@code header} is taken as it is. */
  public FrameBuilder transport(int number, byte[] header, int checksumOffset, boolean pseudo) {
    if (protocol == UNSET) {
      protocol = number;
    }
    transport = header.clone();
    checksumAt = checksumOffset;
    pseudoHeader = pseudo;
    return this;
  }

  /** Sets the transport checksum. */
  public FrameBuilder transportChecksum(int value) {
    transportChecksum = value;
    return this;
  }

  /** Sets what follows the transport header. */
  public FrameBuilder payload(byte... value) {
    payload = value.clone();
    return this;
  }

  /** The whole frame, without frame check sequence and without padding. */
  public byte[] frame() {
    byte[] packet = packet();
    ByteBuffer frame = ByteBuffer.allocate(ETHERNET + (vlan == UNSET ? 0 : 4) + packet.length);
    putMac(frame, macDestination);
    putMac(frame, macSource);
    if (vlan != UNSET) {
      frame.putShort((short) 0x8100).putShort((short) vlan);
    }
    frame.putShort((short) etherType).put(packet);
    return frame.array();
  }

  /** The IP packet alone. */
  public byte[] packet() {
    int header = 20 + ipOptions.length;
    int length = header + transport.length + payload.length;
    byte[] bytes = new byte[length];
    ByteBuffer packet = ByteBuffer.wrap(bytes);
    int words = headerWords == UNSET ? header / 4 : headerWords;
    packet.put((byte) (version << 4 | words & 15)).put((byte) tos);
    packet.putShort((short) (totalLength == UNSET ? length : totalLength));
    packet.putShort((short) id).putShort((short) fragment);
    packet.put((byte) ttl).put((byte) (protocol == UNSET ? 255 : protocol)).putShort((short) 0);
    packet.putInt(source).putInt(destination).put(ipOptions).put(transport).put(payload);
    packet.putShort(10, (short) (ipChecksum == UNSET ? Checksum.of(bytes, 0, header) : ipChecksum));
    if (checksumAt >= 0) {
      int segment = length - header;
      if (protocol == 17 && transport.length == 8) {
        packet.putShort(header + 4, (short) (udpLength == UNSET ? segment : udpLength));
      }
      int sum = transportChecksum;
      if (sum == UNSET) {
        long partial =
            pseudoHeader ? Checksum.pseudoHeader(source, destination, protocol, segment) : 0;
        sum = Checksum.fold(Checksum.partial(bytes, header, segment, partial));
        if (sum == 0 && protocol == 17) {
          sum = 0xFFFF;
        }
      }
      packet.putShort(header + checksumAt, (short) sum);
    }
    return bytes;
  }

  private static void putMac(ByteBuffer buffer, long mac) {
    buffer.putShort((short) (mac >>> 32)).putInt((int) mac);
  }
}
