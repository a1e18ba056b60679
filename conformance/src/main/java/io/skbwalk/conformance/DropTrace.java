// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The kernel's own kfree_skb tracepoint for one thread: reason and function of each packet that it
 * dropped. Each thread has a tracefs instance of its own, so several may run at once; making and
 * removing one is slow, so a thread keeps its own until the program ends.
 */
final class DropTrace {
  private static final Path TRACING = Path.of("/sys/kernel/tracing");
  private static final Pattern LINE =
      Pattern.compile("kfree_skb: .*location=([A-Za-z0-9_.]+)\\+0x\\S+ reason: ([A-Z0-9_]+)");
  private static final Pattern OURS = Pattern.compile("skbwalk-(\\d+)-\\d+");
  private static final ThreadLocal<DropTrace> OF_THREAD = new ThreadLocal<>();

  private final Path instance;
  private final int pipe;
  private final byte[] scratch = new byte[65536];
  private String rest = "";

  /** Traces the calling thread. */
  private DropTrace() throws IOException {
    instance =
        TRACING.resolve("instances/skbwalk-" + ProcessHandle.current().pid() + "-" + Libc.gettid());
    Files.createDirectory(instance);
    Files.writeString(instance.resolve("set_event_pid"), Integer.toString(Libc.gettid()));
    Files.writeString(instance.resolve("events/skb/kfree_skb/enable"), "1");
    pipe =
        Libc.open(
            instance.resolve("trace_pipe").toString(),
            Libc.O_RDONLY | Libc.O_NONBLOCK | Libc.O_CLOEXEC);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  Libc.close(pipe);
                  remove(instance);
                }));
  }

  /** The calling thread's; the tracefs must be mounted (see {@link #mount}). */
  static DropTrace ofThisThread() throws IOException {
    DropTrace trace = OF_THREAD.get();
    if (trace == null) {
      trace = new DropTrace();
      OF_THREAD.set(trace);
    }
    return trace;
  }

  /**
   * Mounts the tracefs where it is not mounted yet, and removes what killed programs left in it.
   */
  static void mount() throws IOException {
    Path instances = TRACING.resolve("instances");
    if (!Files.exists(instances)) {
      Commands.run("mount", "-t", "tracefs", "tracefs", TRACING.toString());
    }
    try (DirectoryStream<Path> all = Files.newDirectoryStream(instances)) {
      for (Path one : all) {
        Matcher name = OURS.matcher(one.getFileName().toString());
        if (name.matches() && !Files.exists(Path.of("/proc", name.group(1)))) {
          remove(one);
        }
      }
    }
  }

  /** The drops since the last call, in order, as {@code REASON function}. */
  List<String> read() {
    StringBuilder text = new StringBuilder(rest);
    for (byte[] bytes; (bytes = Libc.readNow(pipe, scratch)) != null; ) {
      text.append(new String(bytes, StandardCharsets.US_ASCII));
    }
    int end = text.lastIndexOf("\n") + 1;
    rest = text.substring(end);
    List<String> drops = new ArrayList<>();
    text.substring(0, end)
        .lines()
        .forEach(
            line -> {
              Matcher matcher = LINE.matcher(line);
              // Freed with the packet that they are fragments of: not a drop of their own.
              if (matcher.find() && !matcher.group(1).equals("skb_release_data")) {
                // The compiler's clones of a function (name.isra.0) are that function.
                drops.add(matcher.group(2) + " " + matcher.group(1).replaceAll("\\..*", ""));
              }
            });
    return drops;
  }

  /**
   * Removes an instance, or what can be: while its pipe is open the kernel keeps its folder, but it
   * traces no more, and {@link #mount} of a later program removes it.
   */
  private static void remove(Path instance) {
    try {
      Files.writeString(instance.resolve("events/skb/kfree_skb/enable"), "0");
      Files.deleteIfExists(instance);
    } catch (IOException e) {
      // Another process looks at it, or removed it just now.
    }
  }
}
