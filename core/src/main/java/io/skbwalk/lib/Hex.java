// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lib;

/** Numbers as the kernel's logs and the tools print them. */
public final class Hex {
  private Hex() {}

  /** The low 16 bits as {@code 0x} and four digits. */
  public static String of16(int value) {
    return "0x" + Integer.toHexString(0x10000 | value & 0xFFFF).substring(1);
  }
}
