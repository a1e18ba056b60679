// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.host;

import io.skbwalk.device.NetDevice;
import io.skbwalk.device.NetworkCore;
import io.skbwalk.host.HostDescription.Address;
import io.skbwalk.host.HostDescription.Interface;
import io.skbwalk.host.HostDescription.PolicyRule;
import io.skbwalk.host.HostDescription.Route;
import io.skbwalk.host.HostDescription.RouteType;
import io.skbwalk.ipv4.Neighbours;
import io.skbwalk.ipv4.route.FibConfig;
import io.skbwalk.ipv4.route.FibRule;
import io.skbwalk.ipv4.route.InDevices;
import io.skbwalk.ipv4.route.Routing;
import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Ipv4Operations;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.tables.NfAcct;
import io.skbwalk.skb.Net;
import io.skbwalk.transport.Sock;
import io.skbwalk.transport.Transport;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Plays what {@code ip}, {@code sysctl}, {@code nfct} and the programs that listen do to a machine
 * that has just booted, in the order of a machine's own start: settings, interfaces, their
 * settings, neighbours, routes, sockets, what rules name.
 */
final class Configuration {
  private static final int LOOPBACK_MTU = 65_536;

  private final HostDescription description;
  private final Net net;
  private final NetworkCore core;
  private final InDevices inDevices;
  private final Routing routing;
  private final Neighbours neighbours;
  private final Transport transport;
  private final Conntrack conntrack;
  private final NfAcct accounting;

  Configuration(
      HostDescription description,
      Net net,
      NetworkCore core,
      InDevices inDevices,
      Routing routing,
      Neighbours neighbours,
      Transport transport,
      Conntrack conntrack,
      NfAcct accounting) {
    this.description = description;
    this.net = net;
    this.core = core;
    this.inDevices = inDevices;
    this.routing = routing;
    this.neighbours = neighbours;
    this.transport = transport;
    this.conntrack = conntrack;
    this.accounting = accounting;
  }

  /** The interface that every machine has. */
  static NetDevice loopback() {
    return new NetDevice("lo", 1, 0, LOOPBACK_MTU, NetDevice.IFF_UP | NetDevice.IFF_LOOPBACK);
  }

  void apply() {
    sysctls(false);
    interfaces();
    sysctls(true);
    for (HostDescription.Neighbour neighbour : description.neighbours()) {
      neighbours.addPermanent(
          neighbour.address(), neighbour.macAddress(), device(neighbour, neighbour.device()));
    }
    for (Route route : description.routes()) {
      refusable(route, () -> routing.fib().addRoute(config(route)));
    }
    for (PolicyRule rule : description.policyRules()) {
      refusable(rule, () -> routing.fib().addRule(rule(rule)));
    }
    for (HostDescription.Socket socket : description.sockets()) {
      transport.add(sock(socket));
    }
    for (HostDescription.ConntrackTimeout timeout : description.netfilter().timeouts()) {
      refusable(timeout, () -> conntrack.addTimeoutPolicy(timeout.words()));
    }
    description.netfilter().labels().forEach(conntrack.labels()::name);
    if (description.netfilter().accounting() != null) {
      for (HostDescription.Accounting object : description.netfilter().accounting()) {
        refusable(object, () -> accounting.add(object.words()));
      }
    }
  }

  static void refusable(Object element, Runnable work) {
    try {
      work.run();
    } catch (IllegalArgumentException e) {
      throw new HostException(element, e.getMessage());
    }
  }

  // ---- settings ---------------------------------------------------------------------------------

  /** Those that name an interface can only be set once it is there. */
  private void sysctls(boolean ofInterfaces) {
    for (Map.Entry<String, String> entry : description.sysctls().entrySet()) {
      String name = entry.getKey();
      boolean named = false;
      for (Interface one : description.interfaces()) {
        // A dot of the interface's own is a slash in the name, as sysctl(8) has it.
        named |= name.contains("." + one.name() + ".");
        named |= name.contains("." + one.name().replace('.', '/') + ".");
        name = name.replace("." + one.name() + ".", "." + one.name().replace('.', '/') + ".");
      }
      named |= name.contains(".lo.");
      if (named == ofInterfaces) {
        String known = name;
        refusable(entry.getKey(), () -> net.sysctls.set(known, entry.getValue()));
      }
    }
  }

  // ---- interfaces -------------------------------------------------------------------------------

