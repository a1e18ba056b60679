// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import io.skbwalk.replay.AnnotatedCapture;
import io.skbwalk.replay.ScenarioCapture;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/** The input once more as a pcapng with comments, of captures or of a scenario. */
final class Annotation implements AutoCloseable {
  private AnnotatedCapture captures;
  private ScenarioCapture scenario;

  /** Lets what the session's replay will read be written to {@code name}. */
  Annotation(String name, Session session, PrintWriter stdout) throws IOException {
    check(name, session);
    if (name.equals("-")) {
      stdout.flush();
      WritableByteChannel channel = Channels.newChannel(System.out);
      if (session.scenario() == null) {
        captures = AnnotatedCapture.to(channel, session.replay, session.deviceNames());
      } else {
        scenario = ScenarioCapture.to(channel, session.replay, session.scenario()).annotate();
      }
    } else if (session.scenario() == null) {
      captures = AnnotatedCapture.to(Path.of(name), session.replay, session.deviceNames());
    } else {
      scenario = ScenarioCapture.to(Path.of(name), session.replay, session.scenario()).annotate();
    }
  }

  private static void check(String name, Session session) throws IOException {
    if (name.equals("-")) {
      if (Terminal.current().interactive()) {
        throw new Unusable("a capture is nothing for a terminal; give --annotate FILE, or pipe it");
      }
      return;
    }
    if (name.endsWith(".pcap")) {
      throw new Unusable(
          "--annotate " + name + ": pcap has no place for comments; call it .pcapng");
    }
    if (name.endsWith(".gz") || name.endsWith(".zst")) {
      throw new Unusable(
          "--annotate " + name + ": captures are written uncompressed; drop the ending");
    }
    Path file = Path.of(name);
    if (Files.isDirectory(file)) {
      throw new Unusable("--annotate " + name + ": is a folder; a file is wanted");
    }
    if (session.scenario() == null && session.deviceNames().isEmpty()) {
      throw new Unusable("--annotate: there is no capture to write once more");
    }
    for (String input : session.inputs()) {
      if (Files.exists(file) && !input.equals("-") && Files.isSameFile(file, Path.of(input))) {
        throw new Unusable("--annotate " + name + ": is the capture itself; name another file");
      }
    }
  }

  /** Gives the file its name, once the replay is finished. */
  void complete() {
    if (captures != null) {
      captures.complete();
    } else {
      scenario.complete();
    }
  }

  @Override
  public void close() {
    if (captures != null) {
      captures.close();
    } else {
      scenario.abort();
    }
  }
}
