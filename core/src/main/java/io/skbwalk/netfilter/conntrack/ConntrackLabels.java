// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import java.util.Map;
import java.util.TreeMap;

/**
 * Plays nf_conntrack_labels.c: 128 bits of a connection that rules set and ask for. Only
 * connections that begin while a rule uses labels have them. Their names are userspace's
 * (/etc/xtables/connlabel.conf).
 */
public final class ConntrackLabels {
  /** XT_CONNLABEL_MAXBIT. */
  public static final int MAX = 127;

  private final Conntrack conntrack;
  private final Map<Integer, String> names = new TreeMap<>();
  private int users;

  ConntrackLabels(Conntrack conntrack) {
    this.conntrack = conntrack;
  }

  /** Plays nf_connlabels_get: a rule uses labels from now on. */
  public void use() {
    users++;
  }

  /** Plays nf_connlabels_put: a rule is gone. */
  public void release() {
    users--;
  }

  /** Does a connection that begins now have labels? */
  boolean used() {
    return users > 0;
  }

  /** Can labels of {@code ct} be set at all? */
  public boolean exist(int ct) {
    return (conntrack.memory.get(ct, ConntrackMemory.META) & ConntrackMemory.META_LABELS) != 0;
  }

  /** Is label {@code bit} (0 to 127) of {@code ct} set? */
  public boolean has(int ct, int bit) {
    return (conntrack.extension(ct, word(bit)) & 1 << bit) != 0;
  }

  /** Sets label {@code bit} (0 to 127) of {@code ct}; an event when it was not. */
  public void set(int ct, int bit) {
    int labels = conntrack.extension(ct, word(bit));
    if ((labels & 1 << bit) == 0) {
      conntrack.setExtension(ct, word(bit), labels | 1 << bit);
      conntrack.cacheEvent(ct, ConntrackEvents.LABEL);
    }
  }

  private static int word(int bit) {
    return ConntrackExtensions.LABELS + (bit >>> 5);
  }

  /** Plays a line of connlabel.conf. */
  public void name(int bit, String name) {
    names.put(bit, name);
  }

  /** Plays nfct_labelmap_get_bit: the number of the label {@code name}, -1 for none. */
  public int number(String name) {
    return names.entrySet().stream()
        .filter(entry -> entry.getValue().equals(name))
        .mapToInt(Map.Entry::getKey)
        .findFirst()
        .orElse(-1);
  }

  /** The names of the labels of {@code ct}, comma-separated, as conntrack -o labels shows them. */
  String text(int ct) {
    StringBuilder text = new StringBuilder();
    names.forEach(
        (bit, name) -> {
          if (has(ct, bit)) {
            text.append(text.isEmpty() ? "" : ",").append(name);
          }
        });
    return text.toString();
  }
}
