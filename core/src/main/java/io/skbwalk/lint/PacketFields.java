// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import io.skbwalk.netfilter.tables.Rule;
import io.skbwalk.netfilter.tables.RuleSet;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which bits of {@link PacketSets} are which field of a packet as a rule sees it. Besides header
 * fields these are its interfaces, its state to connection tracking and its mark. Interfaces are
 * numbered by the names and prefixes that the rules know; all others are one.
 */
final class PacketFields {
  /** A field: so many bits from {@code first} on, the highest first. */
  record Field(int first, int bits) {
    int last() {
      return first + bits - 1;
    }

    Field after(int width) {
      return new Field(first + bits, width);
    }
  }

  static final Field IN = new Field(0, 10);
  static final Field OUT = IN.after(10);
  static final Field PROTOCOL = OUT.after(8);

  /** One for second and further fragments. */
  static final Field FRAGMENT = PROTOCOL.after(1);

  /** By the number in the order INVALID, NEW, RELATED, ESTABLISHED, UNTRACKED. */
  static final Field STATE = FRAGMENT.after(3);

  static final Field SNAT = STATE.after(1);
  static final Field DNAT = SNAT.after(1);

  /** FIN, SYN, RST, PSH, ACK, URG: bits 0 to 5 of TCP's flags. */
  static final Field FLAGS = DNAT.after(6);

  static final Field ICMP_TYPE = FLAGS.after(8);
  static final Field ICMP_CODE = ICMP_TYPE.after(8);
  static final Field DESTINATION_PORT = ICMP_CODE.after(16);
  static final Field DESTINATION = DESTINATION_PORT.after(32);
  static final Field SOURCE = DESTINATION.after(32);
  static final Field SOURCE_PORT = SOURCE.after(16);
  static final Field MARK = SOURCE_PORT.after(32);

  /** Bits of the fields above; behind them one for each match that is not understood. */
  static final int BITS = MARK.last() + 1;

  static final int INVALID = 0;
  static final int NEW = 1;
  static final int ESTABLISHED = 3;
  static final int UNTRACKED = 4;

  static final int MOST_OPAQUE = 800;

  final PacketSets sets;

  /** Names and prefixes that the rules know, by number; the last two are "other" and "none". */
  private final List<String> interfaces;

  private final Map<String, Integer> opaque = new HashMap<>();

  private final int possible;

  /** Fields of packets as the rules of {@code rules} tell them apart. */
  PacketFields(RuleSet rules) {
    sets = new PacketSets();
    TreeSet<String> known = new TreeSet<>();
    for (RuleSet.Table table : rules.tables()) {
      for (RuleSet.Chain chain : table.chains()) {
        for (Rule rule : chain.rules()) {
          known.add(rule.basic().in());
          known.add(rule.basic().out());
        }
      }
    }
    known.remove("");
    known.remove("+");
    interfaces = new ArrayList<>(known);
    interfaces.add("+");
    interfaces.add("");
    if (interfaces.size() > 1 << IN.bits) {
      throw new PacketSets.TooComplex();
    }
    int all = between(IN, 0, interfaces.size() - 1);
    all = sets.and(all, between(OUT, 0, interfaces.size() - 1));
    all = sets.and(all, between(STATE, 0, UNTRACKED));
    int translated = sets.or(is(SNAT, 1), is(DNAT, 1));
    possible = sets.and(all, sets.or(between(STATE, NEW, ESTABLISHED), sets.not(translated)));
  }

  /** Packets whose field is {@code value}. */
  int is(Field field, int value) {
    return masked(field, value, -1);
  }

  /** Packets whose field is {@code value} in the bits of {@code mask}. */
  int masked(Field field, int value, int mask) {
    int set = PacketSets.ALL;
    for (int i = 0; i < field.bits; i++) {
      if ((mask >>> i & 1) != 0) {
        set = sets.and(sets.of(field.last() - i, (value >>> i & 1) != 0), set);
      }
    }
    return set;
  }

