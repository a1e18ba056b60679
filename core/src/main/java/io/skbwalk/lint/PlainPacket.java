// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.tables.Names;
import java.util.List;

/**
 * A packet that may show something: the plainest of a set, with ordinary ports, flags and addresses
 * as far as the set has them, and those of the same connection around it.
 *
 * @param device where it comes in; null when the machine sends it
 */
record PlainPacket(
    String device,
    Part part,
    int protocol,
    int from,
    int fromPort,
    int to,
    int toPort,
    int flags,
    int icmpType,
    int icmpCode,
    boolean fragment) {
  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final int ICMP = 1;
  private static final int FIN = 1;
  private static final int SYN = 2;
  private static final int ACK = 16;
  private static final int ECHO_REPLY = 0;
  private static final int ECHO_REQUEST = 8;

  /** Where no ordinary packet comes from or goes to. */
  private static final List<String> ODD = List.of("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3");

  /** What it is in its connection. */
  enum Part {
    /** Its first packet. */
    OPENS(PacketFields.NEW, SYN, ECHO_REQUEST),
    /** The far end's first. */
    ANSWERS(PacketFields.ESTABLISHED, SYN | ACK, ECHO_REPLY),
    /** A later one of the side that opened. */
    GOES_ON(PacketFields.ESTABLISHED, ACK, ECHO_REQUEST),
    /** It is not tracked. */
    UNTRACKED(PacketFields.UNTRACKED, SYN, ECHO_REQUEST),
    /** It belongs to none: a FIN out of the blue, or a reply to nothing. */
    INVALID(PacketFields.INVALID, FIN, ECHO_REPLY);

    private final int state;
    private final int flags;
    private final int icmpType;

    Part(int state, int flags, int icmpType) {
      this.state = state;
      this.flags = flags;
      this.icmpType = icmpType;
    }
  }

  /** The plainest of {@code set} that can be that part of a connection on that way, or null. */
  static PlainPacket of(TableSets table, int set, Part part, Way way) {
    PacketFields fields = table.fields;
    PacketSets sets = table.sets;
    int at = sets.and(set, fields.is(PacketFields.STATE, part.state));
    at = prefer(sets, at, sets.not(fields.states(3 << 5)));
    at = prefer(sets, at, fields.is(PacketFields.FRAGMENT, 0));
    at = prefer(sets, at, fields.noInterface(PacketFields.OUT));
    at = prefer(sets, at, fields.is(PacketFields.PROTOCOL, TCP));
    at = prefer(sets, at, fields.is(PacketFields.PROTOCOL, UDP));
    at = prefer(sets, at, fields.is(PacketFields.PROTOCOL, ICMP));
    at = prefer(sets, at, fields.is(PacketFields.FLAGS, part.flags));
    at = prefer(sets, at, fields.is(PacketFields.ICMP_TYPE, part.icmpType));
    at = prefer(sets, at, fields.is(PacketFields.ICMP_CODE, 0));
    boolean back = part == Part.ANSWERS;
    PacketFields.Field service = back ? PacketFields.SOURCE_PORT : PacketFields.DESTINATION_PORT;
    PacketFields.Field client = back ? PacketFields.DESTINATION_PORT : PacketFields.SOURCE_PORT;
    for (int port : new int[] {22, 443, 80, 53}) {
      at = prefer(sets, at, fields.is(service, port));
    }
    at = prefer(sets, at, fields.is(client, 40_000));
    for (int address : way.destinations()) {
      at = prefer(sets, at, fields.is(PacketFields.DESTINATION, address));
    }
    for (int address : way.sources()) {
      at = prefer(sets, at, fields.is(PacketFields.SOURCE, address));
    }
    for (String odd : ODD) {
      at = prefer(sets, at, sets.not(network(fields, PacketFields.SOURCE, odd)));
      at = prefer(sets, at, sets.not(network(fields, PacketFields.DESTINATION, odd)));
    }
    at = prefer(sets, at, fields.masked(PacketFields.DESTINATION, 1, 0xFF));
    at = prefer(sets, at, fields.masked(PacketFields.SOURCE, 9, 0xFF));
    if (at == PacketSets.NONE) {
      return null;
    }
    byte[] bits = sets.some(at, PacketFields.BITS + PacketFields.MOST_OPAQUE);
    return new PlainPacket(
        way.device(),
        part,
        PacketFields.number(bits, PacketFields.PROTOCOL),
        PacketFields.number(bits, PacketFields.SOURCE),
        PacketFields.number(bits, PacketFields.SOURCE_PORT),
        PacketFields.number(bits, PacketFields.DESTINATION),
        PacketFields.number(bits, PacketFields.DESTINATION_PORT),
        PacketFields.number(bits, PacketFields.FLAGS),
        PacketFields.number(bits, PacketFields.ICMP_TYPE),
        PacketFields.number(bits, PacketFields.ICMP_CODE),
        PacketFields.number(bits, PacketFields.FRAGMENT) == 1);
  }

  // ---- others of its connection -----------------------------------------------------------------

  /** The same way, as that part of the connection. */
  PlainPacket as(Part other) {
    return new PlainPacket(
        device,
        other,
        protocol,
        from,
        fromPort,
        to,
        toPort,
        other.flags,
        protocol == ICMP && other == Part.ANSWERS ? answering(icmpType) : icmpType,
        icmpCode,
        fragment);
  }

  /** The other way, coming in on {@code back}, as that part of the connection. */
  PlainPacket back(String back, Part other) {
    return new PlainPacket(
        back,
        other,
        protocol,
        to,
        toPort,
        from,
        fromPort,
        other.flags,
        answering(icmpType),
        icmpCode,
        fragment);
  }

  /** The reply to a request, or the request of a reply. */
  private static int answering(int type) {
    return switch (type) {
      case ECHO_REPLY -> ECHO_REQUEST;
      case ECHO_REQUEST -> ECHO_REPLY;
      // Timestamps, information and address masks are neighbours.
      default -> (type & 1) == 1 ? type + 1 : type - 1;
    };
  }

  // ---- as text ----------------------------------------------------------------------------------

  /** As {@code walk --send} takes it. */
  String text() {
    boolean ports = protocol == TCP || protocol == UDP;
    boolean known = ports || protocol == ICMP;
    StringBuilder text = new StringBuilder(device == null ? "sent" : device).append(' ');
    text.append(known ? Names.protocol(protocol) : "ip").append(' ').append(Ip4.format(from));
    text.append(ports ? ":" + fromPort : "").append(" > ").append(Ip4.format(to));
    text.append(ports ? ":" + toPort : "");
    if (protocol == TCP) {
      text.append(letters(flags)).append(numbers());
    } else if (protocol == ICMP) {
      text.append(icmpType == ECHO_REQUEST ? "" : " " + icmpType);
      text.append(icmpCode == 0 ? "" : " code=" + icmpCode);
    } else if (!known) {
      text.append(' ').append(protocol);
    }
    return text.append(fragment ? " fragment-offset=64" : "").toString();
  }

  /** Where a handshake with numbers from 0 has come to. */
  private String numbers() {
    boolean acknowledges = (flags & ACK) != 0;
    return switch (part) {
      case ANSWERS -> acknowledges ? " ack=1" : "";
      case GOES_ON -> " seq=1" + (acknowledges ? " ack=1" : "");
      default -> "";
    };
  }

  private static int network(PacketFields fields, PacketFields.Field field, String text) {
    int slash = text.indexOf('/');
    int mask = Ip4.mask(Integer.parseInt(text.substring(slash + 1)));
    return fields.masked(field, Ip4.parse(text.substring(0, slash)), mask);
  }

  /** What is also in {@code wanted}, if anything is. */
  private static int prefer(PacketSets sets, int set, int wanted) {
    int both = sets.and(set, wanted);
    return both == PacketSets.NONE ? set : both;
  }

  private static String letters(int bits) {
    StringBuilder text = new StringBuilder(" ");
    for (int i = 0; i < 6; i++) {
      text.append((bits >>> i & 1) != 0 ? "FSRPAU".substring(i, i + 1) : "");
    }
    return bits == 0 ? " flags=\"\"" : text.toString();
  }
}
