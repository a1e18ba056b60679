// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4.route;

import io.skbwalk.device.NetDevice;
import io.skbwalk.kernel.Sysctls;
import io.skbwalk.lib.Ip4;
import io.skbwalk.skb.Net;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Plays net/ipv4/devinet.c: the interfaces of one machine with their IPv4 settings, and who has
 * which address. Registers net.ipv4.conf.* and net.ipv4.ip_forward.
 */
public final class InDevices {
  private static final int EMPTY = 0;

  private final Net net;
  private final int[] all = new int[DeviceSetting.values().length];
  private final int[] initial = new int[DeviceSetting.values().length];
  private final List<InDevice> order = new ArrayList<>();
  private InDevice[] byIndex = new InDevice[8];

  // Own addresses: open addressing, key 0 is a free slot.
  private int[] keys = new int[16];
  private InDevice[] owners = new InDevice[16];
  private int addressCount;

  /** No interface yet; the settings of {@code all} and {@code default} are there. */
  public InDevices(Net net) {
    this.net = net;
    for (DeviceSetting setting : DeviceSetting.values()) {
      all[setting.ordinal()] = setting.initialForAll;
      initial[setting.ordinal()] = setting.initial;
      register("all", setting, all, null);
      register("default", setting, initial, null);
    }
    net.sysctls.register(
        "net.ipv4.ip_forward",
        () -> all[DeviceSetting.FORWARDING.ordinal()],
        this::setForwarding,
        Integer.MIN_VALUE,
        Integer.MAX_VALUE);
  }

  /**
   * Plays inetdev_init: gives {@code dev} IPv4, with the settings that are the default now.
   *
   * @throws IllegalStateException when it has it already
   */
  public InDevice add(NetDevice dev) {
    while (dev.ifindex >= byIndex.length) {
      byIndex = java.util.Arrays.copyOf(byIndex, byIndex.length * 2);
    }
    if (byIndex[dev.ifindex] != null) {
      throw new IllegalStateException(dev + " is there already");
    }
    InDevice in = new InDevice(dev, all, initial);
    if (dev.isLoopback()) {
      in.own[DeviceSetting.DISABLE_POLICY.ordinal()] = 1;
      in.own[DeviceSetting.DISABLE_XFRM.ordinal()] = 1;
    }
    byIndex[dev.ifindex] = in;
    order.add(in);
    String part = dev.name.replace('.', '/');
    for (DeviceSetting setting : DeviceSetting.values()) {
      register(part, setting, in.own, in);
    }
    return in;
  }

  /** Plays __in_dev_get_rcu: what IPv4 knows of {@code dev}, or null. */
  public InDevice of(NetDevice dev) {
    return of(dev.ifindex);
  }

  /** The same by index. */
  public InDevice of(int ifindex) {
    return ifindex > 0 && ifindex < byIndex.length ? byIndex[ifindex] : null;
  }

  /** All, in the order in which they were added. */
  public List<InDevice> list() {
    return Collections.unmodifiableList(order);
  }

  /** The interface called {@code name}, or null. */
  public InDevice named(String name) {
    for (InDevice in : order) {
      if (in.dev.name.equals(name)) {
        return in;
      }
    }
    return null;
  }

  /** Plays inet_lookup_ifaddr_rcu: the first interface that was given {@code address}, or null. */
  public InDevice owner(int address) {
    int mask = keys.length - 1;
    for (int slot = hash(address) & mask; keys[slot] != EMPTY; slot = slot + 1 & mask) {
      if (keys[slot] == address) {
        return owners[slot];
      }
    }
    return null;
  }

