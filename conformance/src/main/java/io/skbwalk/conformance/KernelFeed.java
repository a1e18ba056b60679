// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import com.sun.jna.LastErrorException;
import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import io.skbwalk.host.HostDescription;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Frames that a machine of the running kernel is given as fast as it takes them, to see how long it
 * needs. Each is written to the TAP interface whose Ethernet address it is for; when the write
 * returns, the kernel is done with it. What leaves is read only afterwards, so it costs the kernel
 * little: the queue of a TAP is soon full.
 */
public final class KernelFeed implements AutoCloseable {
  /**
   * What a pass took.
   *
   * @param frames how many
   * @param wallNanos from the first write to the last
   * @param systemNanos of processor time in the kernel: without what it takes to call it from here
   * @param left frames that left or would have, were their queue not full
   * @param connections in its table at the end
   */
  public record Pass(long frames, long wallNanos, long systemNanos, long left, int connections) {}

  private final HostDescription host;
  private final Memory memory;
  private final long address;
  private long[] at = new long[1024];
  private int[] length = new int[1024];
  private byte[] device = new byte[1024];
  private int frames;
  private long used;

  /** Why the kernel cannot be asked on this machine; null when it can. */
  public static String unavailable() {
    for (String tool : new String[] {"ip", "iptables-legacy-restore"}) {
      if (!Commands.exists(tool)) {
        return "the command " + tool + " is missing (bin/verify installs it when run as root)";
      }
    }
    if (!Files.isWritable(Path.of("/dev/net/tun"))) {
      return "/dev/net/tun cannot be opened (not root, or no TUN driver)";
    }
    return null;
  }

  /**
   * An empty one.
   *
   * @param bytes that all frames have together, at most
   */
  public KernelFeed(HostDescription host, long bytes) {
    this.host = host;
    memory = new Memory(bytes);
    address = Pointer.nativeValue(memory);
  }

  /** Adds a frame behind the others. */
  public void add(byte[] frame, int bytes) {
    if (frames == at.length) {
      at = Arrays.copyOf(at, 2 * frames);
      length = Arrays.copyOf(length, 2 * frames);
      device = Arrays.copyOf(device, 2 * frames);
    }
    device[frames] = (byte) receiver(frame);
    at[frames] = address + used;
    length[frames] = bytes;
    memory.write(used, frame, 0, bytes);
    used += bytes;
    frames++;
  }

  private int receiver(byte[] frame) {
    long destination = 0;
    for (int i = 0; i < 6; i++) {
      destination = destination << 8 | frame[i] & 0xff;
    }
    List<HostDescription.Interface> all = host.interfaces();
    for (int i = 0; i < all.size(); i++) {
      if (all.get(i).macAddress() == destination) {
        return i;
      }
    }
    throw new IllegalArgumentException("a frame for no interface of the machine");
  }

  /**
   * Gives all frames to a new machine.
   *
   * @param rules as iptables-restore reads them
   * @throws IOException when the kernel, or a command, refuses the machine or the rules
   */
  public Pass run(String rules) throws IOException {
    return KernelMachine.onThreadOfItsOwn(() -> pass(rules));
  }

  private Pass pass(String rules) throws IOException {
    Scenario scenario = new Scenario("", host, Scenario.NamedObjects.NONE, rules, List.of());
    try (Namespace namespace = Namespace.make(scenario)) {
      for (Map.Entry<String, String> sysctl : host.sysctls().entrySet()) {
        namespace.set(sysctl.getKey(), sysctl.getValue());
      }
      namespace.configure(host);
      namespace.load(rules);
      int[] taps = namespace.taps.values().stream().mapToInt(Integer::intValue).toArray();
      ThreadMXBean threads = ManagementFactory.getThreadMXBean();
      long system = threads.getCurrentThreadCpuTime() - threads.getCurrentThreadUserTime();
      long began = System.nanoTime();
      for (int i = 0; i < frames; i++) {
        Libc.write(taps[device[i]], at[i], length[i]);
      }
      long wall = System.nanoTime() - began;
      system = threads.getCurrentThreadCpuTime() - threads.getCurrentThreadUserTime() - system;
      byte[] scratch = new byte[66_000];
      for (int tap : taps) {
        while (Libc.readNow(tap, scratch) != null) {
          // It counts as sent when it is read.
        }
      }
      return new Pass(frames, wall, system, left(), namespace.connections());
    } catch (LastErrorException e) {
      throw new IOException("a frame was refused: " + e.getMessage(), e);
    }
  }

  /** What was sent or dropped at the queue, of all interfaces. */
  private static long left() throws IOException {
    long left = 0;
    for (String line : Files.readAllLines(Path.of("/proc/thread-self/net/dev"))) {
      // eth0: eight counters of what was received, then bytes, packets, errs and drop of the other.
      String[] counters = line.strip().split("\\s+");
      if (counters[0].endsWith(":")) {
        left += Long.parseLong(counters[10]) + Long.parseLong(counters[12]);
      }
    }
    return left;
  }

  @Override
  public void close() {
    memory.close();
  }
}
