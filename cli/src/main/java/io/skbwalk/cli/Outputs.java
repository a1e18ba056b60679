// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import io.skbwalk.capture.Truncation;
import io.skbwalk.capture.WriteBehind;
import io.skbwalk.replay.OutputFolder;
import io.skbwalk.replay.RecordBatches;
import io.skbwalk.replay.ReplayReport;
import io.skbwalk.replay.WalkLines;
import java.io.IOException;
import java.io.PrintWriter;

/** The files of one run: folder, trace, annotated input; none is left behind uncompleted. */
final class Outputs implements AutoCloseable {
  private final Session session;
  private final WriteBehind behind;
  private RecordBatches walked;
  private OutputFolder folder;
  private WalkLines walks;
  private Annotation annotation;

  /**
   * Opens what the options ask for and lets the session's replay write there.
   *
   * @param processors how many are there for this replay
   */
  Outputs(OutputOptions options, Session session, PrintWriter stdout, int processors)
      throws IOException {
    this.session = session;
    boolean toFiles = options.out != null || options.trace != null && !options.trace.equals("-");
    behind = new WriteBehind(toFiles ? processors : 1);
    try {
      if (options.trace != null) {
        walks = WalkLines.to(options.trace, stdout, session.tracesSome());
        session.replay.keepDepartures();
        if (options.trace.equals("-")) {
          // Whoever reads it wants each packet's walk at once.
          session.replay.add(walks);
        } else {
          walked = new RecordBatches(walks, behind);
          session.replay.add(walked);
        }
      }
      if (options.out != null) {
        folder = new OutputFolder(options.out, options.contents());
        folder.listen(session.host, session.replay, behind);
      }
      if (options.annotate != null) {
        annotation = new Annotation(options.annotate, session, stdout);
      }
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
    }
  }

  /** Gives all files their names, once the replay is finished. */
  ReplayReport complete() throws IOException {
    ReplayReport report = new ReplayReport(session.host, session.replay.totals);
    behind.finish();
    if (folder != null) {
      folder.complete(session.host, report);
    }
    if (walked != null) {
      walked.flush();
    }
    if (walks != null) {
      walks.complete();
    }
    if (annotation != null) {
      annotation.complete();
    }
    return report;
  }

  /** Says what was odd about the captures; the exit status is 2 when one of them breaks off. */
  static int warn(Session session, PrintWriter stderr, boolean quiet) {
    if (session.replay.totals.shortened > 0 && !quiet) {
      stderr.println(
          "skbwalk: "
              + session.inputInWords()
              + ": "
              + session.replay.totals.shortened
              + (session.replay.totals.shortened == 1 ? " frame was" : " frames were")
              + " captured only in part (snapshot length); the machine saw that part");
    }
    for (Truncation truncation : session.replay.totals.truncations) {
      stderr.println("skbwalk: " + truncation + "; everything before it was replayed");
    }
    return session.replay.totals.truncations.isEmpty() ? 0 : 2;
  }

  @Override
  public void close() throws IOException {
    behind.close();
    try {
      if (folder != null) {
        folder.close();
      }
    } finally {
      if (walks != null) {
        walks.close();
      }
      if (annotation != null) {
        annotation.close();
      }
    }
  }
}
