// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.experiment;

import io.skbwalk.language.YamlValue;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.Mac;
import io.skbwalk.skb.EthernetHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.TcpHeader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;
import java.util.stream.Stream;

/** A header field that something can be expected of, by the name that packets of scenarios give. */
enum FrameField {
  /** Source address, with a port where there is one. */
  FROM("from", Kind.END, frame -> frame.end(IpHeader.SOURCE_OFFSET, 0)),
  /** Destination address, with a port where there is one. */
  TO("to", Kind.END, frame -> frame.end(IpHeader.DESTINATION_OFFSET, 2)),
  /** Time to live. */
  TTL("ttl", Kind.NUMBER, frame -> frame.ip(IpHeader.TTL_OFFSET, 1)),
  /** Type of service, the whole byte. */
  TOS("tos", Kind.NUMBER, frame -> frame.ip(IpHeader.TOS_OFFSET, 1)),
  /** Differentiated services: the upper six bits of that byte. */
  DSCP("dscp", Kind.NUMBER, frame -> frame.bits(IpHeader.TOS_OFFSET, 1, 2, 0x3F)),
  /** Identification. */
  ID("id", Kind.NUMBER, frame -> frame.ip(IpHeader.ID_OFFSET, 2)),
  /** Do not fragment. */
  DF("df", Kind.FLAG, frame -> frame.flag(0x4000)),
  /** More fragments. */
  MF("mf", Kind.FLAG, frame -> frame.flag(0x2000)),
  /** Fragment offset, bytes. */
  FRAGMENT_OFFSET(
      "fragment-offset",
      Kind.NUMBER,
      frame ->
          frame.network < 0
              ? null
              : Integer.toString(
                  (frame.u16(frame.network + IpHeader.FRAGMENT_OFFSET) & IpHeader.IP_OFFSET) * 8)),
  /** Protocol number. */
  PROTOCOL("protocol", Kind.NUMBER, frame -> frame.ip(IpHeader.PROTOCOL_OFFSET, 1)),
  /** The IP packet's total length, bytes. */
  TOTAL_LENGTH("total-length", Kind.NUMBER, frame -> frame.ip(IpHeader.TOTAL_LENGTH_OFFSET, 2)),
  /** TCP flags, letters of {@code FSRPAUEC}. */
  FLAGS("flags", Kind.FLAGS, FrameField::flags),
  /** TCP sequence number. */
  SEQ("seq", Kind.NUMBER, frame -> frame.tcp(TcpHeader.SEQUENCE_OFFSET, 4)),
  /** TCP acknowledgement number. */
  ACK("ack", Kind.NUMBER, frame -> frame.tcp(TcpHeader.ACK_OFFSET, 4)),
  /** TCP window, unscaled. */
  WINDOW("window", Kind.NUMBER, frame -> frame.tcp(14, 2)),
  /** Maximum segment size, of a SYN. */
  MSS("mss", Kind.NUMBER, FrameField::mss),
  /** ICMP type, a number. */
  TYPE("type", Kind.NUMBER, frame -> frame.icmp(0)),
  /** ICMP code. */
  CODE("code", Kind.NUMBER, frame -> frame.icmp(1)),
  /** What is behind the transport header, as text. */
  PAYLOAD(
      "payload",
      Kind.TEXT,
      frame ->
          frame.payload() == null ? null : new String(frame.payload(), StandardCharsets.UTF_8)),
  /** The same in hexadecimal. */
  PAYLOAD_HEX(
      "payload-hex",
      Kind.HEX,
      frame -> frame.payload() == null ? null : HexFormat.of().formatHex(frame.payload())),
  /** Bytes of the frame, Ethernet header and all. */
  FRAME_LENGTH(
      "frame-length",
      Kind.NUMBER,
      frame -> frame.linked ? Integer.toString(frame.bytes.length) : null),
  /** Ethernet source. */
  SOURCE_MAC("source-mac", Kind.MAC, frame -> frame.mac(6)),
  /** Ethernet destination. */
  DESTINATION_MAC("destination-mac", Kind.MAC, frame -> frame.mac(0));

