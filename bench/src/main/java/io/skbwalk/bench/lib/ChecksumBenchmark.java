// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench.lib;

import io.skbwalk.lib.Checksum;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** {@link Checksum}: of a header, of a small segment, of a full frame; in ns each. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class ChecksumBenchmark {
  /** Bytes summed: an IPv4 header, the average frame of the reference capture, a full payload. */
  @Param({"20", "500", "1480"})
  int length;

  private byte[] bytes;

  @Setup
  public void fill() {
    bytes = new byte[length];
    new Random(length).nextBytes(bytes);
  }

  /** All bytes, as on receipt. */
  @Benchmark
  public int of() {
    return Checksum.of(bytes, 0, length);
  }
}
