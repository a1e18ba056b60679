// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.nat;

import io.skbwalk.language.FrameBuilder;
import io.skbwalk.lib.Checksum;
import io.skbwalk.lib.Ip4;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * Packets in one line, to be written and read: {@code tcp 192.0.2.1:1000 > 192.0.2.2:80 S}, {@code
 * icmp 192.0.2.1 > 192.0.2.2 8/0 id 7}, {@code icmp 192.0.2.2 > 192.0.2.1 3/1 [udp ...]}. Words
 * behind that: {@code ttl N}, {@code tos N}, {@code seq N}, {@code ack N}, {@code data N}, {@code
 * sum N}, {@code quote N} (bytes quoted by an error).
 */
final class Notation {
  private static final String FLAGS = "FSRPAU";

  private Notation() {}

  /** The packet that {@code text} says, without an Ethernet header or with an empty one. */
  static FrameBuilder parse(String text, long macDestination, long macSource) {
    String quoted = null;
    int bracket = text.indexOf('[');
    if (bracket >= 0) {
      quoted = text.substring(bracket + 1, text.lastIndexOf(']'));
      text = text.substring(0, bracket) + text.substring(text.lastIndexOf(']') + 1);
    }
    String[] words = text.trim().split(" +");
    int[] from = endpoint(words[1]);
    int[] to = endpoint(words[3]);
    FrameBuilder frame = new FrameBuilder(macDestination, macSource).ip(from[0], to[0]).id(7);
    int ttl = 64;
    int seq = 1000;
    int ack = 0;
    int id = 0;
    int data = 12;
    int type = 0;
    int quote = 28;
    int sum = -1;
    for (int i = 5; i + 1 < words.length; i += 2) {
      int value = Integer.parseInt(words[i + 1]);
      switch (words[i]) {
        case "ttl" -> ttl = value;
        case "tos" -> frame.tos(value);
        case "seq" -> seq = value;
        case "ack" -> ack = value;
        case "id" -> id = value;
        case "data" -> data = value;
        case "type" -> type = value;
        case "quote" -> quote = value;
        case "sum" -> sum = value;
        default -> throw new IllegalArgumentException(words[i] + " in: " + text);
      }
    }
    frame.ttl(ttl);
    byte[] payload = new byte[data];
    for (int i = 0; i < data; i++) {
      payload[i] = (byte) ('a' + i % 26);
    }
    switch (words[0]) {
      case "tcp" -> {
        int flags = 0;
        for (char flag : words[4].toCharArray()) {
          flags |= 1 << FLAGS.indexOf(flag);
        }
        frame.tcp(from[1], to[1], flags, seq, ack, 8192);
        payload = words[4].contains("P") ? payload : new byte[0];
      }
      case "udp" -> frame.udp(from[1], to[1]);
      case "udplite" -> {
        ByteBuffer header = ByteBuffer.allocate(8);
        header.putShort((short) from[1]).putShort((short) to[1]).putShort((short) (8 + data));
        // Linux sums the pseudo header as UDP's, which is 119 less.
        frame.transport(136, header.array(), 6, true).payload(payload);
        int right = ByteBuffer.wrap(frame.packet()).getShort(26) & 0xFFFF;
        sum = Checksum.replace16(right, 136, 17);
      }
      case "sctp" -> {
        ByteBuffer header = ByteBuffer.allocate(32);
        header.putShort((short) from[1]).putShort((short) to[1]).putInt(0).putInt(0);
        header.put((byte) 1).put((byte) 0).putShort((short) 20).putInt(5).putInt(1000);
        CRC32C crc = new CRC32C();
        crc.update(header.array(), 0, 32);
        header.putInt(8, Integer.reverseBytes((int) crc.getValue()));
        frame.transport(132, header.array(), -1, false);
        payload = new byte[0];
      }
      case "icmp" -> {
        String[] kind = words[4].split("/");
        frame.icmp(Integer.parseInt(kind[0]), Integer.parseInt(kind[1]), id << 16);
        if (quoted != null) {
          byte[] packet = parse(quoted, 0, 0).packet();
          payload = java.util.Arrays.copyOf(packet, Math.min(quote, packet.length));
        }
      }
      default -> {
        byte[] header = new byte[8];
        header[0] = (byte) type;
        frame.protocol(Integer.parseInt(words[0])).transport(0, header, -1, false);
      }
    }
    if (sum >= 0) {
      frame.transportChecksum(sum);
    }
    return frame.payload(payload);
  }

