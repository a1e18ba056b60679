// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.kernel;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Plays include/linux/init.h and do_initcalls: what runs once at boot, level by level, and within a
 * level in the order in which it was linked (here: added).
 */
public final class InitCalls {
  /** The levels, by the kernel's numbers. */
  public enum Level {
    /** pure_initcall. */
    PURE,
    /** core_initcall. */
    CORE,
    /** postcore_initcall. */
    POSTCORE,
    /** arch_initcall. */
    ARCH,
    /** subsys_initcall. */
    SUBSYS,
    /** fs_initcall. */
    FS,
    /** device_initcall, which module_init is for what is built in. */
    DEVICE,
    /** late_initcall. */
    LATE
  }

  /**
   * An initcall that has run.
   *
   * @param function the kernel's name
   * @param text what it did
   */
  public record Ran(Level level, String function, String text) {}

  private record Call(Ran ran, Runnable work) {}

  private final List<Call> calls = new ArrayList<>();
  private final List<Ran> ran = new ArrayList<>();

  /** Adds {@code function}; {@code text} says what it does. */
  public void add(Level level, String function, String text, Runnable work) {
    calls.add(new Call(new Ran(level, function, text), work));
  }

  /** Runs all that were added and not yet run. */
  public void run() {
    for (Level level : Level.values()) {
      for (Call call : calls) {
        if (call.ran.level == level) {
          call.work.run();
          ran.add(call.ran);
        }
      }
    }
    calls.clear();
  }

  /** What has run, in order. */
  public List<Ran> ran() {
    return Collections.unmodifiableList(ran);
  }
}
