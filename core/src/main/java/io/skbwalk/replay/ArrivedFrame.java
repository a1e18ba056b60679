// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.capture.CaptureReader;
import io.skbwalk.capture.LinkType;
import io.skbwalk.lib.Mac;
import io.skbwalk.netfilter.SocketOwner;
import io.skbwalk.skb.EthernetHeader;
import io.skbwalk.skb.IpHeader;
import java.util.Arrays;

/**
 * One frame of a capture as an Ethernet frame, whatever its link type was: frames without an
 * Ethernet header get one. Reused for every frame; its array is what the network card's ring refers
 * to.
 *
 * <pre>
 *  Ethernet          the frame as it is
 *  raw IP            [14 bytes made here] packet
 *  Linux cooked      [14 bytes made here] payload; only the source address is in the capture
 * </pre>
 */
final class ArrivedFrame {
  private static final int ARP_SENDER = 14;
  private static final int ARP_LENGTH = 28;

  /** {@link #packetType} of a cooked frame that the capturing machine sent. */
  private static final int PACKET_OUTGOING = 4;

  private static final int PACKET_BROADCAST = 1;
  private static final int PACKET_MULTICAST = 2;
  private static final int PACKET_OTHERHOST = 3;

  /** The destination of a cooked frame for another machine; the real one is not known. */
  private static final long SOMEBODY = 0x0200_0000_FFFEL;

  /** The source of a frame whose real one is not known. */
  private static final long NEIGHBOUR = 0x0200_0000_FFFFL;

  byte[] bytes = new byte[2048];
  int length;
  int originalLength;
  int fcsLength;
  long time;

  /** EtherType behind all VLAN tags, or -1 in a frame too short for one. */
  int etherType;

  /** VLAN identifier of the outer tag, or -1. */
  int vlan;

  /** Where the packet begins, behind all VLAN tags. */
  int network;

  /** Ethernet source and destination; meaningful when {@link #hasMacs}. */
  long sourceMac;

  long destinationMac;
  boolean hasMacs;

  /** The packet's source address (the sender of an ARP packet), if {@link #hasSource}. */
  int source;

  boolean hasSource;

  /** Who sent it, where a scenario says so; else null. */
  SocketOwner owner;

  /** Which packet of a scenario it is, from 1. */
  long place;

  /** One of {@link CaptureReader}'s constants, also from a cooked header. */
  int direction;

  private int packetType;

  /** Takes the reader's current frame. */
  void take(CaptureReader reader) {
    int captured = reader.capturedLength();
    int linkType = reader.linkType();
    time = reader.timestampNanos();
    direction = reader.direction();
    packetType = 0;
    owner = null;
    int header = LinkType.headerLength(linkType);
    boolean ethernet = linkType == LinkType.ETHERNET;
    int room = captured + EthernetHeader.LENGTH;
    if (bytes.length < room) {
      bytes = new byte[Math.max(room, bytes.length * 2)];
    }
    hasMacs = ethernet;
    fcsLength = 0;
    if (ethernet) {
      reader.copyTo(bytes, 0, captured);
      length = captured;
      originalLength = reader.originalLength();
      if (originalLength <= captured) {
        fcsLength = Math.max(0, reader.fcsLength());
      }
    } else {
      cooked(reader, linkType, captured, header);
    }
    layers();
  }

  /** Takes a whole Ethernet frame. */
  void take(byte[] frame, long time) {
    if (bytes.length < frame.length) {
      bytes = new byte[Math.max(frame.length, bytes.length * 2)];
    }
    System.arraycopy(frame, 0, bytes, 0, frame.length);
    length = frame.length;
    originalLength = length;
    fcsLength = 0;
    this.time = time;
    direction = CaptureReader.INBOUND;
    hasMacs = true;
    owner = null;
    layers();
  }

  private void cooked(CaptureReader reader, int linkType, int captured, int header) {
    int payload = Math.max(0, captured - header);
    int at = reader.frameOffset();
    int protocol;
    if (header == 0) {
      protocol =
          captured > 0 && (reader.buffer().get(at) & 0xF0) == 0x60
              ? EthernetHeader.ETH_P_IPV6
              : EthernetHeader.ETH_P_IP;
    } else if (captured < header) {
      protocol = 0;
    } else {
      protocol = reader.buffer().getShort(at + LinkType.protocolOffset(linkType)) & 0xFFFF;
      boolean two = linkType == LinkType.LINUX_SLL2;
      packetType = two ? reader.buffer().get(at + 10) & 0xFF : reader.buffer().getShort(at);
      if (packetType == PACKET_OUTGOING) {
        direction = CaptureReader.OUTBOUND;
      }
    }
    if (payload > 0) {
      // The header in front of the packet is overwritten by the one that is made.
      shift(reader, header, payload);
    }
    length = EthernetHeader.LENGTH + payload;
    originalLength =
        EthernetHeader.LENGTH + Math.max(payload, Math.max(0, reader.originalLength() - header));
    Arrays.fill(bytes, 0, EthernetHeader.LENGTH, (byte) 0);
    bytes[12] = (byte) (protocol >> 8);
    bytes[13] = (byte) protocol;
  }