  /** Packets whose field is from {@code low} to {@code high}, both unsigned. */
  int between(Field field, long low, long high) {
    return low > high
        ? PacketSets.NONE
        : sets.and(atLeast(field, low), sets.not(atLeast(field, high + 1)));
  }

  private int atLeast(Field field, long low) {
    if (low >>> field.bits != 0) {
      return PacketSets.NONE;
    }
    int set = PacketSets.ALL;
    for (int i = 0; i < field.bits; i++) {
      int one = sets.of(field.last() - i, true);
      set = (low >>> i & 1) != 0 ? sets.and(one, set) : sets.or(one, set);
    }
    return set;
  }

  /** Packets whose interface is {@code pattern}. */
  int interfaceIs(Field field, String pattern) {
    boolean prefix = pattern.endsWith("+");
    String name = prefix ? pattern.substring(0, pattern.length() - 1) : pattern;
    int set = PacketSets.NONE;
    for (int i = 0; i < interfaces.size(); i++) {
      String one = interfaces.get(i);
      boolean some = one.endsWith("+");
      String stem = some ? one.substring(0, one.length() - 1) : one;
      if (prefix ? stem.startsWith(name) : !some && stem.equals(name)) {
        set = sets.or(set, is(field, i));
      }
    }
    return set;
  }

  /** Packets whose interface is the one called {@code name}, or one that no rule tells from it. */
  int interfaceHas(Field field, String name) {
    int set = PacketSets.ALL;
    for (String one : interfaces) {
      boolean prefix = one.endsWith("+");
      String stem = prefix ? one.substring(0, one.length() - 1) : one;
      boolean has = prefix ? name.startsWith(stem) : name.equals(one);
      set = sets.and(set, has ? interfaceIs(field, one) : sets.not(interfaceIs(field, one)));
    }
    return set;
  }

  /** Interfaces of a machine on which each of these names is one: eth0 and eth1 first. */
  List<String> devices() {
    Set<String> devices = new LinkedHashSet<>(List.of("eth0", "eth1"));
    for (String one : interfaces) {
      devices.add(one.endsWith("+") ? one.substring(0, one.length() - 1) + "0" : one);
    }
    // Of other interfaces, and of none.
    devices.removeAll(List.of("0", "", "lo"));
    return List.copyOf(devices);
  }

  /** Packets without that interface. */
  int noInterface(Field field) {
    return is(field, interfaces.size() - 1);
  }

  /** Of a packet that {@link PacketSets#some} made: the field; 0 in bits that do not matter. */
  static int number(byte[] packet, Field field) {
    int number = 0;
    for (int i = field.first; i <= field.last(); i++) {
      number = number << 1 | (packet[i] == 1 ? 1 : 0);
    }
    return number;
  }

  /** Packets that have one of these states, bits by the order of {@link #STATE}, SNAT, DNAT. */
  int states(int wanted) {
    int set = PacketSets.NONE;
    for (int state = 0; state <= UNTRACKED; state++) {
      if ((wanted >>> state & 1) != 0) {
        set = sets.or(set, is(STATE, state));
      }
    }
    set = (wanted & 1 << 5) != 0 ? sets.or(set, is(SNAT, 1)) : set;
    return (wanted & 1 << 6) != 0 ? sets.or(set, is(DNAT, 1)) : set;
  }

  /** Packets for which what is written as {@code text}, and not understood, holds. */
  int opaque(String text) {
    int number = opaque.computeIfAbsent(text, key -> BITS + opaque.size());
    if (number >= BITS + MOST_OPAQUE) {
      throw new PacketSets.TooComplex();
    }
    return sets.of(number, true);
  }

  /** The set when what is not understood may have changed. */
  int forgetOpaque(int set) {
    return sets.forget(set, BITS, BITS + MOST_OPAQUE);
  }

  int forget(int set, Field field) {
    return sets.forget(set, field.first, field.last());
  }

  /** Every packet there can be: numbers without a meaning are none. */
  int possible() {
    return possible;
  }
}
