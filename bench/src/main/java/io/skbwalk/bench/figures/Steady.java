// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench.figures;

import io.skbwalk.capture.CaptureMerger;
import io.skbwalk.capture.CaptureReader;
import io.skbwalk.host.Host;
import io.skbwalk.replay.Replay;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.function.Supplier;

/** A capture through a new machine of ours, again and again in a JVM that has compiled it all. */
final class Steady {
  private final Path capture;
  private final Supplier<Host> machine;

  /** Frames that left in the last pass. */
  long left;

  /** Connections at its end. */
  int connections;

  Steady(Path capture, Supplier<Host> machine) {
    this.capture = capture;
    this.machine = machine;
  }

  /** All frames, on a machine that has not seen them; making it does not count. */
  Cost run() {
    return run(OneThread.open(capture));
  }

  /** The same as whoever replays a file has it: another processor reads it. */
  Cost runReadAhead() {
    return run(CaptureReader.open(capture));
  }

  private Cost run(CaptureReader reader) {
    Host host = machine.get();
    Meter meter = new Meter();
    try (CaptureMerger frames = new CaptureMerger(List.of(reader))) {
      Replay replay = new Replay(host, true, Replay.Answers.CAPTURE, null, null);
      replay.run(frames, Collections.singletonList(null));
      replay.finish();
      left = replay.totals.left;
      connections = host.conntrack().count();
      return meter.stop(replay.totals.read);
    }
  }
}
