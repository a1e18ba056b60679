// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import com.sun.jna.LastErrorException;
import io.skbwalk.netfilter.LogListener;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The running kernel's log (/dev/kmsg) as far as netfilter writes to it, what {@link LogListener}
 * is in the model. A line does not tell the namespace that it comes from, so only one scenario at a
 * time may write there: of this program, and of others that run beside it.
 */
final class KernelLog implements AutoCloseable {
  /** Unless it is 1 only the first namespace's packets are logged; only there it can be set. */
  private static final Path ALL_NAMESPACES = Path.of("/proc/sys/net/netfilter/nf_log_all_netns");

  private static final Path LOCK = Path.of("/tmp/skbwalk-kernel-log.lock");
  private static final Pattern WRITES = Pattern.compile("-j (LOG|TRACE)\\b|-m osf .*--log ");

  /** Priority, number, microseconds, flags; the line; below it there may be its device. */
  private static final Pattern RECORD =
      Pattern.compile("(\\d+),\\d+,\\d+,[^;]*;(.*IN=.* OUT=.*)\n(?: .*\n)*");

  private static final Pattern ESCAPED = Pattern.compile("\\\\x([0-9a-f]{2})");

  private static final ReentrantLock OURS = new ReentrantLock();

  private final FileChannel channel;
  private final FileLock lock;
  private final byte[] scratch = new byte[8192];
  private int fd = -1;

  /** Waits until no other scenario writes to the log, and reads from its end on. */
  KernelLog() throws IOException {
    OURS.lock();
    FileChannel opened = null;
    FileLock locked = null;
    try {
      opened = FileChannel.open(LOCK, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      locked = opened.lock();
      fd = Libc.open("/dev/kmsg", Libc.O_RDONLY | Libc.O_NONBLOCK | Libc.O_CLOEXEC);
      Libc.lseek(fd, 0, Libc.SEEK_END);
    } finally {
      channel = opened;
      lock = locked;
      if (fd < 0) {
        close();
      }
    }
  }

  /** May this scenario's rules, or its connection tracking, write to the log? */
  static boolean isWrittenBy(Scenario scenario) {
    return WRITES.matcher(scenario.rules()).find()
        || scenario.host().sysctls().containsKey("net.netfilter.nf_conntrack_log_invalid");
  }

  /** Lets the packets of every namespace be logged; from the first namespace only. */
  static void ofAllNamespaces() throws IOException {
    if (!Files.readString(ALL_NAMESPACES).strip().equals("1")) {
      Files.writeString(ALL_NAMESPACES, "1");
    }
  }

  /** Lines about packets since the last call, with their level, in order. */
  List<String> read() {
    List<String> lines = new ArrayList<>();
    while (true) {
      try {
        byte[] record = Libc.readNow(fd, scratch);
        if (record == null) {
          return lines;
        }
        Matcher matcher = RECORD.matcher(new String(record, StandardCharsets.ISO_8859_1));
        if (matcher.matches()) {
          lines.add((Integer.parseInt(matcher.group(1)) & 7) + " " + unescaped(matcher.group(2)));
        }
      } catch (LastErrorException e) {
        if (e.getErrorCode() != Libc.EPIPE) {
          throw e;
        }
      }
    }
  }

  /** What is not printable is written as \\xHH. */
  private static String unescaped(String line) {
    return new String(
        ESCAPED
            .matcher(line)
            .replaceAll(
                found ->
                    Matcher.quoteReplacement(
                        String.valueOf((char) Integer.parseInt(found.group(1), 16))))
            .getBytes(StandardCharsets.ISO_8859_1),
        StandardCharsets.UTF_8);
  }

  @Override
  public void close() throws IOException {
    if (fd >= 0) {
      Libc.close(fd);
      fd = -1;
    }
    if (lock != null) {
      lock.release();
    }
    if (channel != null) {
      channel.close();
    }
    OURS.unlock();
  }
}
