// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import io.skbwalk.lib.Ip4;

/** An address, of an interface or a network, with its prefix length, as YAML has them. */
record Prefix(int address, int length) {
  /** Every address. */
  static final Prefix ALL = new Prefix(0, 0);

  /** An interface's own address: {@code 192.0.2.1/24}. */
  static Prefix address(YamlValue value) {
    String text = value.text();
    int slash = text.indexOf('/');
    if (slash < 0) {
      throw value.error(
          "the address " + text + " needs its prefix length, such as " + text + "/24");
    }
    int address = parse(value, text.substring(0, slash));
    return new Prefix(address, prefixLength(value, text.substring(slash + 1)));
  }

  /** A network: {@code default}, {@code 192.0.2.0/24}, or an address alone for a /32. */
  static Prefix network(YamlValue value) {
    String text = value.text();
    if (text.equals("default") || text.equals("all")) {
      return ALL;
    }
    int slash = text.indexOf('/');
    int address = parse(value, slash < 0 ? text : text.substring(0, slash));
    int length = slash < 0 ? 32 : prefixLength(value, text.substring(slash + 1));
    if ((address & ~Ip4.mask(length)) != 0) {
      throw value.error(
          text
              + " has bits outside its prefix; the network is "
              + Ip4.format(address & Ip4.mask(length))
              + "/"
              + length);
    }
    return new Prefix(address, length);
  }

  private static int parse(YamlValue value, String address) {
    try {
      return Ip4.parse(address);
    } catch (IllegalArgumentException e) {
      throw value.error(e.getMessage());
    }
  }

  private static int prefixLength(YamlValue value, String text) {
    if (text.matches("\\d{1,2}") && Integer.parseInt(text) <= 32) {
      return Integer.parseInt(text);
    }
    throw value.error("a prefix length is a number from 0 to 32, not \"" + text + "\"");
  }
}
