// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench.skb;

import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.SkBuffPool;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** {@link SkBuff} and {@link SkBuffPool}: the steps that every packet takes; in ns each. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class SkBuffBenchmark {
  private final SkBuffPool pool = new SkBuffPool();
  private SkBuff skb;

  @Setup
  public void fill() {
    skb = pool.allocate(SkBuffPool.HEADROOM, 500);
    skb.networkHeader = skb.put(500);
    skb.setU8(skb.networkHeader, 0x45);
    skb.setU16(skb.networkHeader + IpHeader.TOTAL_LENGTH_OFFSET, 500);
    skb.setU32(skb.networkHeader + IpHeader.SOURCE_OFFSET, 0xC6336409);
  }

  /** The fields that a rule looks at. */
  @Benchmark
  public int headerFields() {
    return IpHeader.source(skb)
        ^ IpHeader.destination(skb)
        ^ IpHeader.protocol(skb)
        ^ IpHeader.fragment(skb)
        ^ IpHeader.headerLength(skb);
  }

  /** alloc_skb and consume_skb. */
  @Benchmark
  public SkBuff allocateAndConsume() {
    SkBuff fresh = pool.allocate(SkBuffPool.HEADROOM, 500);
    pool.consume(fresh);
    return fresh;
  }
}
