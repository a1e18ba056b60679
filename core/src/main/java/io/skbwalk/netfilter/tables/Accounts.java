// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.lib.Protocols;
import java.util.HashMap;
import java.util.Map;

/**
 * Plays getpwnam and getgrnam with the users and groups that every Debian system has, so that a
 * rule means the same on every machine.
 */
public final class Accounts {
  private static final Map<String, Integer> USERS = read("users.txt");
  private static final Map<String, Integer> GROUPS = read("groups.txt");

  private Accounts() {}

  private static Map<String, Integer> read(String file) {
    Map<String, Integer> ids = new HashMap<>();
    for (String[] words : Protocols.table(Accounts.class, file)) {
      ids.put(words[1], Integer.valueOf(words[0]));
    }
    return ids;
  }

  /** The number of the user called {@code name}, or null. */
  public static Integer user(String name) {
    return USERS.get(name);
  }

  /** The number of the group called {@code name}, or null. */
  public static Integer group(String name) {
    return GROUPS.get(name);
  }
}
