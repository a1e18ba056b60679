// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.tables.Environment;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.PacketMatch;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.index.Conditions;
import io.skbwalk.skb.SkBuff;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Plays xt_bpf: a classic BPF program that returns something for the packet, from its IP header.
 */
public record BpfMatch(List<Instruction> program) implements Match {
  /** Plays struct sock_filter; jt and jf without a sign. */
  public record Instruction(int code, int jt, int jf, int k) {}

  private static final int MOST = 64;
  private static final String NUMBER = "\\s*+([+-]?\\d++)";

  /** As sscanf reads them: in decimals, cut to their fields; what follows is not looked at. */
  private static final Pattern INSTRUCTION =
      Pattern.compile(NUMBER + NUMBER + NUMBER + NUMBER + ".*", Pattern.DOTALL);

  /** {@code -m bpf}. */
  public static final MatchType TYPE =
      new MatchType(
          "bpf",
          "A classic BPF program that returns something for the packet, from its IP header.",
          OptionSpec.value("bytecode")
              .about(
                  "The program: its length, then instructions as code, jt, jf and k, as"
                      + " `nfbpf_compile RAW` and `tcpdump -ddd` print them with commas.",
                  "4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0"),
          OptionSpec.value("object-pinned")
              .about("Not modelled: a program in the bpf file system.")) {
        @Override
        public Match parse(Options options, int protocol) {
          String option = options.oneOf(true, "bytecode", "object-pinned");
          if (option.equals("object-pinned")) {
            throw options.error(
                option, "--object-pinned is not modelled: there is no bpf file system here");
          }
          return new BpfMatch(program(options));
        }
      };

  private static List<Instruction> program(Options options) {
    String[] parts = options.text("bytecode").split(",", -1);
    int length = parts.length < 2 ? -1 : length(parts[0]);
    if (length < 1 || length > MOST) {
      throw options.error(
          "bytecode", "--bytecode begins with the number of instructions, 1 to " + MOST);
    }
    List<Instruction> program = new ArrayList<>();
    // A comma at the very end is no instruction.
    int end = parts[parts.length - 1].isEmpty() ? parts.length - 1 : parts.length;
    for (int i = 1; i < end; i++) {
      Matcher numbers = INSTRUCTION.matcher(parts[i]);
      if (!numbers.matches()) {
        throw options.error(
            "bytecode", "instruction " + (i - 1) + " is not four numbers: \"" + parts[i] + "\"");
      }
      program.add(
          new Instruction(
              cut(numbers.group(1), 0xFFFF),
              cut(numbers.group(2), 0xFF),
              cut(numbers.group(3), 0xFF),
              cut(numbers.group(4), -1)));
    }
    if (program.size() != length) {
      throw options.error(
          "bytecode", length + " instructions are announced, " + program.size() + " follow");
    }
    return program;
  }

  private static int length(String text) {
    Matcher number = Pattern.compile(NUMBER).matcher(text);
    return number.matches() ? cut(number.group(1), 0xFFFF) : -1;
  }

  private static int cut(String number, int mask) {
    return new java.math.BigInteger(number).intValue() & mask;
  }

  /** Copies the list. */
  public BpfMatch {
    program = List.copyOf(program);
  }

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(" --bytecode \"").append(program.size());
    for (Instruction one : program) {
      out.append(',').append(one.code).append(' ').append(one.jt).append(' ').append(one.jf);
      out.append(' ').append(Integer.toUnsignedString(one.k));
    }
    out.append('"');
  }

  private ClassicBpf compiled() {
    return new ClassicBpf(
        program.stream().mapToInt(Instruction::code).toArray(),
        program.stream().mapToInt(Instruction::jt).toArray(),
        program.stream().mapToInt(Instruction::jf).toArray(),
        program.stream().mapToInt(Instruction::k).toArray());
  }

  @Override
  public String refusal(RulePlace place) {
    return compiled().refusal();
  }

  @Override
  public PacketMatch bind(Environment environment) {
    return new Run(compiled());
  }

  private record Run(ClassicBpf program) implements PacketMatch {
    @Override
    public Conditions.Beyond asks(Conditions conditions) {
      return Conditions.Beyond.READS;
    }

    @Override
    public boolean matches(SkBuff skb, PacketContext context) {
      return program.run(skb) != 0;
    }

    @Override
    public String explain(SkBuff skb, PacketContext context) {
      return "the program returns 0";
    }
  }
}
