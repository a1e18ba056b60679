// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * Waits until one of a set of files changes, appears or goes. It looks at them now and then: that
 * works for every editor (some write a new file and rename it) and every file system.
 */
final class Watch {
  private static final long PAUSE_MILLIS = 200;

  private record State(FileTime time, long size) {}

  private final Set<Path> files;
  private Map<Path, State> before = new HashMap<>();

  /** Watches what is in {@code files}, which may grow. */
  Watch(Set<Path> files) {
    this.files = files;
  }

  /** Remembers how they are, before somebody works with what they hold. */
  void look() {
    before = states();
  }

  /** Returns after a change since {@link #look}; of a file that was not known then, since now. */
  void await() throws IOException {
    states().forEach(before::putIfAbsent);
    try {
      do {
        Thread.sleep(PAUSE_MILLIS);
      } while (states().equals(before));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private Map<Path, State> states() {
    Map<Path, State> states = new HashMap<>();
    for (Path file : files) {
      try {
        states.put(file, new State(Files.getLastModifiedTime(file), Files.size(file)));
      } catch (IOException e) {
        // It is not there just now.
        states.put(file, null);
      }
    }
    return states;
  }
}
