// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4.route;

import io.skbwalk.device.NetDevice;
import java.util.Arrays;

/**
 * Plays struct in_device and struct ipv4_devconf: what IPv4 knows of one interface, its addresses,
 * joined groups and settings. Made by {@link InDevices#add}.
 */
public final class InDevice {
  private static final int[] NONE = {};

  /** The interface. */
  public final NetDevice dev;

  private final int[] all;

  /** The interface's own settings by {@link DeviceSetting#ordinal}. */
  final int[] own;

  /** Settings that somebody has set for this interface, which a later default does not change. */
  final boolean[] fixed = new boolean[DeviceSetting.values().length];

  private InterfaceAddress[] addresses = {};
  private int[] groups = NONE;

  // Routes without a table entry, made once.
  Rtable broadcastOutput;
  Rtable multicastOutput;
  Rtable multicastOutputJoined;
  Rtable onLinkOutput;

  InDevice(NetDevice dev, int[] all, int[] own) {
    this.dev = dev;
    this.all = all;
    this.own = own.clone();
    joinGroup(0xE0000001);
  }

  /**
   * The value in force: {@code all} and the interface's own, combined as the kernel combines them.
   */
  public int setting(DeviceSetting setting) {
    int mine = own[setting.ordinal()];
    int everybody = all[setting.ordinal()];
    return switch (setting.combination) {
      case OWN -> mine;
      case BOTH -> mine != 0 && everybody != 0 ? 1 : 0;
      case EITHER -> mine != 0 || everybody != 0 ? 1 : 0;
      case GREATER -> Math.max(mine, everybody);
    };
  }

  /** True when {@link #setting} is not 0. */
  public boolean is(DeviceSetting setting) {
    return setting(setting) != 0;
  }

  /** IN_DEV_FORWARD: packets that came in here and are not for this machine are forwarded. */
  public boolean forwards() {
    return own[DeviceSetting.FORWARDING.ordinal()] != 0;
  }

  /** IN_DEV_RX_REDIRECTS: a router needs both settings, a host either. */
  public boolean acceptsRedirects() {
    boolean mine = own[DeviceSetting.ACCEPT_REDIRECTS.ordinal()] != 0;
    boolean everybody = all[DeviceSetting.ACCEPT_REDIRECTS.ordinal()] != 0;
    return forwards() ? mine && everybody : mine || everybody;
  }

  /**
   * The addresses: primary ones in the order of their coming, then secondary ones. Not to be
   * changed.
   */
  public InterfaceAddress[] addresses() {
    return addresses;
  }

  /** Plays inet_ifa_byprefix: the first address of the same prefix and length, or null. */
  InterfaceAddress byPrefix(int address, int prefixLength) {
    for (InterfaceAddress candidate : addresses) {
      if (candidate.prefixLength() == prefixLength && candidate.contains(address)) {
        return candidate;
      }
    }
    return null;
  }

  /** Plays __inet_insert_ifa's choice of place. */
  void insert(InterfaceAddress address) {
    int at = addresses.length;
    if (!address.secondary()) {
      at = 0;
      // Behind the last primary address of at least the same scope.
      for (int i = 0; i < addresses.length; i++) {
        if (!addresses[i].secondary() && address.scope() <= addresses[i].scope()) {
          at = i + 1;
        }
      }
    }
    InterfaceAddress[] longer = new InterfaceAddress[addresses.length + 1];
    System.arraycopy(addresses, 0, longer, 0, at);
    longer[at] = address;
    System.arraycopy(addresses, at, longer, at + 1, addresses.length - at);
    addresses = longer;
  }

  /**
   * Plays inet_addr_onlink: one of the prefixes of this interface has {@code a} and, unless 0,
   * {@code b}.
   */
  public boolean onLink(int a, int b) {
    for (InterfaceAddress address : addresses) {
      if (address.contains(a) && (b == 0 || address.contains(b))) {
        return true;
      }
    }
    return false;
  }

  /**
   * Plays ip_mc_inc_group: from now on packets to {@code group} that come in here are for this
   * machine.
   */
  public void joinGroup(int group) {
    if (!isMember(group)) {
      groups = Arrays.copyOf(groups, groups.length + 1);
      groups[groups.length - 1] = group;
    }
  }

  /** Plays ip_check_mc_rcu: {@code group} was joined; every interface is a member of 224.0.0.1. */
  public boolean isMember(int group) {
    for (int joined : groups) {
      if (joined == group) {
        return true;
      }
    }
    return false;
  }

  /** The joined groups. Not to be changed. */
  public int[] groups() {
    return groups;
  }

  @Override
  public String toString() {
    return dev.name;
  }
}
