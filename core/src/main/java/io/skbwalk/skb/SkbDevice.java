// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.skb;

/** What a packet needs to know of the interface that it is on; the interface itself lies above. */
public abstract class SkbDevice {
  /** The interface's name, such as {@code eth0}. */
  public final String name;

  /** The interface's index, from 1 in the order of creation (loopback is 1). */
  public final int ifindex;

  /** An interface called {@code name}. */
  protected SkbDevice(String name, int ifindex) {
    this.name = name;
    this.ifindex = ifindex;
  }

  @Override
  public final String toString() {
    return name;
  }
}