  private void interfaces() {
    NetDevice loopback = core.loopback();
    inDevices.add(loopback);
    neighbours.addDevice(loopback);
    routing.fib().addAddress(loopback, 0x7F000001, 8, 0);
    List<NetDevice> made = new ArrayList<>();
    for (Interface one : description.interfaces()) {
      int flags = NetDevice.IFF_UP | NetDevice.IFF_BROADCAST | NetDevice.IFF_MULTICAST;
      if (one.promiscuous()) {
        flags |= NetDevice.IFF_PROMISC;
      }
      NetDevice dev =
          new NetDevice(one.name(), made.size() + 2, one.macAddress(), one.mtu(), flags);
      if (one.name().equals(loopback.name)
          || made.stream().anyMatch(other -> other.name.equals(one.name()))) {
        throw new HostException(one, "there is an interface " + one.name() + " already");
      }
      dev.group = one.group();
      made.add(dev);
    }
    for (int i = 0; i < made.size(); i++) {
      Interface one = description.interfaces().get(i);
      NetDevice dev = made.get(i);
      if (one.vlanLink() != null) {
        lieOn(one, dev, made);
      }
      core.register(dev, one.ringSize());
      inDevices.add(dev);
      neighbours.addDevice(dev);
      for (Address address : one.addresses()) {
        refusable(
            address,
            () -> routing.fib().addAddress(dev, address.address(), address.prefixLength(), 0));
      }
    }
  }

  private static void lieOn(Interface one, NetDevice dev, List<NetDevice> made) {
    for (NetDevice lower : made) {
      if (lower.name.equals(one.vlanLink()) && lower != dev) {
        dev.lower = lower;
        dev.vlanId = one.vlanId();
      }
    }
    if (dev.lower == null) {
      throw new HostException(one, "there is no interface " + one.vlanLink() + " to lie on");
    }
    for (NetDevice lower = dev.lower; lower != null; lower = lower.lower) {
      if (lower == dev) {
        throw new HostException(one, one.name() + " would lie on itself");
      }
    }
    for (NetDevice other : made) {
      if (other != dev && other.lower == dev.lower && other.vlanId == dev.vlanId) {
        throw new HostException(
            one, "VLAN " + one.vlanId() + " of " + one.vlanLink() + " is " + other.name);
      }
    }
  }

  private NetDevice device(Object element, String name) {
    NetDevice dev = core.device(name);
    if (dev == null) {
      throw new HostException(
          element, "there is no interface " + name + "; interfaces are " + core.devices());
    }
    return dev;
  }

  // ---- routes -----------------------------------------------------------------------------------

  private FibConfig config(Route route) {
    return new FibConfig(
        route.destination(),
        route.prefixLength(),
        type(route.type()),
        route.gateway(),
        route.device() == null ? null : device(route, route.device()),
        route.table(),
        route.metric(),
        route.source(),
        route.mtu(),
        0,
        route.onLink(),
        route.realm());
  }

  private FibRule rule(PolicyRule rule) {
    return new FibRule(
        rule.priority(),
        rule.from() & Ip4.mask(rule.fromLength()),
        rule.fromLength(),
        rule.to() & Ip4.mask(rule.toLength()),
        rule.toLength(),
        rule.mark(),
        rule.markMask(),
        rule.tos(),
        rule.iif() == null ? 0 : device(rule, rule.iif()).ifindex,
        rule.oif() == null ? 0 : device(rule, rule.oif()).ifindex,
        type(rule.action()),
        rule.table(),
        rule.inverted());
  }

  private static int type(RouteType type) {
    return switch (type) {
      case UNICAST -> Ipv4Operations.RTN_UNICAST;
      case UNREACHABLE -> Ipv4Operations.RTN_UNREACHABLE;
      case PROHIBIT -> Ipv4Operations.RTN_PROHIBIT;
      case BLACKHOLE -> Ipv4Operations.RTN_BLACKHOLE;
      case THROW -> Ipv4Operations.RTN_THROW;
      case LOCAL -> Ipv4Operations.RTN_LOCAL;
    };
  }

  // ---- sockets ----------------------------------------------------------------------------------

  private Sock sock(HostDescription.Socket socket) {
    Sock.Kind kind =
        switch (socket.kind()) {
          case TCP -> Sock.Kind.TCP;
          case UDP -> Sock.Kind.UDP;
          case RAW -> Sock.Kind.RAW;
          case PACKET -> Sock.Kind.PACKET;
        };
    int type = routing.addressType(null, socket.address());
    if (socket.address() != 0
        && !socket.transparent()
        && type != Ipv4Operations.RTN_LOCAL
        && type != Ipv4Operations.RTN_BROADCAST
        && type != Ipv4Operations.RTN_MULTICAST) {
      throw new HostException(
          socket,
          "no interface has the address "
              + Ip4.format(socket.address())
              + " that a socket is bound to");
    }
    return new Sock(
        kind,
        socket.address(),
        socket.port(),
        socket.protocol(),
        socket.device() == null ? null : device(socket, socket.device()),
        socket.receiveBuffer(),
        socket.transparent(),
        socket.mark(),
        socket.owner());
  }
}
