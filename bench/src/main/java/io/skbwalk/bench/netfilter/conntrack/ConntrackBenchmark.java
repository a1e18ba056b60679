// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench.netfilter.conntrack;

import io.skbwalk.bench.ConversationRouter;
import io.skbwalk.device.NetDevice;
import io.skbwalk.host.Host;
import io.skbwalk.language.TypedPacket;
import io.skbwalk.lib.Checksum;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackTuple;
import io.skbwalk.skb.EthernetHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.TcpHeader;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** {@link Conntrack}: nf_conntrack_find_get among many connections; in ns each. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class ConntrackBenchmark {
  private static final int CLIENT = 0x2D000000;

  /** Connections in the table. */
  @Param({"20000", "200000"})
  int connections;

  private final ConntrackTuple tuple = new ConntrackTuple();
  private Conntrack conntrack;
  private int next;

  @Setup
  public void fill() {
    Host host = ConversationRouter.host(true);
    NetDevice dev = host.device("eth0");
    String packet = "eth0 tcp 45.0.0.0:40000 > 192.168.7.80:80 S";
    byte[] frame = TypedPacket.parse("packet", packet, host.description()).bytes();
    int source = EthernetHeader.LENGTH + IpHeader.SOURCE_OFFSET;
    int header = EthernetHeader.LENGTH + IpHeader.CHECKSUM_OFFSET;
    int segment = EthernetHeader.LENGTH + IpHeader.MIN_LENGTH + TcpHeader.CHECKSUM_OFFSET;
    for (int i = 0; i < connections; i++) {
      int old = get(frame, source) << 16 | get(frame, source + 2);
      int client = CLIENT + i;
      put(frame, source, client >>> 16);
      put(frame, source + 2, client);
      put(frame, header, Checksum.replace32(get(frame, header), old, client));
      put(frame, segment, Checksum.replace32(get(frame, segment), old, client));
      host.receive(dev, frame, ConversationRouter.START, null);
    }
    conntrack = host.conntrack();
    if (conntrack.count() != connections) {
      throw new IllegalStateException(conntrack.count() + " connections");
    }
    tuple.destination = 0xC0A80750;
    tuple.sourcePort = 40_000;
    tuple.destinationPort = 80;
    tuple.protocol = IpHeader.IPPROTO_TCP;
  }

  /** Each connection in turn, in an order that the cache does not foresee. */
  @Benchmark
  public int find() {
    next = (int) ((next + 0x9E3779B1L & 0xFFFFFFFFL) % connections);
    tuple.source = CLIENT + next;
    return conntrack.find(tuple, 0, 3);
  }

  private static int get(byte[] bytes, int at) {
    return (bytes[at] & 0xFF) << 8 | bytes[at + 1] & 0xFF;
  }

  private static void put(byte[] bytes, int at, int value) {
    bytes[at] = (byte) (value >> 8);
    bytes[at + 1] = (byte) value;
  }
}