  /** How values are written. */
  private enum Kind {
    NUMBER,
    FLAG,
    FLAGS,
    END,
    TEXT,
    HEX,
    MAC
  }

  private interface Reading {
    String of(Frame frame);
  }

  private static final String FLAG_LETTERS = "FSRPAUEC";

  /** Its key. */
  final String label;

  private final Kind kind;
  private final Reading reading;

  FrameField(String label, Kind kind, Reading reading) {
    this.label = label;
    this.kind = kind;
    this.reading = reading;
  }

  /** Their keys, in order. */
  static String[] labels() {
    return Stream.of(values()).map(field -> field.label).toArray(String[]::new);
  }

  /** The field of a frame that begins with its Ethernet header; null when it has none. */
  String ofFrame(byte[] frame) {
    return reading.of(Frame.linked(frame));
  }

  /** The field of a packet that begins with its IP header; null when it has none. */
  String ofPacket(byte[] packet) {
    return reading.of(new Frame(packet, 0, false));
  }

  /** A value that is expected, as {@link #ofFrame} words it. */
  String wanted(YamlValue value) {
    switch (kind) {
      case NUMBER:
        return Long.toString(value.number(0, 0xFFFFFFFFL));
      case FLAG:
        return Boolean.toString(value.bool());
      case FLAGS:
        int flags = 0;
        for (char letter : value.text().toUpperCase(Locale.ROOT).toCharArray()) {
          int bit = FLAG_LETTERS.indexOf(letter == '.' ? 'A' : letter == 'W' ? 'C' : letter);
          if (bit < 0) {
            throw value.error("TCP flags are letters of " + FLAG_LETTERS);
          }
          flags |= 1 << bit;
        }
        return letters(flags);
      case END:
        return end(value);
      case HEX:
        return value.text().replaceAll("[\\s:]", "").toLowerCase(Locale.ROOT);
      case MAC:
        return Mac.format(value.parsed(Mac::parse));
      default:
        return value.text();
    }
  }

  private static String end(YamlValue value) {
    String text = value.text();
    int colon = text.indexOf(':');
    String address = colon < 0 ? text : text.substring(0, colon);
    try {
      Ip4.parse(address);
    } catch (IllegalArgumentException e) {
      throw value.error(e.getMessage());
    }
    if (colon >= 0 && !text.substring(colon + 1).matches("[0-9]{1,5}")) {
      throw value.error("\"" + text + "\" is no address with a port, such as 192.0.2.1:80");
    }
    return text;
  }

  /** Is {@code seen} what is wanted? An address without a port is that address with any. */
  boolean holds(String wanted, String seen) {
    return wanted.equals(seen) || kind == Kind.END && seen.startsWith(wanted + ":");
  }

  private static String flags(Frame frame) {
    int tcp = frame.transport(IpHeader.IPPROTO_TCP, TcpHeader.MIN_LENGTH);
    return tcp < 0 ? null : letters(frame.bytes[tcp + TcpHeader.FLAGS_OFFSET] & 0xFF);
  }

  private static String letters(int flags) {
    StringBuilder letters = new StringBuilder();
    for (int bit = 0; bit < FLAG_LETTERS.length(); bit++) {
      if ((flags & 1 << bit) != 0) {
        letters.append(FLAG_LETTERS.charAt(bit));
      }
    }
    return letters.toString();
  }

  private static String mss(Frame frame) {
    int tcp = frame.transport(IpHeader.IPPROTO_TCP, TcpHeader.MIN_LENGTH);
    if (tcp < 0) {
      return null;
    }
    int end =
        Math.min(
            frame.bytes.length, tcp + (frame.bytes[tcp + TcpHeader.DATA_OFFSET] >> 4 & 15) * 4);
    int at = tcp + TcpHeader.MIN_LENGTH;
    while (at + 1 < end && frame.bytes[at] != 0) {
      int length = frame.bytes[at] == 1 ? 1 : Math.max(2, frame.bytes[at + 1] & 0xFF);
      if (frame.bytes[at] == 2 && length == 4 && at + 4 <= end) {
        return Integer.toString(frame.u16(at + 2));
      }
      at += length;
    }
    return null;
  }