  private void shift(CaptureReader reader, int header, int payload) {
    int total = header + payload;
    if (bytes.length < total + EthernetHeader.LENGTH) {
      bytes = new byte[total + EthernetHeader.LENGTH];
    }
    reader.copyTo(bytes, 0, total);
    System.arraycopy(bytes, header, bytes, EthernetHeader.LENGTH, payload);
  }

  /** Writes the addresses that the capture does not have. */
  void complete(long ownMac) {
    if (hasMacs) {
      return;
    }
    long destination =
        switch (packetType) {
          case PACKET_BROADCAST -> Mac.BROADCAST;
          case PACKET_MULTICAST -> group();
          case PACKET_OTHERHOST -> SOMEBODY;
          default -> group() == 0 ? ownMac : group();
        };
    put(0, destination);
    put(6, NEIGHBOUR);
  }

  /** The Ethernet address of the group that the packet is for; 0 when it is for one machine. */
  private long group() {
    if (etherType != EthernetHeader.ETH_P_IP || length < network + IpHeader.MIN_LENGTH) {
      return 0;
    }
    int destination = u32(network + IpHeader.DESTINATION_OFFSET);
    if (destination == -1) {
      return Mac.BROADCAST;
    }
    return (destination & 0xF0000000) == 0xE0000000
        ? 0x0100_5E00_0000L | destination & 0x7FFFFF
        : 0;
  }

  private void layers() {
    vlan = -1;
    hasSource = false;
    etherType = -1;
    network = EthernetHeader.LENGTH;
    int end = length - fcsLength;
    if (end < EthernetHeader.LENGTH) {
      hasMacs = false;
      return;
    }
    etherType = u16(EthernetHeader.TYPE_OFFSET);
    if (hasMacs) {
      destinationMac = mac(0);
      sourceMac = mac(6);
    }
    while ((etherType == EthernetHeader.ETH_P_8021Q || etherType == EthernetHeader.ETH_P_8021AD)
        && end - network >= 4) {
      if (vlan < 0) {
        vlan = u16(network) & 0x0FFF;
      }
      etherType = u16(network + 2);
      network += 4;
    }
    if (etherType == EthernetHeader.ETH_P_IP
        && end - network >= IpHeader.MIN_LENGTH
        && (bytes[network] & 0xF0) == 0x40) {
      hasSource = true;
      source = u32(network + IpHeader.SOURCE_OFFSET);
    } else if (etherType == EthernetHeader.ETH_P_ARP && end - network >= ARP_LENGTH) {
      hasSource = true;
      source = u32(network + ARP_SENDER);
    }
  }

  boolean isIp() {
    return hasSource && etherType == EthernetHeader.ETH_P_IP;
  }

  int destination() {
    return u32(network + IpHeader.DESTINATION_OFFSET);
  }

  int protocol() {
    return bytes[network + IpHeader.PROTOCOL_OFFSET] & 0xFF;
  }

  /** Where the transport header is when this is a first fragment that has so many bytes of it. */
  int transport(int bytesNeeded) {
    if ((u16(network + IpHeader.FRAGMENT_OFFSET) & IpHeader.IP_OFFSET) != 0) {
      return -1;
    }
    int at = network + (bytes[network] & 15) * 4;
    return at + bytesNeeded <= length - fcsLength ? at : -1;
  }

  int u16(int at) {
    return (bytes[at] & 0xFF) << 8 | bytes[at + 1] & 0xFF;
  }

  int u32(int at) {
    return u16(at) << 16 | u16(at + 2);
  }

  private long mac(int at) {
    return (long) u16(at) << 32 | u32(at + 2) & 0xFFFFFFFFL;
  }

  private void put(int at, long mac) {
    for (int i = 0; i < 6; i++) {
      bytes[at + i] = (byte) (mac >>> 40 - 8 * i);
    }
  }
}
