// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import java.util.ArrayList;
import java.util.List;

/** Plays nf_osf_fingers: what the match osf knows of operating systems, in order. */
public final class OsFingerprints {
  private final List<OsFingerprint> list = new ArrayList<>();

  /**
   * Plays nfnl_osf: adds a line of pf.os; one that is there already is not added again.
   *
   * @throws IllegalArgumentException when it is none
   */
  public void add(String line) {
    OsFingerprint fingerprint = OsFingerprint.parse(line);
    if (!list.contains(fingerprint)) {
      list.add(fingerprint);
    }
  }

  /** All of them. */
  public List<OsFingerprint> list() {
    return List.copyOf(list);
  }
}
