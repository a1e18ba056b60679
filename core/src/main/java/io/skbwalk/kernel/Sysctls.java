// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.kernel;

import io.skbwalk.lib.Spelling;
import java.util.Collection;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/**
 * Plays kernel/sysctl.c: the settings of one machine by their dotted names. Whoever owns a setting
 * keeps it in a plain field, which the path reads, and registers how to set and get it.
 */
public final class Sysctls {
  private record Entry(LongSupplier get, LongConsumer set, long min, long max) {}

  private final Map<String, Entry> entries = new TreeMap<>();

  /**
   * Makes {@code name} known.
   *
   * @param min smallest allowed value
   * @param max largest allowed value
   */
  public void register(String name, LongSupplier get, LongConsumer set, long min, long max) {
    if (entries.put(name, new Entry(get, set, min, max)) != null) {
      throw new IllegalStateException("sysctl " + name + " is registered twice");
    }
  }

  /** Makes {@code name} known as a setting that only Linux's default is modelled for. */
  public void registerReadOnly(String name, LongSupplier get) {
    register(name, get, null, 0, 0);
  }

  /** All names, sorted. */
  public Collection<String> names() {
    return Collections.unmodifiableSet(entries.keySet());
  }

  /**
   * The value of {@code name}.
   *
   * @throws IllegalArgumentException with a message for users when the name is not known
   */
  public long get(String name) {
    return entry(name).get.getAsLong();
  }

  /**
   * Sets {@code name} to the whole number in {@code text}.
   *
   * @throws IllegalArgumentException with a message for users: unknown name (with the nearest known
   *     one), not a number, out of range, read-only
   */
  public void set(String name, String text) {
    Entry entry = entry(name);
    long value;
    try {
      value = Long.parseLong(text.trim());
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "sysctl " + name + " takes a whole number, not \"" + text + "\"", e);
    }
    if (entry.set == null) {
      if (value != entry.get.getAsLong()) {
        throw new IllegalArgumentException(
            "sysctl " + name + " is modelled with its default " + entry.get.getAsLong() + " only");
      }
      return;
    }
    if (value < entry.min || value > entry.max) {
      throw new IllegalArgumentException(
          "sysctl " + name + " takes " + entry.min + " to " + entry.max + ", not " + value);
    }
    entry.set.accept(value);
  }

  private Entry entry(String name) {
    Entry entry = entries.get(name);
    if (entry == null) {
      String nearest = Spelling.nearest(name, entries.keySet());
      throw new IllegalArgumentException(
          "unknown sysctl " + name + (nearest == null ? "" : "; nearest is " + nearest));
    }
    return entry;
  }
}
