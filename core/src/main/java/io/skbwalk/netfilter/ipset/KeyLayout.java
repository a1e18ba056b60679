// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.ipset;

import static io.skbwalk.netfilter.ipset.SetType.Part;

/**
 * Plays struct hash_ip4_elem and its kin: how the parts of an element lie in the words that are
 * hashed and compared. Words are as a little-endian processor reads them, since that is what Linux
 * hashes; {@code nomatch} is no part of it.
 *
 * <pre>
 *  address (1 word, 4 in family inet6) | second address | tail: port, protocol, prefix lengths, ...
 * </pre>
 */
final class KeyLayout {
  private final SetType type;
  private final int addressWords;
  private final int tail;

  /** Words of an element. */
  final int words;

  /** Longest prefix. */
  final int hostBits;

  KeyLayout(SetType type, boolean inet6) {
    this.type = type;
    addressWords = inet6 ? 4 : 1;
    hostBits = inet6 ? 128 : 32;
    int addresses =
        (int) type.parts.stream().filter(part -> part == Part.IP || part == Part.NET).count();
    tail = addresses * addressWords;
    words =
        tail
            + switch (type) {
              case HASH_IP -> 0;
              case HASH_MAC, HASH_IPMAC, HASH_NETPORTNET -> 2;
              default -> 1;
            };
  }

  /** Writes the words of the entry's first address, second address, port and so on. */
  void pack(SetEntry entry, int[] key) {
    for (int i = 0; i < addressWords && tail > 0; i++) {
      key[i] = Integer.reverseBytes(entry.ip[i]);
    }
    for (int i = 0; i < addressWords && tail > addressWords; i++) {
      key[addressWords + i] = Integer.reverseBytes(entry.ip2[i]);
    }
    int port = Short.reverseBytes((short) entry.port) & 0xFFFF;
    switch (type) {
      case HASH_MAC, HASH_IPMAC -> {
        key[tail] = Integer.reverseBytes((int) (entry.mac >>> 16));
        key[tail + 1] = Short.reverseBytes((short) entry.mac) & 0xFFFF;
      }
      case HASH_IPPORT, HASH_IPPORTIP -> key[tail] = port | entry.protocol << 16;
      case HASH_IPPORTNET -> key[tail] = port | entry.cidr2 - 1 << 16 | entry.protocol << 24;
      case HASH_NET -> key[tail] = entry.cidr << 24;
      case HASH_NETPORT -> key[tail] = port | entry.protocol << 16 | entry.cidr - 1 << 24;
      case HASH_NETNET -> key[tail] = entry.cidr << 16 | entry.cidr2 << 24;
      case HASH_NETPORTNET -> {
        key[tail] = port | entry.cidr << 16 | entry.cidr2 << 24;
        key[tail + 1] = entry.protocol << 24;
      }
      case HASH_NETIFACE -> key[tail] = (entry.physdev ? 1 : 0) | entry.cidr << 8 | 1 << 24;
      case HASH_IPMARK -> key[tail] = entry.mark;
      default -> {}
    }
  }

  /** Reads what {@link #pack} wrote from {@code at} on. */
  void unpack(int[] keys, int at, SetEntry entry) {
    for (int i = 0; i < addressWords && tail > 0; i++) {
      entry.ip[i] = Integer.reverseBytes(keys[at + i]);
    }
    for (int i = 0; i < addressWords && tail > addressWords; i++) {
      entry.ip2[i] = Integer.reverseBytes(keys[at + addressWords + i]);
    }
    if (words == tail) {
      return;
    }
    int word = keys[at + tail];
    entry.port = Short.reverseBytes((short) word) & 0xFFFF;
    switch (type) {
      case HASH_MAC, HASH_IPMAC ->
          entry.mac =
              (Integer.reverseBytes(word) & 0xFFFFFFFFL) << 16
                  | Short.reverseBytes((short) keys[at + tail + 1]) & 0xFFFF;
      case HASH_IPPORT, HASH_IPPORTIP -> entry.protocol = word >>> 16;
      case HASH_IPPORTNET -> {
        entry.cidr2 = (word >>> 16 & 0xFF) + 1;
        entry.protocol = word >>> 24;
      }
      case HASH_NET -> entry.cidr = word >>> 24;
      case HASH_NETPORT -> {
        entry.protocol = word >>> 16 & 0xFF;
        entry.cidr = (word >>> 24) + 1;
      }
      case HASH_NETNET, HASH_NETPORTNET -> {
        entry.cidr = word >>> 16 & 0xFF;
        entry.cidr2 = word >>> 24;
        entry.protocol = type == SetType.HASH_NETPORTNET ? keys[at + tail + 1] >>> 24 : 0;
      }
      case HASH_NETIFACE -> {
        entry.physdev = (word & 1) != 0;
        entry.cidr = word >>> 8 & 0xFF;
      }
      case HASH_IPMARK -> entry.mark = word;
      default -> {}
    }
  }

  /** The prefix length of network number {@code which} (0 or 1) of an element. */
  int prefixLength(int[] keys, int at, int which) {
    int word = keys[at + tail];
    return switch (type) {
      case HASH_NET -> word >>> 24;
      case HASH_NETPORT -> (word >>> 24) + 1;
      case HASH_IPPORTNET -> (word >>> 16 & 0xFF) + 1;
      case HASH_NETIFACE -> word >>> 8 & 0xFF;
      default -> which == 0 ? word >>> 16 & 0xFF : word >>> 24;
    };
  }
}
