// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import io.skbwalk.host.HostDescription;
import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.tables.Names;
import java.util.List;

/**
 * The plainest packet of a set: with ordinary ports, flags and addresses, as far as the set has it.
 *
 * @param text as {@code walk --send} takes it
 * @param to its destination
 */
record PlainPacket(String text, int to) {
  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final int ICMP = 1;
  private static final int SYN = 2;
  private static final int ECHO_REQUEST = 8;

  /** Where no ordinary packet comes from or goes to. */
  private static final List<String> ODD = List.of("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3");

  /** One that can come in on {@code device}, or null; {@code host} may be null. */
  static PlainPacket of(TableSets table, int set, int source, String device, HostDescription host) {
    PacketFields fields = table.fields;
    PacketSets sets = table.sets;
    int at = sets.and(set, fields.interfaceHas(PacketFields.IN, device));
    at = sets.and(at, fields.is(PacketFields.FRAGMENT, 0));
    at = sets.and(at, fields.is(PacketFields.MARK, 0));
    at = sets.and(at, fields.is(PacketFields.STATE, PacketFields.NEW));
    at = sets.and(at, sets.not(fields.states(3 << 5)));
    int kinds = sets.or(protocol(fields, TCP), protocol(fields, UDP));
    at = sets.and(at, sets.or(kinds, protocol(fields, ICMP)));
    at = prefer(sets, at, fields.noInterface(PacketFields.OUT));
    at = prefer(sets, at, protocol(fields, TCP));
    at = prefer(sets, at, protocol(fields, UDP));
    at = prefer(sets, at, fields.is(PacketFields.FLAGS, SYN));
    at = prefer(sets, at, fields.is(PacketFields.ICMP_TYPE, ECHO_REQUEST));
    at = prefer(sets, at, fields.is(PacketFields.ICMP_CODE, 0));
    for (int port : new int[] {22, 443, 80, 53}) {
      at = prefer(sets, at, fields.is(PacketFields.DESTINATION_PORT, port));
    }
    at = prefer(sets, at, fields.is(PacketFields.SOURCE_PORT, 40_000));
    if (host != null) {
      for (HostDescription.Interface one : host.interfaces()) {
        for (HostDescription.Address own : one.addresses()) {
          at = prefer(sets, at, fields.is(PacketFields.DESTINATION, own.address()));
        }
      }
    }
    at = prefer(sets, at, fields.is(PacketFields.DESTINATION, Ip4.parse("203.0.113.1")));
    at = prefer(sets, at, fields.is(PacketFields.SOURCE, source));
    for (String odd : ODD) {
      at = prefer(sets, at, sets.not(network(fields, PacketFields.SOURCE, odd)));
      at = prefer(sets, at, sets.not(network(fields, PacketFields.DESTINATION, odd)));
    }
    at = prefer(sets, at, fields.masked(PacketFields.DESTINATION, 1, 0xFF));
    at = prefer(sets, at, fields.masked(PacketFields.SOURCE, 9, 0xFF));
    if (at == PacketSets.NONE) {
      return null;
    }
    byte[] packet = sets.some(at, PacketFields.BITS + PacketFields.MOST_OPAQUE);
    return new PlainPacket(
        text(packet, device), PacketFields.number(packet, PacketFields.DESTINATION));
  }

  private static String text(byte[] packet, String device) {
    String from = Ip4.format(PacketFields.number(packet, PacketFields.SOURCE));
    String to = Ip4.format(PacketFields.number(packet, PacketFields.DESTINATION));
    int protocol = PacketFields.number(packet, PacketFields.PROTOCOL);
    StringBuilder text = new StringBuilder(device).append(' ');
    text.append(Names.protocol(protocol)).append(' ').append(from);
    if (protocol != ICMP) {
      text.append(':').append(PacketFields.number(packet, PacketFields.SOURCE_PORT));
    }
    text.append(" > ").append(to);
    if (protocol == ICMP) {
      int type = PacketFields.number(packet, PacketFields.ICMP_TYPE);
      int code = PacketFields.number(packet, PacketFields.ICMP_CODE);
      text.append(type == ECHO_REQUEST ? "" : " " + type).append(code == 0 ? "" : " code=" + code);
    } else {
      text.append(':').append(PacketFields.number(packet, PacketFields.DESTINATION_PORT));
      text.append(protocol == TCP ? flags(PacketFields.number(packet, PacketFields.FLAGS)) : "");
    }
    return text.toString();
  }

  private static int network(PacketFields fields, PacketFields.Field field, String text) {
    int slash = text.indexOf('/');
    int mask = Ip4.mask(Integer.parseInt(text.substring(slash + 1)));
    return fields.masked(field, Ip4.parse(text.substring(0, slash)), mask);
  }

  private static int protocol(PacketFields fields, int number) {
    return fields.is(PacketFields.PROTOCOL, number);
  }

  /** What is also in {@code wanted}, if anything is. */
  private static int prefer(PacketSets sets, int set, int wanted) {
    int both = sets.and(set, wanted);
    return both == PacketSets.NONE ? set : both;
  }

  private static String flags(int bits) {
    StringBuilder text = new StringBuilder(" ");
    for (int i = 0; i < 6; i++) {
      text.append((bits >>> i & 1) != 0 ? "FSRPAU".substring(i, i + 1) : "");
    }
    return bits == 0 ? " flags=\"\"" : text.toString();
  }
}
