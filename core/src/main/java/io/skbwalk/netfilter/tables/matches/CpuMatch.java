// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.StatelessMatch;
import io.skbwalk.netfilter.tables.index.Conditions;
import io.skbwalk.skb.SkBuff;

/** Plays xt_cpu: the processor that handles the packet. A machine here has one, number 0. */
public record CpuMatch(long cpu, boolean inverted) implements StatelessMatch {
  private static final int RAW_SMP_PROCESSOR_ID = 0;

  /** {@code -m cpu}. */
  public static final MatchType TYPE =
      new MatchType(
          "cpu",
          "The processor that handles the packet; a simulated machine has one, number 0.",
          OptionSpec.value("cpu").inverted().needed().about("Number of the processor.", "0")) {
        @Override
        public Match parse(Options options, int protocol) {
          return new CpuMatch(options.number("cpu", 0, 0xFFFFFFFFL, 0), options.inverted("cpu"));
        }
      };

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(inverted ? " ! --cpu " : " --cpu ").append(cpu);
  }

  @Override
  public Conditions.Beyond asks(Conditions conditions) {
    return Conditions.Beyond.READS;
  }

  @Override
  public boolean matches(SkBuff skb, PacketContext context) {
    return (cpu == RAW_SMP_PROCESSOR_ID) != inverted;
  }

  @Override
  public String explain(SkBuff skb, PacketContext context) {
    return "the processor is number " + RAW_SMP_PROCESSOR_ID;
  }
}
