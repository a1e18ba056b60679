// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench.host;

import io.skbwalk.bench.ConversationRouter;
import io.skbwalk.device.NetDevice;
import io.skbwalk.host.Host;
import io.skbwalk.language.TypedPacket;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** {@link Host}: one frame from its interface through ip_rcv and ip_forward; in ns each. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class HostBenchmark {
  /** With the thirty rules, and so with connection tracking, or without any. */
  @Param({"false", "true"})
  boolean rules;

  private Host host;
  private NetDevice dev;
  private byte[] frame;

  @Setup
  public void boot() {
    host = ConversationRouter.host(rules);
    dev = host.device("eth0");
    String packet = "eth0 tcp 45.1.2.3:40000 > 192.168.7.80:80 S";
    frame = TypedPacket.parse("packet", packet, host.description()).bytes();
  }

  /** The same opening segment again and again. */
  @Benchmark
  public long receive() {
    return host.receive(dev, frame, ConversationRouter.START, null);
  }
}
