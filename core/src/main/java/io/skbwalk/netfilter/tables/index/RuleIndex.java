// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.index;

import io.skbwalk.netfilter.tables.BasicMatch;
import io.skbwalk.netfilter.tables.InterfacePattern;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.PacketMatch;
import io.skbwalk.skb.SkBuff;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Which entries of a table may match a packet. It may name too many, never too few; what it has not
 * decided of an entry is asked as always, in order. So nothing that remembers is asked sooner,
 * later or more often than by going from entry to entry.
 *
 * <p>A rule is looked up by one thing that it asks for, the one that the fewest others share; what
 * has few values (protocol, interfaces, state, TCP flags) is a bitmap for each value besides.
 *
 * <pre>
 *   0  -s 10.1.1.1 -p tcp --dport 22    by source       10.1.1.1/32 -> {0}
 *   1  -s 10.0.0.0/8 -p udp --dport 53  by its port     53          -> {1, 2}
 *   2  -p tcp --dport 53
 *   3  -i eth1 -m limit ...             always          {3, 4}
 *   4  (policy)
 * </pre>
 *
 * <p>A TCP segment from 10.1.1.1 to port 53 that came in on eth0 finds {0}, {1, 2} and {3, 4}; of
 * these protocol TCP leaves out 1 and interface eth0 leaves out 3. Entry 0 is tried (its port is
 * wrong), then 2, which matches. Where a node has many rules (a thousand for port 53), they are
 * looked up by one more key.
 *
 * <p>Only what stands before a match that remembers something, or may set hotdrop, narrows: {@code
 * -m limit -m tcp --dport 80} takes its token whatever the port.
 */
public final class RuleIndex {
  private static final int SOURCE = 1;
  private static final int NOT_SOURCE = 1 << 1;
  private static final int DESTINATION = 1 << 2;
  private static final int NOT_DESTINATION = 1 << 3;
  private static final int SOURCE_PORT = 1 << 4;
  private static final int NOT_SOURCE_PORT = 1 << 5;
  private static final int DESTINATION_PORT = 1 << 6;
  private static final int NOT_DESTINATION_PORT = 1 << 7;
  private static final int MATCHES = 1 << 8;
  private static final int CHANGES = 1 << 9;
  private static final int MASKED_SOURCE = 1 << 10;
  private static final int MASKED_DESTINATION = 1 << 11;

  /**
   * Numbers an entry in {@link #checks}: flags; of the source its lowest value and how many are
   * above that, or its value and mask; of the destination likewise; two ranges of ports.
   */
  private static final int STRIDE_SHIFT = 3;

  private static final PacketMatch[] NO_MATCHES = {};
  private static final LevelBuilder.Shared[] NOTHING = {};

  private final int size;

  /** What of each entry the filters do not decide, side by side for the processor's cache. */
  private final int[] checks;

  /** The matches of each entry that are still to be asked. */
  private final PacketMatch[][] rest;

  final DeviceFilter in;
  final DeviceFilter out;
  final ClassFilter[] filters;
  final IndexLevel root;

  /** Has the table at most 64 entries, none of them in a tree? */
  final boolean isOneWord;

  /** The rules of the root's trees, a bitmap. */
  final long[] inTrees;

  /** The keys that are looked up, bits. */
  final int asked;

  /** Reads entries one after the other; {@link #build} makes the index. */
  public static final class Builder {
    private final RuleIndex.Draft draft;

    /** Of a table of {@code size} entries. */
    public Builder(int size) {
      draft = new Draft(size);
    }

    /**
     * The next entry.
     *
     * @param in null for any interface
     * @param out likewise
     */
    public void add(
        BasicMatch basic, InterfacePattern in, InterfacePattern out, PacketMatch[] matches) {
      draft.add(basic, in, out, matches);
    }

    /**
     * When all have been added.
     *
     * @param few how many rules are tried one by one rather than looked up
     */
    public RuleIndex build(int few) {
      return new RuleIndex(draft, few);
    }
  }

  /** The index while it is made. */
  private static final class Draft {
    final int size;
    final int[] checks;
    final PacketMatch[][] rest;
    final LevelBuilder.Shared[][] conditions;
    final DeviceFilter in;
    final DeviceFilter out;
    final Map<PacketKey, Map<Condition, List<Integer>>> narrow = new EnumMap<>(PacketKey.class);
    private final Map<Condition, LevelBuilder.Shared> shared = new HashMap<>();
    private final List<LevelBuilder.Shared> some = new ArrayList<>();
    private int entry;

