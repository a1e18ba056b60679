// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.StatelessMatch;
import io.skbwalk.netfilter.tables.index.Conditions;
import io.skbwalk.skb.SkBuff;
import java.util.ArrayList;
import java.util.List;

/** Plays xt_u32: 32-bit numbers taken from the packet, worked on and compared. */
public record U32Match(List<Test> tests, boolean inverted) implements StatelessMatch {
  /** What is done with the number at hand and an operand. */
  public enum Operator {
    /** Reads the first number. */
    LOAD(""),
    /** Keeps some bits. */
    AND("&"),
    /** Shifts to the left. */
    LEFT("<<"),
    /** Shifts to the right. */
    RIGHT(">>"),
    /** Goes that many bytes on and reads another number, at the operand's offset from there. */
    AT("@");

    private final String text;

    Operator(String text) {
      this.text = text;
    }
  }

  /** One step on the way to the number. */
  public record Step(Operator operator, int operand) {}

  /** Numbers without a sign, both included. */
  public record Range(int low, int high) {
    private boolean contains(int value) {
      return Integer.compareUnsigned(value, low) >= 0 && Integer.compareUnsigned(value, high) <= 0;
    }
  }

  /** A number and the ranges in one of which it must be. */
  public record Test(List<Step> steps, List<Range> ranges) {
    /** Copies the lists. */
    public Test {
      steps = List.copyOf(steps);
      ranges = List.copyOf(ranges);
    }
  }

  /** How many tests, steps of a test and ranges of a test there may be. */
  static final int MOST = 10;

  private static final long NOTHING = -1;

  /** {@code -m u32}. */
  public static final MatchType TYPE =
      new MatchType(
          "u32",
          "32-bit numbers taken from the packet, worked on and compared.",
          OptionSpec.value("u32")
              .inverted()
              .needed()
              .about(
                  "Tests joined by &&: an offset from the IP header, then & MASK, << BITS, >> BITS"
                      + " or @ OFFSET, then = and numbers or ranges.",
                  "0>>22&0x3C@12>>26&0x3C@0=0x47455420",
                  "6&0xFF=1 && 4&0x3FFF=0")) {
        @Override
        public Match parse(Options options, int protocol) {
          return new U32Match(new U32Tests(options, "u32").read(), options.inverted("u32"));
        }
      };

  /** Copies the list. */
  public U32Match {
    tests = List.copyOf(tests);
  }

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(inverted ? " ! --u32 \"" : " --u32 \"");
    String separator = "";
    for (Test test : tests) {
      out.append(separator);
      for (Step step : test.steps) {
        out.append(step.operator.text).append(hex(step.operand));
      }
      List<String> ranges = new ArrayList<>();
      for (Range range : test.ranges) {
        ranges.add(hex(range.low) + (range.low == range.high ? "" : ":" + hex(range.high)));
      }
      out.append('=').append(String.join(",", ranges));
      separator = "&&";
    }
    out.append('"');
  }

  private static String hex(int number) {
    return "0x" + Integer.toHexString(number);
  }

  @Override
  public String refusal(RulePlace place) {
    for (Test test : tests) {
      for (Step step : test.steps) {
        boolean shifts = step.operator == Operator.LEFT || step.operator == Operator.RIGHT;
        if (shifts && Integer.compareUnsigned(step.operand, 32) >= 0) {
          return "a number of 32 bits is shifted by 31 at most";
        }
      }
    }
    return null;
  }

  @Override
  public Conditions.Beyond asks(Conditions conditions) {
    return Conditions.Beyond.READS;
  }

  @Override
  public boolean matches(SkBuff skb, PacketContext context) {
    return allHold(skb) != inverted;
  }

  private boolean allHold(SkBuff skb) {
    for (int i = 0; i < tests.size(); i++) {
      if (!holds(tests.get(i), value(tests.get(i), skb))) {
        return false;
      }
    }
    return true;
  }

  private static boolean holds(Test test, long value) {
    for (int i = 0; i < test.ranges.size(); i++) {
      if (value != NOTHING && test.ranges.get(i).contains((int) value)) {
        return true;
      }
    }
    return false;
  }

  /** The number, or {@link #NOTHING} where the packet ends before it. */
  private static long value(Test test, SkBuff skb) {
    long base = 0;
    int value = 0;
    for (int i = 0; i < test.steps.size(); i++) {
      Step step = test.steps.get(i);
      switch (step.operator) {
        case AND -> value &= step.operand;
        case LEFT -> value <<= step.operand;
        case RIGHT -> value >>>= step.operand;
        default -> {
          base += step.operator == Operator.AT ? value & 0xFFFFFFFFL : 0;
          long at = base + (step.operand & 0xFFFFFFFFL);
          if (at > skb.length() - 4) {
            return NOTHING;
          }
          value = skb.u32(skb.data + (int) at);
        }
      }
    }
    return value & 0xFFFFFFFFL;
  }

  @Override
  public String explain(SkBuff skb, PacketContext context) {
    for (int i = 0; i < tests.size(); i++) {
      long value = value(tests.get(i), skb);
      if (!holds(tests.get(i), value)) {
        String which = tests.size() == 1 ? "the number" : "number " + (i + 1);
        return value == NOTHING
            ? "the packet ends before " + which
            : which + " is " + hex((int) value);
      }
    }
    return "all numbers are as asked";
  }
}
