// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench.netfilter.tables;

import io.skbwalk.bench.ConversationRouter;
import io.skbwalk.device.NetDevice;
import io.skbwalk.host.Host;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.Netfilter;
import io.skbwalk.netfilter.conntrack.ConntrackInfo;
import io.skbwalk.netfilter.tables.IptTables;
import io.skbwalk.skb.EthernetHeader;
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

/**
 * {@link IptTables}: ipt_do_table of mangle and filter in FORWARD, for a packet that the last rule
 * but two of the thirty accepts; in ns each.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class IptTablesBenchmark {
  private Netfilter netfilter;
  private NetDevice in;
  private NetDevice out;
  private SkBuff skb;
  private long accepted;

  @Setup
  public void load() {
    Host host = ConversationRouter.host(true);
    netfilter = host.netfilter();
    out = host.device("eth1");
    skb = new SkBuffPool().allocate(SkBuffPool.HEADROOM, 60);
    skb.networkHeader = skb.put(60);
    skb.transportHeader = skb.networkHeader + IpHeader.MIN_LENGTH;
    skb.protocol = EthernetHeader.ETH_P_IP;
    int at = skb.networkHeader;
    skb.setU8(at, 0x45);
    skb.setU16(at + IpHeader.TOTAL_LENGTH_OFFSET, 60);
    skb.setU8(at + IpHeader.PROTOCOL_OFFSET, IpHeader.IPPROTO_UDP);
    skb.setU32(at + IpHeader.SOURCE_OFFSET, 0x2D010203);
    skb.setU32(at + IpHeader.DESTINATION_OFFSET, 0xC0A80735);
    skb.setU32(skb.transportHeader, 40_000 << 16 | 53);
    // Untracked and from an interface that no rule names: else a rule would drop it before the end.
    skb.ctInfo = ConntrackInfo.IP_CT_UNTRACKED;
    in = host.device("lo");
  }

  /** Both tables. */
  @Benchmark
  public long hook() {
    netfilter.hook(Hook.FORWARD, skb, in, out, packet -> accepted++);
    return accepted;
  }
}
