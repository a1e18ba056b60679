// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench.replay;

import io.skbwalk.bench.ConversationCapture;
import io.skbwalk.bench.ConversationRouter;
import io.skbwalk.capture.CaptureMerger;
import io.skbwalk.capture.CaptureReader;
import io.skbwalk.host.Host;
import io.skbwalk.replay.Replay;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** {@link Replay}: the whole path of a frame, from the file to the far wire; in ns each. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class ReplayBenchmark {
  private static final int CONVERSATIONS = 400;
  private static final int FRAMES = CONVERSATIONS * ConversationCapture.FRAMES;

  /** With the thirty rules, and so with connection tracking, or without any. */
  @Param({"false", "true"})
  boolean rules;

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

  /** All conversations, on a machine that has not seen them. */
  @Benchmark
  @OperationsPerInvocation(FRAMES)
  public long run() {
    Host host = ConversationRouter.host(rules);
    try (CaptureMerger capture = new CaptureMerger(List.of(CaptureReader.open(file)))) {
      Replay replay = new Replay(host, true, Replay.Answers.CAPTURE, null, null);
      replay.run(capture, Collections.singletonList(null));
      replay.finish();
      return replay.totals.left;
    }
  }
}
