// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.ipset;

import io.skbwalk.kernel.Clock;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.Ip6;
import io.skbwalk.lib.SourcePosition;
import io.skbwalk.skb.SkBuff;

/**
 * Plays struct ip_set: one set with its elements. What a rule asks comes through {@link #test},
 * {@link #add(SkBuff, SetQuery)} and {@link #delete(SkBuff, SetQuery)} and allocates nothing; what
 * a user asks comes with a {@link SetEntry}.
 */
public abstract class IpSet {
  // Answers of the functions below; what is less is a SetError's code.

  /** In the set; for add and delete: done. */
  static final int MATCH = 1;

  /** Not in the set; for add and delete: done. */
  static final int NONE = 0;

  /** -ENOTEMPTY: in the set, as an exception. */
  static final int EXCLUDED = -1;

  /** -EAGAIN of bitmap:ip,mac: the element has no Ethernet address yet. */
  static final int INCOMPLETE = -2;

  /** -EAGAIN of a hash: the table must grow first, which only the user's commands do. */
  static final int RESIZE = -3;

  /** What it was created with. */
  public final SetOptions options;

  /** Its type. */
  public final SetType type;

  final Clock clock;
  final Extensions extensions;

  /** The name that it has now. */
  String name;

  /** Rules and sets that use it. */
  int references;

  private final SetEntry packetEntry = new SetEntry();

  IpSet(SetOptions options, Clock clock) {
    this.options = options;
    this.type = options.type;
    this.clock = clock;
    this.name = options.name;
    this.extensions = new Extensions(options, clock);
  }

  /** Its name. */
  public final String name() {
    return name;
  }

  // ---- what rules ask ---------------------------------------------------------------------------

  /** Plays ip_set_test: is the packet in the set? */
  public final boolean test(SkBuff skb, SetQuery query) {
    if (query.dimension() < type.dimension() || options.inet6) {
      return false;
    }
    int answer = testPacket(skb, query);
    if (answer == INCOMPLETE) {
      addPacket(skb, query);
      return true;
    }
    if (query.returnsNomatch && type.takesNomatch() && (answer > 0 || answer == EXCLUDED)) {
      answer = -answer;
    }
    return answer > 0;
  }

  /** Plays ip_set_add: true when the packet's element was put into the set. */
  public final boolean add(SkBuff skb, SetQuery query) {
    boolean possible = query.dimension() >= type.dimension() && !options.inet6;
    query.result = possible ? addPacket(skb, query) : INCOMPLETE;
    return query.result == NONE;
  }

  /** Plays ip_set_del: true when the packet's element was taken out of the set. */
  public final boolean delete(SkBuff skb, SetQuery query) {
    boolean possible = query.dimension() >= type.dimension() && !options.inet6;
    query.result = possible ? deletePacket(skb, query) : INCOMPLETE;
    return query.result == NONE;
  }

  abstract int testPacket(SkBuff skb, SetQuery query);

  abstract int addPacket(SkBuff skb, SetQuery query);

  abstract int deletePacket(SkBuff skb, SetQuery query);

  /** Plays IP_SET_INIT_KEXT: what a packet's element brings with it. */
  final SetEntry packetEntry(SkBuff skb, SetQuery query) {
    SetEntry entry = packetEntry;
    entry.reset(SourcePosition.NONE);
    entry.byRule = true;
    entry.timeout = query.timeout;
    entry.packets = 1;
    entry.bytes = skb.length();
    return entry;
  }

  // ---- what the user asks -----------------------------------------------------------------------

  /** Adds what the entry says; {@link #NONE} or an error's code. */
  abstract int add(SetEntry entry, boolean exist);

  /** Deletes what the entry says; {@link #NONE} or an error's code. */
  abstract int delete(SetEntry entry, boolean exist);

  /** Deletes everything. */
  abstract void flush();

  /** Elements that have not run out. */
  public abstract int size();

  // ---- for people -------------------------------------------------------------------------------

  /** Appends the value of the options of {@code create} that the type alone has. */
  abstract void appendOwn(StringBuilder out, String option);

  /** Appends each element, as the kernel lists them, as one line of {@code ipset save}. */
  abstract void appendElements(StringBuilder out);

  /** The element as it is written behind {@code add NAME}, without its options. */
  abstract String element(int element);

  /** Is the time of the element running? */
  boolean timeRuns(int element) {
    return true;
  }

  /** {@code nomatch} and {@code wildcard} of an element. */
  boolean isFlagged(int element, String option) {
    return false;
  }

  /**
   * The element that holds the packet, whatever its timeout and counters say, or -1. Changes
   * nothing.
   */
  abstract int peek(SkBuff skb, SetQuery query);

  /** What the packet is to this set, such as {@code 192.0.2.1,tcp:80}; null when it is nothing. */
  abstract String packetElement(SkBuff skb, SetQuery query);

  /** Appends {@code add NAME ELEMENT OPTIONS} and a new line. */
  final void appendElement(StringBuilder out, int element) {
    out.append("add ").append(name).append(' ');
    describe(out, element);
    out.append('\n');
  }

  final void describe(StringBuilder out, int element) {
    out.append(element(element));
    for (String option : type.addOptions) {
      if (option.equals("nomatch") || option.equals("wildcard")) {
        out.append(isFlagged(element, option) ? " " + option : "");
      } else {
        extensions.append(out, option, element, timeRuns(element));
      }
    }
  }

  /**
   * May a test change something, in the set or in a member: a counter, or an Ethernet address that
   * an element does not have yet?
   */
  public final boolean remembersTests() {
    return options.counters || type == SetType.LIST_SET || type == SetType.BITMAP_IPMAC;
  }

  /** Appends the set as {@code ipset save} prints it. */
  public final void save(StringBuilder out) {
    saveHeader(out);
    appendElements(out);
  }

  private void saveHeader(StringBuilder out) {
    out.append("create ").append(name).append(' ').append(type.label);
    for (String option : type.createOptions) {
      switch (option) {
        case "family" -> out.append(" family ").append(options.inet6 ? "inet6" : "inet");
        case "netmask" -> {
          if (options.netmask != 0) {
            out.append(" netmask ").append(options.netmask);
          }
        }
        case "bitmask" -> {
          if (options.bitmask != null) {
            int[] mask = options.bitmask;
            out.append(" bitmask ").append(options.inet6 ? Ip6.format(mask) : Ip4.format(mask[0]));
          }
        }
        case "timeout" -> {
          if (options.timeout != SetOptions.NONE) {
            out.append(" timeout ").append(options.timeout);
          }
        }
        case "counters" -> out.append(options.counters ? " counters" : "");
        case "comment" -> out.append(options.comment ? " comment" : "");
        case "skbinfo" -> out.append(options.skbinfo ? " skbinfo" : "");
        // ipset 7.17 never prints it, although the kernel tells it.
        case "forceadd" -> {}
        default -> appendOwn(out, option);
      }
    }
    out.append('\n');
  }

  @Override
  public final String toString() {
    return name;
  }
}
