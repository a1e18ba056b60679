// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.targets;

import io.skbwalk.lib.Jhash;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.netfilter.tables.Environment;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.PacketTarget;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.Target;
import io.skbwalk.netfilter.tables.TargetType;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;

/**
 * Plays xt_NFQUEUE: the packet waits for the answer of a program.
 *
 * @param first the queue, or the first of several
 * @param queues how many: both directions of a flow go to the same one
 * @param bypass the packet goes on when no program listens
 * @param fanout the queue is chosen by processor: this machine has one, so it is the first
 */
public record NfqueueTarget(int first, int queues, boolean bypass, boolean fanout)
    implements Target {
  /** {@code -j NFQUEUE}. */
  public static final TargetType TYPE =
      new TargetType(
          "NFQUEUE",
          "Leaves the verdict to a program (queues: in the host file).",
          OptionSpec.value("queue-num").about("The queue that it listens on, 0 to 65535.", "5"),
          OptionSpec.value("queue-balance")
              .about("first:last, one of which each flow gets.", "0:3"),
          OptionSpec.flag("queue-bypass").about("Goes on when no program listens."),
          OptionSpec.flag("queue-cpu-fanout").about("Chooses the queue by processor.")) {
        @Override
        public Target parse(Options options, int protocol) {
          String option = options.oneOf(false, "queue-num", "queue-balance");
          boolean balance = "queue-balance".equals(option);
          if (options.has("queue-cpu-fanout") && !balance) {
            throw options.error("queue-cpu-fanout", "--queue-cpu-fanout needs --queue-balance");
          }
          int first = (int) options.number("queue-num", 0, 0xFFFF, 0);
          int queues = 1;
          if (balance) {
            long range = options.range(option, 0xFFFF);
            first = (int) (range >>> 32);
            queues = (int) range - first + 1;
            if (queues <= 1 || options.text(option).indexOf(':') < 0) {
              throw options.error(option, "--queue-balance takes FIRST:LAST, LAST the larger one");
            }
          }
          return new NfqueueTarget(
              first, queues, options.has("queue-bypass"), options.has("queue-cpu-fanout"));
        }
      };

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    if (queues > 1) {
      out.append(" --queue-balance ").append(first).append(':').append(first + queues - 1);
    } else {
      out.append(" --queue-num ").append(first);
    }
    out.append(bypass ? " --queue-bypass" : "");
    out.append(fanout ? " --queue-cpu-fanout" : "");
  }

  @Override
  public String refusal(RulePlace place) {
    return queues > 0xFFFF ? "65536 queues are one too many" : null;
  }

  @Override
  public PacketTarget bind(Environment environment) {
    if (queues == 1 || fanout) {
      int verdict = Verdict.queue(first, bypass);
      return (skb, context) -> verdict;
    }
    Seed seed = environment.perNet(Seed.class, () -> new Seed(environment.net().random.nextInt()));
    return new Balance(first, queues, bypass, seed.value);
  }

  /** jhash_initval, drawn once. */
  private record Seed(int value) {}

  private record Balance(int first, int queues, boolean bypass, int seed) implements PacketTarget {
    /** Plays nfqueue_hash. */
    @Override
    public int target(SkBuff skb, PacketContext context) {
      int source = Integer.reverseBytes(IpHeader.source(skb));
      int destination = Integer.reverseBytes(IpHeader.destination(skb));
      boolean inOrder = Integer.compareUnsigned(source, destination) < 0;
      int hash =
          Jhash.words(
              inOrder ? source : destination,
              inOrder ? destination : source,
              IpHeader.protocol(skb),
              seed);
      int queue = first + (int) ((hash & 0xFFFFFFFFL) * queues >>> 32);
      return Verdict.queue(queue, bypass);
    }
  }
}
