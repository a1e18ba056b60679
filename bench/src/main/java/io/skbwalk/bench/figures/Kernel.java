// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench.figures;

import io.skbwalk.capture.CaptureReader;
import io.skbwalk.conformance.KernelFeed;
import io.skbwalk.host.HostDescription;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A capture through the running kernel: its time in the kernel is what counts. */
final class Kernel implements AutoCloseable {
  private final KernelFeed feed;

  /** Frames that left in the last pass. */
  long left;

  /** Connections at its end. */
  int connections;

  private Kernel(KernelFeed feed) {
    this.feed = feed;
  }

  /** The machine with the frames of a capture ready; null, and says why, where it cannot be. */
  static Kernel of(HostDescription host, Path capture) throws IOException {
    String unavailable = KernelFeed.unavailable();
    if (unavailable != null) {
      System.err.println("the kernel takes no part: " + unavailable);
      return null;
    }
    KernelFeed feed = new KernelFeed(host, Files.size(capture));
    byte[] frame = new byte[CaptureReader.MAXIMUM_FRAME];
    try (CaptureReader reader = CaptureReader.open(capture)) {
      while (reader.next()) {
        reader.copyTo(frame, 0, reader.capturedLength());
        feed.add(frame, reader.capturedLength());
      }
    }
    return new Kernel(feed);
  }

  /** All frames, on a machine that has not seen them. */
  Cost run(String rules) throws IOException {
    KernelFeed.Pass pass = feed.run(rules);
    left = pass.left();
    connections = pass.connections();
    return new Cost(pass.frames(), pass.wallNanos(), pass.systemNanos());
  }

  @Override
  public void close() {
    feed.close();
  }
}
