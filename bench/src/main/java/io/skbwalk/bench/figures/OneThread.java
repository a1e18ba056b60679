// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench.figures;

import io.skbwalk.capture.CaptureReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Path;

/**
 * A file that is not read ahead on another processor, as files are: so the time of the thread that
 * is measured is all the work there is.
 */
final class OneThread implements ReadableByteChannel {
  private final FileChannel file;

  private OneThread(FileChannel file) {
    this.file = file;
  }

  /** Opens a capture. */
  static CaptureReader open(Path capture) {
    try {
      return new CaptureReader(capture.toString(), new OneThread(FileChannel.open(capture)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public int read(ByteBuffer target) throws IOException {
    return file.read(target);
  }

  @Override
  public boolean isOpen() {
    return file.isOpen();
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
