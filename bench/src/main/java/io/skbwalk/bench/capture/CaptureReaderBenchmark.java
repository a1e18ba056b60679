// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench.capture;

import io.skbwalk.bench.ConversationCapture;
import io.skbwalk.capture.CaptureReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** {@link CaptureReader}: a frame of a cached file, and its bytes copied; in ns each. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class CaptureReaderBenchmark {
  private static final int CONVERSATIONS = 400;
  private static final int FRAMES = CONVERSATIONS * ConversationCapture.FRAMES;

  private final byte[] frame = new byte[2048];
  private Path file;

  @Setup
  public void write() throws IOException {
    file = Files.createTempFile("conversations", ".pcap");
    ConversationCapture.write(file, CONVERSATIONS);
  }

  @TearDown
  public void delete() throws IOException {
    Files.delete(file);
  }

  /** All frames of the file. */
  @Benchmark
  @OperationsPerInvocation(FRAMES)
  public long next() {
    long bytes = 0;
    try (CaptureReader capture = CaptureReader.open(file)) {
      while (capture.next()) {
        capture.copyTo(frame, 0, capture.capturedLength());
        bytes += capture.capturedLength();
      }
    }
    return bytes;
  }
}
