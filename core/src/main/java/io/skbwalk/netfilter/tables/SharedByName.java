// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Plays the lists that extensions keep of what rules share by name (hashlimit's tables, recent's
 * lists, rate estimators, idle timers): each thing is there as long as some rule holds it. Kept per
 * machine with {@link Environment#perNet}.
 */
public class SharedByName<T> {
  private static final class Held<T> {
    final T thing;
    int references;

    Held(T thing) {
      this.thing = thing;
    }
  }

  private final Map<String, Held<T>> things = new HashMap<>();

  /** The thing of that name without a hold on it, or null. */
  public final T find(String name) {
    Held<T> held = things.get(name);
    return held == null ? null : held.thing;
  }

  /** A hold on the thing of that name, which is made when there is none. */
  public final T take(String name, Supplier<T> make) {
    Held<T> held = things.computeIfAbsent(name, key -> new Held<>(make.get()));
    held.references++;
    return held.thing;
  }

  /** A hold on the thing of that name; null when there is none. */
  public final T takeExisting(String name) {
    Held<T> held = things.get(name);
    if (held == null) {
      return null;
    }
    held.references++;
    return held.thing;
  }

  /** Gives a hold back: true when it was the last, and the thing is gone. */
  public final boolean release(String name) {
    Held<T> held = things.get(name);
    if (--held.references > 0) {
      return false;
    }
    things.remove(name);
    return true;
  }
}
