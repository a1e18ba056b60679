// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import io.skbwalk.lib.Checksum;
import io.skbwalk.lib.Ip4;
import java.util.Arrays;
import java.util.HexFormat;

/** IP packets written and read in one line. */
final class Packets {
  private Packets() {}

  /** Builds an IP header field by field; what is not set is as a host would set it. */
  static final class Ip {
    String from = "203.0.113.9";
    String to = "203.0.113.1";
    int protocol = 17;
    int ttl = 64;
    int tos;
    int id = 1;
    int fragment;
    String options = "";
    byte[] payload = udp(20);

    Ip to(String address) {
      to = address;
      return this;
    }

    Ip from(String address) {
      from = address;
      return this;
    }

    Ip protocol(int number) {
      protocol = number;
      return this;
    }

    Ip ttl(int hops) {
      ttl = hops;
      return this;
    }

    Ip tos(int value) {
      tos = value;
      return this;
    }

    Ip id(int value) {
      id = value;
      return this;
    }

    Ip fragment(int offset, boolean more, boolean df) {
      fragment = offset / 8 | (more ? 0x2000 : 0) | (df ? 0x4000 : 0);
      return this;
    }

    Ip dontFragment() {
      fragment |= 0x4000;
      return this;
    }

    Ip options(String hex) {
      options = hex;
      return this;
    }

    Ip payload(byte[] bytes) {
      payload = bytes;
      return this;
    }

    byte[] bytes() {
      byte[] option = hex(options);
      int headerLength = 20 + (option.length + 3 & ~3);
      byte[] packet = new byte[headerLength + payload.length];
      packet[0] = (byte) (0x40 | headerLength / 4);
      packet[1] = (byte) tos;
      put16(packet, 2, packet.length);
      put16(packet, 4, id);
      put16(packet, 6, fragment);
      packet[8] = (byte) ttl;
      packet[9] = (byte) protocol;
      put32(packet, 12, Ip4.parse(from));
      put32(packet, 16, Ip4.parse(to));
      System.arraycopy(option, 0, packet, 20, option.length);
      System.arraycopy(payload, 0, packet, headerLength, payload.length);
      return sign(packet, headerLength);
    }
  }

  static Ip ip() {
    return new Ip();
  }

  /** Computes the header checksum of {@code packet} anew. */
  static byte[] sign(byte[] packet, int headerLength) {
    put16(packet, 10, 0);
    put16(packet, 10, Checksum.of(packet, 0, headerLength));
    return packet;
  }

  /** UDP from port 1000 to 2000 without checksum, {@code size} bytes of x. */
  static byte[] udp(int size) {
    byte[] bytes = new byte[8 + size];
    put16(bytes, 0, 1000);
    put16(bytes, 2, 2000);
    put16(bytes, 4, 8 + size);
    Arrays.fill(bytes, 8, bytes.length, (byte) 'x');
    return bytes;
  }

  /** An ICMP message with its checksum; {@code rest} is the second word. */
  static byte[] icmp(int type, int code, int rest, byte[] body) {
    byte[] bytes = new byte[8 + body.length];
    bytes[0] = (byte) type;
    bytes[1] = (byte) code;
    put32(bytes, 4, rest);
    System.arraycopy(body, 0, bytes, 8, body.length);
    put16(bytes, 2, Checksum.of(bytes, 0, bytes.length));
    return bytes;
  }

  /** A TCP segment with its checksum. */
  static byte[] tcp(String from, String to, int sequence, int ack, int flags, int size) {
    byte[] bytes = new byte[20 + size];
    put16(bytes, 0, 40000);
    put16(bytes, 2, 80);
    put32(bytes, 4, sequence);
    put32(bytes, 8, ack);
    bytes[12] = 0x50;
    bytes[13] = (byte) flags;
    put16(bytes, 14, 1000);
    long sum = Checksum.pseudoHeader(Ip4.parse(from), Ip4.parse(to), 6, bytes.length);
    put16(bytes, 16, Checksum.fold(Checksum.partial(bytes, 0, bytes.length, sum)));
    return bytes;
  }

  static byte[] fill(int size) {
    byte[] bytes = new byte[size];
    Arrays.fill(bytes, (byte) 'a');
    return bytes;
  }

  static byte[] hex(String text) {
    return HexFormat.of().parseHex(text.replace(" ", ""));
  }

  static void put16(byte[] bytes, int at, int value) {
    bytes[at] = (byte) (value >>> 8);
    bytes[at + 1] = (byte) value;
  }

  static void put32(byte[] bytes, int at, int value) {
    put16(bytes, at, value >>> 16);
    put16(bytes, at + 2, value);
  }

  static int get16(byte[] bytes, int at) {
    return (bytes[at] & 0xFF) << 8 | bytes[at + 1] & 0xFF;
  }

  /**
   * A packet in one line: addresses, what differs from TTL 64 and TOS 0, fragment, options, length,
   * and for ICMP type, code, second word and bytes quoted. Wrong checksums are named.
   */
  static String describe(byte[] packet) {
    int headerLength = (packet[0] & 15) * 4;
    StringBuilder text = new StringBuilder();
    text.append(Ip4.format(get16(packet, 12) << 16 | get16(packet, 14)))
        .append('>')
        .append(Ip4.format(get16(packet, 16) << 16 | get16(packet, 18)));
    if (packet[8] != 64) {
      text.append(" ttl ").append(packet[8] & 0xFF);
    }
    if (packet[1] != 0) {
      text.append(" tos ").append(Integer.toHexString(packet[1] & 0xFF));
    }
    int fragment = get16(packet, 6);
    if (fragment != 0) {
      text.append(" frag ")
          .append((fragment & 0x1FFF) * 8)
          .append((fragment & 0x2000) != 0 ? "+" : "")
          .append((fragment & 0x4000) != 0 ? " DF" : "");
    }
    if (headerLength > 20) {
      text.append(" opt ").append(HexFormat.of().formatHex(packet, 20, headerLength));
    }
    text.append(" len ").append(packet.length);
    if (get16(packet, 2) != packet.length) {
      text.append(" WRONG TOTAL LENGTH");
    }
    if (Checksum.of(packet, 0, headerLength) != 0) {
      text.append(" WRONG CHECKSUM");
    }
    if (packet[9] == 1 && (fragment & 0x3FFF) == 0 && packet.length >= headerLength + 8) {
      text.append(" icmp ")
          .append(packet[headerLength] & 0xFF)
          .append('/')
          .append(packet[headerLength + 1] & 0xFF)
          .append(' ')
          .append(HexFormat.of().formatHex(packet, headerLength + 4, headerLength + 8))
          .append(" +")
          .append(packet.length - headerLength - 8);
      if (Checksum.of(packet, headerLength, packet.length - headerLength) != 0) {
        text.append(" WRONG ICMP CHECKSUM");
      }
    }
    return text.toString();
  }
}