    Draft(int size) {
      this.size = size;
      checks = new int[size << STRIDE_SHIFT];
      rest = new PacketMatch[size][];
      conditions = new LevelBuilder.Shared[size][];
      in = new DeviceFilter(size);
      out = new DeviceFilter(size);
    }

    void add(BasicMatch basic, InterfacePattern in, InterfacePattern out, PacketMatch[] matches) {
      int at = entry << STRIDE_SHIFT;
      some.clear();
      if (basic.sourceMask() != 0 || basic.notSource()) {
        int mask = basic.sourceMask();
        boolean not = basic.notSource();
        Condition asked = Condition.masked(PacketKey.SOURCE, basic.source(), mask, not);
        ask(asked);
        if (!check(at, asked)) {
          checks[at] |= not ? MASKED_SOURCE | NOT_SOURCE : MASKED_SOURCE;
          checks[at + 1] = basic.source();
          checks[at + 2] = mask;
        }
      }
      if (basic.destinationMask() != 0 || basic.notDestination()) {
        int mask = basic.destinationMask();
        boolean not = basic.notDestination();
        Condition asked = Condition.masked(PacketKey.DESTINATION, basic.destination(), mask, not);
        ask(asked);
        if (!check(at, asked)) {
          checks[at] |= not ? MASKED_DESTINATION | NOT_DESTINATION : MASKED_DESTINATION;
          checks[at + 3] = basic.destination();
          checks[at + 4] = mask;
        }
      }
      if (in != null) {
        this.in.add(entry, in, basic.notIn());
      }
      if (out != null) {
        this.out.add(entry, out, basic.notOut());
      }
      int protocol = basic.protocol();
      if (protocol != 0) {
        ask(Condition.range(PacketKey.PROTOCOL, protocol, protocol, basic.notProtocol()));
      }
      if (basic.fragment() || basic.notFragment()) {
        ask(Condition.range(PacketKey.FRAGMENT, 1, 1, basic.notFragment()));
      }
      add(at, basic.notProtocol() ? 0 : protocol, matches);
      conditions[entry] = some.isEmpty() ? NOTHING : some.toArray(NOTHING);
      entry++;
    }

    private void add(int at, int protocol, PacketMatch[] matches) {
      List<PacketMatch> left = new ArrayList<>();
      boolean narrows = true;
      for (PacketMatch match : matches) {
        Conditions conditions = new Conditions(protocol);
        Conditions.Beyond beyond = match.asks(conditions);
        if (conditions.refused) {
          beyond = Conditions.Beyond.CHANGES;
        }
        boolean decided = narrows && beyond == Conditions.Beyond.NOTHING;
        if (narrows && !conditions.refused) {
          for (Condition condition : conditions.told) {
            ask(condition);
            decided &= condition.key().isNarrow() || check(at, condition);
          }
        }
        if (!decided) {
          left.add(match);
        }
        if (beyond == Conditions.Beyond.CHANGES) {
          checks[at] |= CHANGES;
        }
        narrows &= beyond == Conditions.Beyond.NOTHING || beyond == Conditions.Beyond.READS;
      }
      rest[entry] = left.isEmpty() ? NO_MATCHES : left.toArray(NO_MATCHES);
      checks[at] |= left.isEmpty() ? 0 : MATCHES;
    }

    /**
     * Puts a range of addresses or ports into {@link #checks}, if there is room; of several ranges
     * the one from the lowest to the highest.
     *
     * @return is that all of the condition?
     */
    private boolean check(int at, Condition condition) {
      if (!condition.isWithinRange()) {
        return false;
      }
      int low = condition.lowest();
      int high = condition.highest();
      int flags = checks[at];
      switch (condition.key()) {
        case SOURCE -> {
          if ((flags & (SOURCE | MASKED_SOURCE)) != 0) {
            return false;
          }
          checks[at] |= condition.inverted() ? SOURCE | NOT_SOURCE : SOURCE;
          checks[at + 1] = low;
          checks[at + 2] = high - low;
        }
        case DESTINATION -> {
          if ((flags & (DESTINATION | MASKED_DESTINATION)) != 0) {
            return false;
          }
          checks[at] |= condition.inverted() ? DESTINATION | NOT_DESTINATION : DESTINATION;
          checks[at + 3] = low;
          checks[at + 4] = high - low;
        }
        case SOURCE_PORT -> {
          if ((flags & SOURCE_PORT) != 0) {
            return false;
          }
          checks[at] |= condition.inverted() ? SOURCE_PORT | NOT_SOURCE_PORT : SOURCE_PORT;
          checks[at + 5] = low << 16 | high;
        }
        case DESTINATION_PORT -> {
          if ((flags & DESTINATION_PORT) != 0) {
            return false;
          }
          checks[at] |=
              condition.inverted() ? DESTINATION_PORT | NOT_DESTINATION_PORT : DESTINATION_PORT;
          checks[at + 6] = low << 16 | high;
        }
        default -> {
          return false;
        }
      }
      return condition.ranges().length == 2;
    }

