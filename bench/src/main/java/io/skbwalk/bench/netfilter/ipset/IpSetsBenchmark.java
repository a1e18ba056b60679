// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench.netfilter.ipset;

import io.skbwalk.language.IpsetSaveFile;
import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.ipset.IpSet;
import io.skbwalk.netfilter.ipset.IpSets;
import io.skbwalk.netfilter.ipset.SetQuery;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.SkBuffPool;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * {@link IpSet}: ip_set_test of a hash:net with networks of three lengths, for packets from
 * addresses all over it, every other of which is in it; in ns each.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class IpSetsBenchmark {
  @Param({"1000", "1000000"})
  int networks;

  private final SetQuery query = new SetQuery(1, 1 << 1);
  private IpSet set;
  private SkBuff skb;
  private int at;

  @Setup
  public void load() {
    StringBuilder text = new StringBuilder("create s hash:net maxelem 2000000 initval 1\n");
    for (int i = 0; i < networks; i++) {
      text.append("add s ").append(Ip4.format(0x0B000000 + (i << 5))).append('/');
      text.append(28 + i % 3).append('\n');
    }
    IpSets sets = new IpSets(new Net(0, 1));
    new IpsetSaveFile("bench", text.toString()).into(sets);
    set = sets.find("s");
    skb = new SkBuffPool().allocate(SkBuffPool.HEADROOM, 60);
    skb.networkHeader = skb.put(60);
    skb.setU8(skb.networkHeader, 0x45);
  }

  /** One question. */
  @Benchmark
  public boolean test() {
    at = at + 7919 == networks ? 0 : (at + 7919) % networks;
    int address = 0x0B000000 + (at << 5) + ((at & 1) << 4);
    skb.setU32(skb.networkHeader + IpHeader.SOURCE_OFFSET, address);
    return set.test(skb, query.of(null, null));
  }
}
