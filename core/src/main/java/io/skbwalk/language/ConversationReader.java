// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import io.skbwalk.language.ScenarioPacket.Turn;
import io.skbwalk.skb.TcpHeader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * Reads a whole conversation in one entry of a scenario: {@code tcp-session}, {@code udp-exchange},
 * {@code ping}. The packets of the side that opens it are as they are read here; those of the far
 * end come from where its packets arrived, and answer what arrived there.
 */
final class ConversationReader {
  /** Virtual time between two packets of a conversation: one way over a network. */
  private static final long ONE_WAY = 1_000_000;

  private static final int SYN = TcpHeader.SYN;
  private static final int ACK = TcpHeader.ACK;
  private static final int FIN = TcpHeader.FIN;
  private static final int PSH = TcpHeader.PSH;
  private static final int RST = TcpHeader.RST;
  private static final int MSS = 1460;
  private static final byte[] MSS_OPTION = {2, 4, MSS >>> 8, (byte) MSS};
  private static final int WINDOW = 64_240;
  private static final int ECHO_REQUEST = 8;

  /** How a session ends. */
  private enum Close {
    fin,
    reset,
    none
  }

  private final PacketReader reader;
  private final String device;
  private final int number;
  private final YamlValue value;
  private final List<ScenarioPacket> packets;
  private final YamlValue.Fields fields;
  private final PacketReader.Endpoint from;
  private final PacketReader.Endpoint to;
  private long wait;

  /** Sequence numbers of the side that opens, and of the far end. */
  private int sequence = 1000;

  private int farSequence = 5000;

  /**
   * A conversation.
   *
   * @param kind the key that says what it is
   * @param device where the side that opens it is; null for the machine itself
   * @param number it is the conversation number this in its file
   * @param wait virtual time before its first packet
   */
  ConversationReader(
      PacketReader reader,
      String kind,
      YamlValue value,
      String device,
      int number,
      long wait,
      List<ScenarioPacket> packets) {
    this.reader = reader;
    this.device = device;
    this.number = number;
    this.wait = wait;
    this.value = value;
    this.packets = packets;
    fields =
        switch (kind) {
          case "tcp-session" ->
              value.fields(
                  kind,
                  "from",
                  "to",
                  "send",
                  "send-length",
                  "reply",
                  "reply-length",
                  "close",
                  "ttl",
                  "tos");
          case "udp-exchange" ->
              value.fields(
                  kind, "from", "to", "send", "send-length", "reply", "reply-length", "ttl", "tos");
          default -> value.fields(kind, "from", "to", "count", "ttl", "tos");
        };
    boolean ports = !kind.equals("ping");
    from = PacketReader.endpoint(fields.require("from"), ports);
    to = PacketReader.endpoint(fields.require("to"), ports);
    switch (kind) {
      case "tcp-session" -> session();
      case "udp-exchange" -> {
        add("request", false, datagram(false), payload("send"));
        add("reply", true, datagram(true), payload("reply"));
      }
      default -> ping();
    }
  }

  private byte[] payload(String key) {
    YamlValue length = fields.get(key + "-length");
    if (length == null) {
      return fields.text(key, "").getBytes(StandardCharsets.UTF_8);
    }
    if (fields.get(key) != null) {
      throw length.error("give either " + key + " or " + key + "-length");
    }
    byte[] payload = new byte[(int) length.number(0, 1_000_000)];
    for (int i = 0; i < payload.length; i++) {
      payload[i] = (byte) ('a' + i % 26);
    }
    return payload;
  }

  // ---- kinds ------------------------------------------------------------------------------------

  private void session() {
    segment("SYN", false, SYN);
    segment("SYN/ACK", true, SYN | ACK);
    segment("ACK", false, ACK);
    byte[] sent = payload("send");
    text("request", false, sent);
    byte[] reply = payload("reply");
    if (reply.length == 0 && sent.length > 0) {
      segment("ACK of the request", true, ACK);
    }
    text("reply", true, reply);
    if (reply.length > 0) {
      segment("ACK of the reply", false, ACK);
    }
    switch (close()) {
      case fin -> {
        segment("FIN", false, FIN | ACK);
        segment("FIN of the far end", true, FIN | ACK);
        segment("last ACK", false, ACK);
      }
      case reset -> segment("RST", false, RST | ACK);
      default -> {
        // It stays open.
      }
    }
  }

  private Close close() {
    String how = fields.text("close", "fin");
    for (Close one : Close.values()) {
      if (one.name().equals(how)) {
        return one;
      }
    }
    throw fields.get("close").error("a session is closed with fin, reset or none, not " + how);
  }

  private void text(String what, boolean far, byte[] text) {
    for (int at = 0; at < text.length; at += MSS) {
      byte[] part = Arrays.copyOfRange(text, at, Math.min(text.length, at + MSS));
      boolean last = at + MSS >= text.length;
      add(what, far, tcp(far, last ? PSH | ACK : ACK), part);
      advance(far, part.length);
    }
  }

  private void segment(String what, boolean far, int flags) {
    add(what, far, tcp(far, flags), new byte[0]);
    advance(far, (flags & (SYN | FIN)) != 0 ? 1 : 0);
  }

  private void advance(boolean far, int bytes) {
    sequence += far ? 0 : bytes;
    farSequence += far ? bytes : 0;
  }

  private FrameBuilder tcp(boolean far, int flags) {
    byte[] options = (flags & SYN) == 0 ? new byte[0] : MSS_OPTION;
    int ack = (flags & ACK) == 0 ? 0 : far ? sequence : farSequence;
    return builder(far)
        .tcp(
            (far ? to : from).port(),
            (far ? from : to).port(),
            flags,
            far ? farSequence : sequence,
            ack,
            WINDOW,
            options);
  }

  private FrameBuilder datagram(boolean far) {
    return builder(far).udp((far ? to : from).port(), (far ? from : to).port());
  }

  private void ping() {
    int count = (int) fields.number("count", 1, 1000, 1);
    byte[] payload = "abcdefghijklmnopqrstuvwabcdefghi".getBytes(StandardCharsets.US_ASCII);
    for (int i = 1; i <= count; i++) {
      add("echo request", false, builder(false).icmp(ECHO_REQUEST, 0, 1 << 16 | i), payload);
      add("echo reply", true, builder(true).icmp(0, 0, 1 << 16 | i), payload);
    }
  }

  // ---- packets ----------------------------------------------------------------------------------

  private FrameBuilder builder(boolean far) {
    FrameBuilder builder =
        far || device == null
            ? new FrameBuilder(0, 0)
            : new FrameBuilder(reader.ownMac(device), reader.neighbourMac(from.address(), device));
    int source = far ? to.address() : from.address();
    builder.ip(source, far ? from.address() : to.address());
    return far
        ? builder
        : builder
            .ttl((int) fields.number("ttl", 0, 255, 64))
            .tos((int) fields.number("tos", 0, 255, 0));
  }

  private void add(String what, boolean far, FrameBuilder builder, byte[] payload) {
    builder.payload(payload);
    packets.add(
        new ScenarioPacket(
            far ? null : device,
            wait,
            far || device == null ? builder.packet() : builder.frame(),
            List.of(),
            null,
            what,
            value.position(),
            new Turn(number, far)));
    wait = ONE_WAY;
  }
}
