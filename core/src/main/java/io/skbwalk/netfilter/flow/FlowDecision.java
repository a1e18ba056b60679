// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.flow;

import io.skbwalk.netfilter.Hook;
import java.util.Arrays;

/** What packets of one direction of a connection meet at each hook, as far as is known. */
final class FlowDecision {
  /** By hook; null where nothing is known yet. */
  final FlowMemo[] at;

  /** Its number, from 1. */
  final int id;

  /** One that knows nothing. */
  FlowDecision() {
    at = new FlowMemo[Hook.values().length];
    id = 0;
  }

  private FlowDecision(FlowMemo[] at, int id) {
    this.at = at;
    this.id = id;
  }

  FlowDecision copy(int id) {
    return new FlowDecision(at.clone(), id);
  }

  /** Makes it know what {@code other} does, and {@code memo} besides. */
  void become(FlowDecision other, Hook hook, FlowMemo memo) {
    System.arraycopy(other.at, 0, at, 0, at.length);
    at[hook.ordinal()] = memo;
  }

  @Override
  public boolean equals(Object object) {
    if (!(object instanceof FlowDecision other)) {
      return false;
    }
    for (int i = 0; i < at.length; i++) {
      if (at[i] != other.at[i]) {
        return false;
      }
    }
    return true;
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(at);
  }
}