  /** Bytes, and where their IPv4 header is; -1 when there is none. */
  private record Frame(byte[] bytes, int network, boolean linked) {
    static Frame linked(byte[] bytes) {
      int type = EthernetHeader.TYPE_OFFSET;
      while (type + 6 <= bytes.length
          && (word(bytes, type) == EthernetHeader.ETH_P_8021Q
              || word(bytes, type) == EthernetHeader.ETH_P_8021AD)) {
        type += 4;
      }
      boolean ip =
          type + 2 + IpHeader.MIN_LENGTH <= bytes.length
              && word(bytes, type) == EthernetHeader.ETH_P_IP;
      return new Frame(bytes, ip ? type + 2 : -1, true);
    }

    private static int word(byte[] bytes, int at) {
      return (bytes[at] & 0xFF) << 8 | bytes[at + 1] & 0xFF;
    }

    int u16(int at) {
      return word(bytes, at);
    }

    private String number(int at, int size) {
      long value = 0;
      for (int i = 0; i < size; i++) {
        value = value << 8 | bytes[at + i] & 0xFF;
      }
      return Long.toString(value);
    }

    String ip(int offset, int size) {
      return network < 0 ? null : number(network + offset, size);
    }

    String bits(int offset, int size, int shift, int mask) {
      String whole = ip(offset, size);
      return whole == null ? null : Long.toString(Long.parseLong(whole) >> shift & mask);
    }

    String flag(int mask) {
      return network < 0
          ? null
          : Boolean.toString((u16(network + IpHeader.FRAGMENT_OFFSET) & mask) != 0);
    }

    String mac(int at) {
      if (!linked || bytes.length < EthernetHeader.LENGTH) {
        return null;
      }
      long mac = 0;
      for (int i = 0; i < 6; i++) {
        mac = mac << 8 | bytes[at + i] & 0xFF;
      }
      return Mac.format(mac);
    }

    /** Where the header of that protocol is; -1 without so many bytes of it. */
    int transport(int protocol, int least) {
      if (network < 0
          || (bytes[network + IpHeader.PROTOCOL_OFFSET] & 0xFF) != protocol
          || (u16(network + IpHeader.FRAGMENT_OFFSET) & IpHeader.IP_OFFSET) != 0) {
        return -1;
      }
      int at = network + (bytes[network] & 15) * 4;
      return at + least <= bytes.length ? at : -1;
    }

    String end(int address, int port) {
      if (network < 0) {
        return null;
      }
      int value = u16(network + address) << 16 | u16(network + address + 2);
      int at = Math.max(transport(IpHeader.IPPROTO_TCP, 4), transport(IpHeader.IPPROTO_UDP, 4));
      return Ip4.format(value) + (at < 0 ? "" : ":" + u16(at + port));
    }

    String tcp(int offset, int size) {
      int at = transport(IpHeader.IPPROTO_TCP, TcpHeader.MIN_LENGTH);
      return at < 0 ? null : number(at + offset, size);
    }

    String icmp(int offset) {
      int at = transport(IpHeader.IPPROTO_ICMP, 4);
      return at < 0 ? null : number(at + offset, 1);
    }

    byte[] payload() {
      if (network < 0) {
        return null;
      }
      int end = Math.min(bytes.length, network + u16(network + IpHeader.TOTAL_LENGTH_OFFSET));
      int at = network + (bytes[network] & 15) * 4;
      int tcp = transport(IpHeader.IPPROTO_TCP, TcpHeader.MIN_LENGTH);
      if (tcp >= 0) {
        at = tcp + (bytes[tcp + TcpHeader.DATA_OFFSET] >> 4 & 15) * 4;
      } else if (transport(IpHeader.IPPROTO_UDP, 8) >= 0
          || transport(IpHeader.IPPROTO_ICMP, 8) >= 0) {
        at += 8;
      }
      return at > end ? new byte[0] : Arrays.copyOfRange(bytes, at, end);
    }
  }
}
