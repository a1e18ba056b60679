// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.capture;

import java.util.Map;

/**
 * The link types of captures that can be read: what precedes the network header of each frame.
 * Source: tcpdump.org/linktypes.html.
 *
 * <pre>
 *  ETHERNET           LINUX_SLL                    LINUX_SLL2
 *  0  destination     0  packet type (0 to us,     0  protocol
 *  6  source             3 other, 4 sent by us)    2  zero
 *  12 EtherType       2  ARPHRD type               4  interface index
 *  14 payload         4  address length            8  ARPHRD type
 *                     6  address, 8 bytes          10 packet type
 *  RAW, IPV4          14 protocol                  11 address length
 *  0  IP header       16 payload                   12 address, 8 bytes
 *                                                  20 payload
 * </pre>
 */
public final class LinkType {
  /** LINKTYPE_ETHERNET. */
  public static final int ETHERNET = 1;

  /** LINKTYPE_RAW: an IPv4 or IPv6 header; also what files with 12 or 14 (DLT_RAW) become. */
  public static final int RAW = 101;

  /** LINKTYPE_LINUX_SLL: {@code tcpdump -i any} of before libpcap 1.10. */
  public static final int LINUX_SLL = 113;

  /** LINKTYPE_IPV4: an IPv4 header. */
  public static final int IPV4 = 228;

  /** LINKTYPE_LINUX_SLL2: {@code tcpdump -i any}. */
  public static final int LINUX_SLL2 = 276;

  /** What the error about any other says. */
  static final String READABLE =
      "Ethernet (1), raw IP (101, 12, 14), IPv4 (228), Linux cooked (113) and Linux cooked v2 (276)"
          + " can be read";

  private static final Map<Integer, String> OTHERS =
      Map.ofEntries(
          Map.entry(0, "BSD loopback"),
          Map.entry(6, "Token Ring"),
          Map.entry(8, "SLIP"),
          Map.entry(9, "PPP"),
          Map.entry(10, "FDDI"),
          Map.entry(50, "PPP in HDLC framing"),
          Map.entry(51, "PPPoE"),
          Map.entry(104, "Cisco HDLC"),
          Map.entry(105, "IEEE 802.11"),
          Map.entry(107, "Frame Relay"),
          Map.entry(108, "OpenBSD loopback"),
          Map.entry(127, "IEEE 802.11 with radiotap"),
          Map.entry(187, "Bluetooth HCI"),
          Map.entry(189, "USB"),
          Map.entry(195, "IEEE 802.15.4"),
          Map.entry(220, "USB"),
          Map.entry(227, "CAN"),
          Map.entry(229, "IPv6"),
          Map.entry(239, "NFLOG"),
          Map.entry(253, "netlink"));

  private LinkType() {}

  /** The value that stands for it here, or -1 when frames of that type cannot be read. */
  static int readable(int inFile) {
    return switch (inFile) {
      case ETHERNET, LINUX_SLL, IPV4, LINUX_SLL2, RAW -> inFile;
      case 12, 14 -> RAW;
      default -> -1;
    };
  }

  /** The value for libpcap's functions, which want DLT_ and not LINKTYPE_ numbers. */
  static int dlt(int linkType) {
    return linkType == RAW ? 12 : linkType;
  }

  /** A name for people, also for the better known of those that cannot be read. */
  public static String name(int linkType) {
    return switch (linkType) {
      case ETHERNET -> "Ethernet";
      case RAW -> "raw IP";
      case IPV4 -> "raw IPv4";
      case LINUX_SLL -> "Linux cooked";
      case LINUX_SLL2 -> "Linux cooked v2";
      default -> OTHERS.getOrDefault(linkType, "link type " + linkType);
    };
  }

  /** Bytes before the network header; VLAN tags of Ethernet not counted. */
  public static int headerLength(int linkType) {
    return switch (linkType) {
      case ETHERNET -> 14;
      case LINUX_SLL -> 16;
      case LINUX_SLL2 -> 20;
      default -> 0;
    };
  }

  /** Where the EtherType is, 2 bytes in network order, or -1 when there is none (raw IP). */
  public static int protocolOffset(int linkType) {
    return switch (linkType) {
      case ETHERNET -> 12;
      case LINUX_SLL -> 14;
      case LINUX_SLL2 -> 0;
      default -> -1;
    };
  }
}
