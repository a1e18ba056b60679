// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.skb.SkBuff;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Plays struct xt_sctp_info's chunk map: which chunks a packet must have.
 *
 * @param everything {@code ALL}: every type there could be
 * @param types the types named, in ascending order
 */
public record SctpChunks(
    How how, boolean inverted, boolean everything, List<Integer> types, List<Flags> flags) {
  /** How the packet's chunks and those named must agree. */
  public enum How {
    /** The packet has one of them. */
    ANY,
    /** The packet has each of them. */
    ALL,
    /** The packet has no others. */
    ONLY
  }

  /** Flags that a chunk of a type must have under a mask to count. */
  public record Flags(int type, int mask, int set) {}

  private record Kind(String name, int type, String flags) {}

  private static final String NO_FLAGS = "--------";
  private static final String DATA_FLAGS = "----IUBE";
  private static final String T_FLAG = "-------T";

  private static final List<Kind> KINDS =
      List.of(
          new Kind("DATA", 0, DATA_FLAGS),
          new Kind("INIT", 1, NO_FLAGS),
          new Kind("INIT_ACK", 2, NO_FLAGS),
          new Kind("SACK", 3, NO_FLAGS),
          new Kind("HEARTBEAT", 4, NO_FLAGS),
          new Kind("HEARTBEAT_ACK", 5, NO_FLAGS),
          new Kind("ABORT", 6, T_FLAG),
          new Kind("SHUTDOWN", 7, NO_FLAGS),
          new Kind("SHUTDOWN_ACK", 8, NO_FLAGS),
          new Kind("ERROR", 9, NO_FLAGS),
          new Kind("COOKIE_ECHO", 10, NO_FLAGS),
          new Kind("COOKIE_ACK", 11, NO_FLAGS),
          new Kind("ECN_ECNE", 12, NO_FLAGS),
          new Kind("ECN_CWR", 13, NO_FLAGS),
          new Kind("SHUTDOWN_COMPLETE", 14, T_FLAG),
          new Kind("I_DATA", 64, DATA_FLAGS),
          new Kind("RE_CONFIG", 130, NO_FLAGS),
          new Kind("PAD", 132, NO_FLAGS),
          new Kind("ASCONF", 193, NO_FLAGS),
          new Kind("ASCONF_ACK", 128, NO_FLAGS),
          new Kind("FORWARD_TSN", 192, NO_FLAGS),
          new Kind("I_FORWARD_TSN", 194, NO_FLAGS));

  private static final int MOST_FLAGS = 4;

  private static final int HEADER_LENGTH = 4;

  private static final int FLAGS_OFFSET = 1;
  private static final int LENGTH_OFFSET = 2;

  /** Copies the lists. */
  public SctpChunks {
    types = List.copyOf(types);
    flags = List.copyOf(flags);
  }

  /** The names that there are, for people. */
  static String names() {
    return String.join(", ", KINDS.stream().map(Kind::name).toList());
  }

  static SctpChunks parse(Options options, String option) {
    How how = null;
    for (How one : How.values()) {
      how = one.name().equalsIgnoreCase(options.text(option, 0)) ? one : how;
    }
    if (how == null) {
      throw options.error(option, "--" + option + " takes any, all or only and then chunk types");
    }
    boolean inverted = options.inverted(option);
    String list = options.text(option, 1);
    if (list.equalsIgnoreCase("ALL") || list.equalsIgnoreCase("NONE")) {
      boolean everything = list.equalsIgnoreCase("ALL");
      return new SctpChunks(how, inverted, everything, List.of(), List.of());
    }
    List<Integer> types = new ArrayList<>();
    List<Flags> flags = new ArrayList<>();
    for (String word : list.split(",")) {
      if (!word.isEmpty()) {
        int colon = word.indexOf(':');
        int kind = kind(options, option, colon < 0 ? word : word.substring(0, colon));
        if (!types.contains(KINDS.get(kind).type)) {
          types.add(KINDS.get(kind).type);
        }
        if (colon >= 0) {
          flags(options, option, flags, kind, word.substring(colon + 1));
        }
      }
    }
    types.sort(null);
    return new SctpChunks(how, inverted, false, types, flags);
  }

  private static int kind(Options options, String option, String name) {
    for (int i = 0; i < KINDS.size(); i++) {
      if (KINDS.get(i).name.equalsIgnoreCase(name)) {
        return i;
      }
    }
    throw options.error(option, "\"" + name + "\" is no chunk type; there are " + names());
  }

  /**
   * Adds the flags behind a chunk's name. iptables files them under the kind's place in its list,
   * which is the chunk's type for the first fifteen only: those of later kinds are forgotten.
   */
  private static void flags(
      Options options, String option, List<Flags> flags, int kind, String letters) {
    for (char letter : letters.toCharArray()) {
      int bit = 7 - KINDS.get(kind).flags.indexOf(Character.toUpperCase(letter));
      if (bit > 7) {
        throw options.error(
            option,
            KINDS.get(kind).name
                + " has the flags "
                + KINDS.get(kind).flags
                + ", none of them "
                + letter);
      }
      int found = 0;
      while (found < flags.size() && flags.get(found).type != kind) {
        found++;
      }
      if (found == MOST_FLAGS) {
        throw options.error(option, "at most " + MOST_FLAGS + " chunk types may have flags");
      }
      Flags before = found < flags.size() ? flags.remove(found) : new Flags(kind, 0, 0);
      int set = Character.isUpperCase(letter) ? 1 << bit : 0;
      flags.add(found, new Flags(kind, before.mask | 1 << bit, before.set | set));
    }
  }

  void save(StringBuilder out, String option) {
    out.append(inverted ? " ! " : " ").append(option).append(' ');
    out.append(how.name().toLowerCase(Locale.ROOT)).append(' ');
    if (everything || types.isEmpty()) {
      out.append(everything ? "ALL" : "NONE");
      return;
    }
    String separator = "";
    for (int type : types) {
      out.append(separator).append(name(type));
      separator = ",";
      for (Flags one : flags) {
        if (one.type == type) {
          out.append(':');
          letters(out, KINDS.get(type).flags, one);
        }
      }
    }
  }

  private static void letters(StringBuilder out, String names, Flags flags) {
    for (int bit = 7; bit >= 0; bit--) {
      if ((flags.mask >>> bit & 1) != 0) {
        char name = names.charAt(7 - bit);
        out.append((flags.set >>> bit & 1) != 0 ? name : Character.toLowerCase(name));
      }
    }
  }

  private static String name(int type) {
    for (Kind kind : KINDS) {
      if (kind.type == type) {
        return kind.name;
      }
    }
    return Integer.toString(type);
  }

  /** The chunks from {@code at} on, for people. */
  static String describe(SkBuff skb, int at) {
    StringBuilder out = new StringBuilder();
    while (isChunk(skb, at)) {
      out.append(out.length() == 0 ? "" : ", ").append(name(skb.u8(at)));
      int flags = skb.u8(at + FLAGS_OFFSET);
      if (flags != 0) {
        out.append(String.format(Locale.ROOT, " (flags 0x%02x)", flags));
      }
      at = next(skb, at);
    }
    return out.toString();
  }

  private static boolean isChunk(SkBuff skb, int at) {
    return skb.tail - at >= HEADER_LENGTH && skb.u16(at + LENGTH_OFFSET) != 0;
  }

  private static int next(SkBuff skb, int at) {
    return at + (skb.u16(at + LENGTH_OFFSET) + 3 & ~3);
  }

  /** Its evaluation for one rule. */
  Walk walk() {
    return new Walk(this);
  }

  /** Plays match_packet: steps through the chunks of a packet. */
  static final class Walk {
    private final How how;
    private final boolean inverted;
    private final long[] wanted = new long[4];
    private final long[] missing = new long[4];
    private final int[] masks = new int[256];
    private final int[] sets = new int[256];

    private Walk(SctpChunks chunks) {
      how = chunks.how;
      inverted = chunks.inverted;
      if (chunks.everything) {
        java.util.Arrays.fill(wanted, -1);
      }
      for (int type : chunks.types) {
        wanted[type >>> 6] |= 1L << type;
      }
      for (Flags flags : chunks.flags) {
        masks[flags.type] = flags.mask;
        sets[flags.type] = flags.set;
      }
    }

    /** Inverted, it matches what it cannot read, which is dropped as well. */
    boolean matches(SkBuff skb, int at, PacketContext context) {
      return agrees(skb, at, context) != inverted;
    }

    private boolean agrees(SkBuff skb, int at, PacketContext context) {
      System.arraycopy(wanted, 0, missing, 0, wanted.length);
      do {
        if (!isChunk(skb, at)) {
          context.hotdrop = true;
          return false;
        }
        int type = skb.u8(at);
        boolean counts =
            (wanted[type >>> 6] >>> type & 1) != 0
                && (skb.u8(at + FLAGS_OFFSET) & masks[type]) == sets[type];
        if (counts && how == How.ANY) {
          return true;
        }
        if (!counts && how == How.ONLY) {
          return false;
        }
        if (counts) {
          missing[type >>> 6] &= ~(1L << type);
        }
        at = next(skb, at);
      } while (at < skb.tail);
      return how == How.ONLY
          || how == How.ALL && (missing[0] | missing[1] | missing[2] | missing[3]) == 0;
    }
  }
}