  private static int[] endpoint(String text) {
    int colon = text.indexOf(':');
    return colon < 0
        ? new int[] {Ip4.parse(text), 0}
        : new int[] {
          Ip4.parse(text.substring(0, colon)), Integer.parseInt(text.substring(colon + 1))
        };
  }

  /** What {@link #parse} reads, for the IP packet at {@code at}, with what is wrong about it. */
  static String describe(byte[] bytes, int at) {
    ByteBuffer packet = ByteBuffer.wrap(bytes);
    StringBuilder text = new StringBuilder();
    int header = (bytes[at] & 15) * 4;
    int transport = at + header;
    int there = bytes.length - transport;
    int total = packet.getShort(at + 2) & 0xFFFF;
    int protocol = bytes[at + 9] & 0xFF;
    String from = Ip4.format(packet.getInt(at + 12));
    String to = Ip4.format(packet.getInt(at + 16));
    boolean whole = there >= total - header;
    switch (protocol) {
      case 6, 17, 132, 136 -> {
        text.append(
            switch (protocol) {
              case 6 -> "tcp ";
              case 17 -> "udp ";
              case 132 -> "sctp ";
              default -> "udplite ";
            });
        text.append(from).append(':').append(packet.getShort(transport) & 0xFFFF).append(" > ");
        text.append(to).append(':').append(packet.getShort(transport + 2) & 0xFFFF).append(" -");
        if (protocol == 6 && there >= 20) {
          text.setLength(text.length() - 1);
          for (int bit = 0; bit < 6; bit++) {
            if ((bytes[transport + 13] >> bit & 1) != 0) {
              text.append(FLAGS.charAt(bit));
            }
          }
        }
      }
      case 1 -> {
        int type = bytes[transport] & 0xFF;
        text.append("icmp ").append(from).append(" > ").append(to).append(' ').append(type);
        text.append('/').append(bytes[transport + 1] & 0xFF);
        if (type == 3 || type == 5 || type == 11 || type == 12) {
          text.append(" [").append(describe(bytes, transport + 8)).append(']');
        } else {
          text.append(" id ").append(packet.getShort(transport + 4) & 0xFFFF);
        }
      }
      default -> text.append(protocol + " " + from + " > " + to + " -");
    }
    if (bytes[at + 8] != 64) {
      text.append(" ttl ").append(bytes[at + 8] & 0xFF);
    }
    if (Checksum.of(bytes, at, header) != 0) {
      text.append(", wrong header checksum");
    }
    if (whole) {
      long sum =
          protocol == 1
              ? 0
              : Checksum.pseudoHeader(
                  packet.getInt(at + 12),
                  packet.getInt(at + 16),
                  protocol == 136 ? 17 : protocol,
                  total - header);
      boolean right = Checksum.fold(Checksum.partial(bytes, transport, total - header, sum)) == 0;
      if (protocol == 17 && packet.getShort(transport + 6) == 0) {
        text.append(", no checksum");
      } else if (protocol == 132) {
        CRC32C crc = new CRC32C();
        byte[] copy = java.util.Arrays.copyOfRange(bytes, transport, bytes.length);
        int stated = ByteBuffer.wrap(copy).getInt(8);
        ByteBuffer.wrap(copy).putInt(8, 0);
        crc.update(copy, 0, copy.length);
        text.append(stated == Integer.reverseBytes((int) crc.getValue()) ? "" : ", wrong checksum");
      } else if (protocol != 47 && protocol != 58 && protocol != 89 && !right) {
        text.append(", wrong checksum");
      }
    }
    return text.toString();
  }
}
