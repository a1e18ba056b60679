// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import io.skbwalk.device.NetDevice;
import io.skbwalk.ipv4.route.InDevice;
import io.skbwalk.ipv4.route.InDevices;
import io.skbwalk.skb.SkBuff;
import java.nio.charset.StandardCharsets;

/**
 * Plays icmp_build_probe: the answer to an extended echo request (RFC 8335), which asks for the
 * state of an interface by name, index or address.
 *
 * <pre>
 *   | version, reserved, checksum (4) | length (2) | class (1) | c-type (1) | identification ... |
 * </pre>
 */
final class IcmpProbe {
  /** Code of an answer: the query makes no sense. */
  static final int MALFORMED_QUERY = 1;

  /** Code of an answer: there is no such interface. */
  static final int NO_SUCH_INTERFACE = 2;

  private static final int BY_NAME = 1;
  private static final int BY_INDEX = 2;
  private static final int BY_ADDRESS = 3;
  private static final int EXTENSION_HEADER = 4;
  private static final int OBJECT_HEADER = 4;

  /** sizeof(struct icmp_ext_echo_iio): object header and the longest identification. */
  private static final int LONGEST = OBJECT_HEADER + 20;

  private static final int IFNAMSIZ = 16;
  private static final int ACTIVE = 4;
  private static final int IPV4 = 2;

  private IcmpProbe() {}

  /**
   * What is to be answered to the request whose body {@link SkBuff#data} stands at.
   *
   * @return code in the upper, status bits in the lower 16 bits
   */
  static int answer(SkBuff skb, InDevices devices) {
    int malformed = MALFORMED_QUERY << 16;
    int object = skb.data + EXTENSION_HEADER;
    if (!skb.mayPull(EXTENSION_HEADER + OBJECT_HEADER)) {
      return malformed;
    }
    int length = skb.u16(object);
    if (length <= OBJECT_HEADER || length > LONGEST || !skb.mayPull(EXTENSION_HEADER + length)) {
      return malformed;
    }
    int identification = object + OBJECT_HEADER;
    int size = length - OBJECT_HEADER;
    InDevice found = null;
    switch (skb.u8(object + 3)) {
      case BY_NAME:
        if (size >= IFNAMSIZ) {
          return malformed;
        }
        int end = identification;
        while (end < identification + size && skb.u8(end) != 0) {
          end++;
        }
        found =
            devices.named(
                new String(
                    skb.head, identification, end - identification, StandardCharsets.ISO_8859_1));
        break;
      case BY_INDEX:
        if (size != 4) {
          return malformed;
        }
        found = devices.of(skb.u32(identification));
        break;
      case BY_ADDRESS:
        int addressLength = size < 4 ? 0 : skb.u8(identification + 2);
        if (size < 4 || size != 4 + addressLength) {
          return malformed;
        }
        int family = skb.u16(identification);
        if (family == 1 && addressLength == 4) {
          found = devices.owner(skb.u32(identification + 4));
        } else if (family != 2 || addressLength != 16) {
          return malformed;
        }
        break;
      default:
        return malformed;
    }
    if (found == null) {
      return NO_SUCH_INTERFACE << 16;
    }
    return ((found.dev.flags & NetDevice.IFF_UP) != 0 ? ACTIVE : 0)
        | (found.addresses().length > 0 ? IPV4 : 0);
  }
}
