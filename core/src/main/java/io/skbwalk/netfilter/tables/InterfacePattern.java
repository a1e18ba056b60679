// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.device.NetDevice;
import java.util.Arrays;

/**
 * Plays ifname_compare: an interface name of a rule, perhaps with a last {@code +}. The answer is
 * remembered by interface index, since names do not change.
 */
public final class InterfacePattern {
  private static final byte UNKNOWN = 0;
  private static final byte YES = 1;
  private static final byte NO = 2;

  private final String name;
  private final boolean prefix;
  private byte[] answers = new byte[8];

  InterfacePattern(String name) {
    this.prefix = name.endsWith("+");
    this.name = prefix ? name.substring(0, name.length() - 1) : name;
  }

  /** Is it that interface? {@code null}, no interface, has the empty name. */
  public boolean matches(NetDevice device) {
    if (device == null) {
      return name.isEmpty();
    }
    int index = device.ifindex;
    if (index < answers.length && answers[index] != UNKNOWN) {
      return answers[index] == YES;
    }
    boolean yes = prefix ? device.name.startsWith(name) : device.name.equals(name);
    if (index >= answers.length) {
      answers = Arrays.copyOf(answers, index + 8);
    }
    answers[index] = yes ? YES : NO;
    return yes;
  }
}
