// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import java.util.Timer;
import java.util.TimerTask;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** A bar that shows how far a long capture has been read; on terminals only. */
final class Progress implements AutoCloseable {
  /** Captures that are read in no time need none, bytes. */
  private static final long LONG = 64L << 20;

  private static final long INTERVAL_MILLIS = 200;

  private final ProgressBar bar;
  private final Timer timer;

  private Progress(ProgressBar bar, Timer timer) {
    this.bar = bar;
    this.timer = timer;
  }

  /** A bar over what {@code session} reads, or none. */
  static Progress of(Session session, Terminal terminal, boolean quiet) {
    long all = session.bytesInAll();
    if (quiet || !terminal.interactive() || all < LONG) {
      return new Progress(null, null);
    }
    ProgressBar bar =
        new ProgressBarBuilder()
            .setInitialMax(all)
            .setTaskName("replay")
            .setUnit(" MB", 1_000_000)
            .setStyle(ProgressBarStyle.ASCII)
            .setUpdateIntervalMillis((int) INTERVAL_MILLIS)
            .clearDisplayOnFinish()
            .build();
    Timer timer = new Timer("progress", true);
    timer.schedule(
        new TimerTask() {
          @Override
          public void run() {
            bar.stepTo(session.bytesRead());
          }
        },
        INTERVAL_MILLIS,
        INTERVAL_MILLIS);
    return new Progress(bar, timer);
  }

  @Override
  public void close() {
    if (bar != null) {
      timer.cancel();
      bar.close();
    }
  }
}
