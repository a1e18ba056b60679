// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.device;

import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.SkbDevice;

/** Plays struct net_device: one interface with its address, flags and counters. */
public final class NetDevice extends SkbDevice {
  /** {@link #flags}: the interface is up (include/uapi/linux/if.h). */
  public static final int IFF_UP = 0x1;

  /** {@link #flags}: it can broadcast. */
  public static final int IFF_BROADCAST = 0x2;

  /** {@link #flags}: it is the loopback. */
  public static final int IFF_LOOPBACK = 0x8;

  /** {@link #flags}: it takes every frame. */
  public static final int IFF_PROMISC = 0x100;

  /** {@link #flags}: it takes every multicast frame. */
  public static final int IFF_ALLMULTI = 0x200;

  /** {@link #flags}: it can multicast. */
  public static final int IFF_MULTICAST = 0x1000;

  /** Ethernet address, low 48 bits. */
  public final long macAddress;

  /** Largest IP packet in bytes. */
  public int mtu;

  /** The IFF_ flags. */
  public int flags;

  /** The group that it was put in (`ip link set group`), 32 bits without a sign; 0 by default. */
  public int group;

  /** The interface that a VLAN interface lies on, or null. */
  public NetDevice lower;

  /** VLAN identifier of a VLAN interface, 0 to 4094; meaningful when {@link #lower} is set. */
  public int vlanId;

  // Counters by their names in `ip -s -s link`.

  /** Frames received. */
  public long rxPackets;

  /** Bytes received, Ethernet header included, frame check sequence not. */
  public long rxBytes;

  /** Frames received but for nobody here: no handler took them. */
  public long rxDropped;

  /** Frames with a wrong frame check sequence. */
  public long rxCrcErrors;

  /** Frames lost because the ring was full. */
  public long rxMissed;

  /** Frames of another wrong length. */
  public long rxLengthErrors;

  /** Frames with rxCrcErrors, rxLengthErrors and other errors together. */
  public long rxErrors;

  /** Multicast frames received. */
  public long multicast;

  /** Frames sent. */
  public long txPackets;

  /** Bytes sent. */
  public long txBytes;

  /** Frames that could not be sent. */
  public long txDropped;

  /** An interface that is up; {@code mac} in the low 48 bits, {@code mtu} in bytes. */
  public NetDevice(String name, int ifindex, long mac, int mtu, int flags) {
    super(name, ifindex);
    this.macAddress = mac;
    this.mtu = mtu;
    this.flags = flags;
  }

  /** The interface that {@code skb} is on, or null. */
  public static NetDevice of(SkBuff skb) {
    return (NetDevice) skb.dev;
  }

  /** True for the loopback interface. */
  public boolean isLoopback() {
    return (flags & IFF_LOOPBACK) != 0;
  }
}
