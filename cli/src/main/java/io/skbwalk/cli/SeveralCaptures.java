// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Several captures, each through a machine of its own, some at the same time. What each of them
 * prints comes in the order of the command line, whole, so that nothing tells how many ran at once.
 * One that cannot be read is told of in its place, and keeps no other from being replayed.
 */
final class SeveralCaptures {
  /** Replays one capture. */
  interface One {
    /** The exit status; what it prints goes to {@code out} and {@code err}. */
    int replay(MachineOptions machine, OutputOptions options, PrintWriter out, PrintWriter err)
        throws IOException;
  }

  /** What was printed for one capture. */
  private record Printed(int status, String out, String err) {}

  private final MachineOptions machine;
  private final OutputOptions options;
  private final One one;
  private final List<String> captures = new ArrayList<>();
  private final List<Path> folders = new ArrayList<>();

  /** The capture of {@code machine}, and {@code more}. */
  SeveralCaptures(MachineOptions machine, List<String> more, OutputOptions options, One one) {
    this.machine = machine;
    this.options = options;
    this.one = one;
    captures.add(machine.capture);
    captures.addAll(more);
    if (captures.contains("-")) {
      throw new Unusable("- is standard input, a single capture; replay it alone");
    }
    ofOneOnly("--trace", options.trace);
    ofOneOnly("--annotate", options.annotate);
    Map<String, String> names = new HashMap<>();
    for (String capture : captures) {
      String name = name(capture);
      String other = names.put(name, capture);
      if (options.out != null && other != null) {
        throw new Unusable(
            other
                + " and "
                + capture
                + " would both leave their results in "
                + options.out.resolve(name)
                + "; replay them one by one");
      }
      folders.add(options.out == null ? null : options.out.resolve(name));
    }
  }

  private void ofOneOnly(String option, String file) {
    if (file != null) {
      throw new Unusable(
          option
              + " "
              + file
              + ": is for one capture, not for "
              + captures.size()
              + "; replay them one by one");
    }
  }

  /** A capture's name without its folder and endings, such as {@code monday}. */
  private static String name(String capture) {
    Path file = Path.of(capture).getFileName();
    String name = file == null ? capture : file.toString();
    return name.replaceFirst("(?<=.)(\\.(pcap|pcapng|cap|dmp|yaml|yml))?(\\.(gz|zst))?$", "");
  }

  /** Replays them, at most {@code jobs} at the same time; the worst of their exit statuses. */
  int run(int jobs, PrintWriter out, PrintWriter err) {
    ExecutorService pool = Executors.newFixedThreadPool(Math.min(jobs, captures.size()));
    try {
      List<Future<Printed>> all = new ArrayList<>();
      for (int i = 0; i < captures.size(); i++) {
        MachineOptions on = machine.with(captures.get(i));
        OutputOptions to = options.with(folders.get(i));
        all.add(pool.submit(() -> printed(on, to)));
      }
      int status = 0;
      for (int i = 0; i < all.size(); i++) {
        Printed printed = all.get(i).get();
        if (i > 0 && !options.quiet && !options.json) {
          out.println();
        }
        err.print(printed.err);
        err.flush();
        out.print(printed.out);
        out.flush();
        status = Math.max(status, printed.status);
      }
      return status;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Unusable("interrupted");
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw (RuntimeException) e.getCause();
    } finally {
      pool.shutdownNow();
    }
  }

  private Printed printed(MachineOptions on, OutputOptions to) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    PrintWriter errors = new PrintWriter(err);
    int status;
    try {
      status = one.replay(on, to, new PrintWriter(out), errors);
    } catch (IOException | RuntimeException e) {
      if (!Main.isUnusable(e)) {
        throw (RuntimeException) e;
      }
      errors.println("skbwalk: " + Main.inWords(e));
      status = 2;
    }
    errors.flush();
    return new Printed(status, out.toString(), err.toString());
  }
}