  /** Plays inet_select_addr: see {@link Routing#selectAddress}. */
  int select(InDevice in, int destination, int scope) {
    int address = 0;
    if (in != null) {
      int localnet =
          in.is(DeviceSetting.ROUTE_LOCALNET) ? FibRoute.RT_SCOPE_LINK : FibRoute.RT_SCOPE_HOST;
      for (InterfaceAddress candidate : in.addresses()) {
        if (candidate.secondary() || Math.min(candidate.scope(), localnet) > scope) {
          continue;
        }
        if (destination == 0 || candidate.contains(destination)) {
          return candidate.address();
        }
        if (address == 0) {
          address = candidate.address();
        }
      }
    }
    for (int i = 0; address == 0 && i < order.size(); i++) {
      for (InterfaceAddress candidate : order.get(i).addresses()) {
        if (!candidate.secondary()
            && candidate.scope() != FibRoute.RT_SCOPE_LINK
            && candidate.scope() <= scope) {
          return candidate.address();
        }
      }
    }
    return address;
  }

  /**
   * Plays __inet_insert_ifa; the routes are {@link Fib}'s business.
   *
   * @return the address as it was added, secondary or not
   * @throws IllegalArgumentException when the interface has it already
   */
  InterfaceAddress insert(InDevice in, int address, int prefixLength, int broadcast, int scope) {
    if (address == 0) {
      throw new IllegalArgumentException("0.0.0.0 cannot be an interface's address");
    }
    for (InterfaceAddress known : in.addresses()) {
      if (known.address() == address && known.prefixLength() == prefixLength) {
        throw new IllegalArgumentException(
            in + " has address " + Ip4.format(address) + "/" + prefixLength + " already");
      }
    }
    InterfaceAddress added =
        new InterfaceAddress(
            address, prefixLength, broadcast, scope, in.byPrefix(address, prefixLength) != null);
    in.insert(added);
    // Whoever has an address has settled its settings: ipv4_devconf_setall.
    java.util.Arrays.fill(in.fixed, true);
    if (owner(address) == null) {
      if (++addressCount * 2 > keys.length) {
        int[] oldKeys = keys;
        InDevice[] oldOwners = owners;
        keys = new int[oldKeys.length * 2];
        owners = new InDevice[oldKeys.length * 2];
        for (int i = 0; i < oldKeys.length; i++) {
          if (oldKeys[i] != EMPTY) {
            place(oldKeys[i], oldOwners[i]);
          }
        }
      }
      place(address, in);
    }
    return added;
  }

  private void place(int address, InDevice in) {
    int mask = keys.length - 1;
    int slot = hash(address) & mask;
    while (keys[slot] != EMPTY) {
      slot = slot + 1 & mask;
    }
    keys[slot] = address;
    owners[slot] = in;
  }

  private static int hash(int address) {
    int h = address * 0x9E3779B1;
    return h ^ h >>> 15;
  }

  private void register(String part, DeviceSetting setting, int[] values, InDevice in) {
    Sysctls sysctls = net.sysctls;
    String name = "net.ipv4.conf." + part + "." + setting.sysctl;
    int at = setting.ordinal();
    if (!setting.settable) {
      sysctls.registerReadOnly(name, () -> values[at]);
      return;
    }
    sysctls.register(
        name,
        () -> values[at],
        value -> set(setting, (int) value, values, in),
        Integer.MIN_VALUE,
        Integer.MAX_VALUE);
  }

  private void set(DeviceSetting setting, int value, int[] values, InDevice in) {
    int at = setting.ordinal();
    if (setting == DeviceSetting.FORWARDING) {
      if (values == all) {
        setForwarding(value);
      } else {
        values[at] = value;
      }
      return;
    }
    values[at] = value;
    if (in != null) {
      in.fixed[at] = true;
    } else if (values == initial) {
      // devinet_copy_dflt_conf: interfaces whose own value nobody has set follow.
      for (InDevice follower : order) {
        if (!follower.fixed[at]) {
          follower.own[at] = value;
        }
      }
    }
  }

  /** Plays inet_forward_change: all interfaces at once, and a router does not heed redirects. */
  private void setForwarding(long value) {
    int at = DeviceSetting.FORWARDING.ordinal();
    if (all[at] == (int) value) {
      return;
    }
    all[at] = (int) value;
    initial[at] = (int) value;
    all[DeviceSetting.ACCEPT_REDIRECTS.ordinal()] = value == 0 ? 1 : 0;
    for (InDevice in : order) {
      in.own[at] = (int) value;
    }
  }
}
