// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench.figures;

import com.sun.jna.Native;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.LongConsumer;

/** Processes that are measured from the outside, their start included. */
final class Child {
  private static final int RUSAGE_CHILDREN = -1;
  private static final int CLOCK_THREAD_CPUTIME_ID = 3;

  /** Words of a struct rusage: two times in seconds and microseconds, and fourteen counters. */
  private static final int RUSAGE_WORDS = 18;

  static {
    Native.register(Child.class, "c");
  }

  private Child() {}

  private static native int getrusage(int who, long[] usage);

  private static native int clock_gettime(int clock, long[] time);

  /** Processor time of all children that have ended, user and system, in nanoseconds. */
  private static long processorNanos() {
    long[] usage = new long[RUSAGE_WORDS];
    getrusage(RUSAGE_CHILDREN, usage);
    return (usage[0] + usage[2]) * 1_000_000_000L + (usage[1] + usage[3]) * 1_000L;
  }

  /**
   * Processor time of this thread, nanoseconds.
   *
   * @param scratch of two numbers
   */
  static long ownProcessorNanos(long[] scratch) {
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, scratch);
    return scratch[0] * 1_000_000_000L + scratch[1];
  }

  /** Runs a command to its end. */
  static Cost run(long frames, List<String> command) throws IOException {
    return run(frames, command, null);
  }

  /**
   * Runs a command to its end.
   *
   * @param memory is told of the bytes of memory that it has (RSS), ten times a second; or null
   */
  static Cost run(long frames, List<String> command, LongConsumer memory) throws IOException {
    long processor = processorNanos();
    long began = System.nanoTime();
    Process process =
        new ProcessBuilder(command)
            .redirectInput(Path.of("/dev/null").toFile())
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectErrorStream(true)
            .start();
    long wall = end(process, memory, began);
    if (process.exitValue() != 0) {
      throw new IOException(String.join(" ", command) + ": exit status " + process.exitValue());
    }
    return new Cost(frames, wall, processorNanos() - processor);
  }

  /** Waits until it has ended; returns how long it ran. */
  private static long end(Process process, LongConsumer memory, long began) throws IOException {
    try {
      if (memory == null) {
        process.waitFor();
      } else {
        while (!process.waitFor(100, java.util.concurrent.TimeUnit.MILLISECONDS)) {
          long bytes = memory(process.pid());
          if (bytes > 0) {
            memory.accept(bytes);
          }
        }
      }
      return System.nanoTime() - began;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      process.destroy();
      throw new IOException("interrupted", e);
    }
  }

  /** From the start of a command to the first byte that it prints. */
  static long nanosToFirstByte(List<String> command) throws IOException {
    long began = System.nanoTime();
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    try (InputStream output = process.getInputStream()) {
      int first = output.read();
      long nanos = System.nanoTime() - began;
      output.transferTo(java.io.OutputStream.nullOutputStream());
      end(process, null, began);
      if (first < 0 || process.exitValue() != 0) {
        throw new IOException(String.join(" ", command) + ": printed nothing or failed");
      }
      return nanos;
    }
  }

  /** What a command prints; null when there is no such command. */
  static String output(String... command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      process.getOutputStream().close();
      return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      return null;
    }
  }

  /** Resident memory of a process, bytes; 0 when it has ended. */
  static long memory(long process) throws IOException {
    return status(process, "VmRSS:");
  }

  /** The most resident memory that this process ever had, bytes. */
  static long mostMemory() throws IOException {
    return status(ProcessHandle.current().pid(), "VmHWM:");
  }

  private static long status(long process, String field) throws IOException {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/" + process + "/status"))) {
        if (line.startsWith(field)) {
          return Long.parseLong(line.replaceAll("[^0-9]", "")) << 10;
        }
      }
      return 0;
    } catch (NoSuchFileException e) {
      return 0;
    } catch (IOException e) {
      // It ended while its file was read.
      return 0;
    }
  }
}
