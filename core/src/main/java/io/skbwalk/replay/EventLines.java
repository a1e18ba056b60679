// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.lib.TextBytes;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackEventListener;
import io.skbwalk.netfilter.conntrack.ConntrackPrinter;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.concurrent.Executor;

/** Writes events.txt: a line for each event of connection tracking. */
final class EventLines implements ConntrackEventListener {
  /** How much is handed to the file at once, bytes. */
  private static final int BLOCK = 1 << 16;

  private final OutputStream out;
  private final Executor behind;
  private TextBytes lines = new TextBytes(BLOCK);

  EventLines(OutputStream out, Executor behind) {
    this.out = out;
    this.behind = behind;
  }

  @Override
  public void event(Type type, Conntrack conntrack, int ct, int events) {
    ConntrackPrinter.event(lines, type, conntrack, ct, events);
    lines.append('\n');
    if (lines.length >= BLOCK) {
      flush();
    }
  }

  /** Hands on what waits. */
  void flush() {
    TextBytes full = lines;
    lines = new TextBytes(BLOCK);
    behind.execute(
        () -> {
          try {
            out.write(full.bytes, 0, full.length);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }
}