    private void ask(Condition condition) {
      PacketKey key = condition.key();
      if (key.isNarrow()) {
        narrow
            .computeIfAbsent(key, made -> new LinkedHashMap<>())
            .computeIfAbsent(condition, made -> new ArrayList<>())
            .add(entry);
      }
      if (!condition.inverted() && key != PacketKey.FRAGMENT && key != PacketKey.STATE) {
        some.add(shared.computeIfAbsent(condition, LevelBuilder.Shared::new));
      }
    }
  }

  private RuleIndex(Draft draft, int few) {
    size = draft.size;
    checks = draft.checks;
    rest = draft.rest;
    in = draft.in.asksNothing() ? null : draft.in;
    out = draft.out.asksNothing() ? null : draft.out;
    filters =
        draft.narrow.entrySet().stream()
            .map(asked -> new ClassFilter(asked.getKey(), asked.getValue(), size))
            .toArray(ClassFilter[]::new);
    root = new LevelBuilder(draft.conditions, few).root();
    isOneWord = size <= Long.SIZE && root.trees().length == 0;
    inTrees = new long[size + 63 >>> 6];
    addRules(root, inTrees);
    int keys = 0;
    for (ClassFilter filter : filters) {
      keys |= filter.key.bit;
    }
    for (int entry = 0; entry < size; entry++) {
      int flags = checks[entry << STRIDE_SHIFT];
      keys |= (flags & SOURCE_PORT) != 0 ? PacketKey.SOURCE_PORT.bit : 0;
      keys |= (flags & DESTINATION_PORT) != 0 ? PacketKey.DESTINATION_PORT.bit : 0;
    }
    asked = keys | keysOf(root);
  }

  private static void addRules(IndexLevel level, long[] rules) {
    for (KeyTree tree : level.trees()) {
      for (int rule : tree.rules) {
        if (rule >= 0) {
          rules[rule >>> 6] |= 1L << rule;
        }
      }
      for (IndexLevel deeper : tree.levels) {
        addRules(deeper, rules);
        if (deeper.always() != null) {
          deeper.always().addTo(rules);
        }
      }
    }
  }

  private static int keysOf(IndexLevel level) {
    int keys = 0;
    for (KeyTree tree : level.trees()) {
      keys |= tree.key.bit;
      for (IndexLevel deeper : tree.levels) {
        keys |= keysOf(deeper);
      }
    }
    return keys;
  }

  /** Does a candidate match? Asks what the index has not decided. */
  boolean matches(int entry, PacketKeys keys, SkBuff skb, PacketContext context) {
    int[] checks = this.checks;
    int at = entry << STRIDE_SHIFT;
    int flags = checks[at];
    if (flags == 0) {
      return true;
    }
    if ((flags & (SOURCE | MASKED_SOURCE)) != 0
        && isAsked(keys.source, checks[at + 1], checks[at + 2], flags & MASKED_SOURCE)
            == ((flags & NOT_SOURCE) != 0)) {
      return false;
    }
    if ((flags & (DESTINATION | MASKED_DESTINATION)) != 0
        && isAsked(keys.destination, checks[at + 3], checks[at + 4], flags & MASKED_DESTINATION)
            == ((flags & NOT_DESTINATION) != 0)) {
      return false;
    }
    if ((flags & SOURCE_PORT) != 0
        && isIn(keys.sourcePort, checks[at + 5]) == ((flags & NOT_SOURCE_PORT) != 0)) {
      return false;
    }
    if ((flags & DESTINATION_PORT) != 0
        && isIn(keys.destinationPort, checks[at + 6]) == ((flags & NOT_DESTINATION_PORT) != 0)) {
      return false;
    }
    if ((flags & MATCHES) != 0) {
      for (PacketMatch match : rest[entry]) {
        if (!match.matches(skb, context)) {
          return false;
        }
      }
    }
    return true;
  }

  private static boolean isAsked(int address, int value, int maskOrWidth, int masked) {
    return masked != 0
        ? (address & maskOrWidth) == value
        : Integer.compareUnsigned(address - value, maskOrWidth) <= 0;
  }

  private static boolean isIn(int port, int range) {
    return port >= range >>> 16 && port <= (range & 0xFFFF);
  }

  /** May asking an entry's matches change the packet? */
  boolean mayChange(int entry) {
    return (checks[entry << STRIDE_SHIFT] & CHANGES) != 0;
  }
}
