// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.host.HostDescription;
import io.skbwalk.host.HostDescription.RouteType;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.Mac;
import java.util.Locale;

/** A machine as lines of {@code ip -batch}. */
final class IpBatch {
  private IpBatch() {}

  /** Interfaces that lie on others. */
  static String vlans(HostDescription host) {
    StringBuilder batch = new StringBuilder();
    for (HostDescription.Interface nic : host.interfaces()) {
      if (nic.vlanLink() != null) {
        batch.append("link add link ").append(nic.vlanLink()).append(" name ").append(nic.name());
        batch.append(" address ").append(Mac.format(nic.macAddress()));
        batch.append(" type vlan id ").append(nic.vlanId()).append('\n');
        batch.append("link set dev ").append(nic.name()).append(" up\n");
      }
    }
    return batch.toString();
  }

  /** MTUs, addresses, neighbours, routes and policy rules. */
  static String of(HostDescription host) {
    StringBuilder batch = new StringBuilder();
    for (HostDescription.Interface nic : host.interfaces()) {
      batch.append("link set dev ").append(nic.name());
      batch.append(" mtu ").append(nic.mtu());
      batch.append(" group ").append(Integer.toUnsignedString(nic.group())).append('\n');
      for (HostDescription.Address address : nic.addresses()) {
        batch.append("addr add ").append(Ip4.format(address.address())).append('/');
        batch.append(address.prefixLength()).append(" dev ").append(nic.name()).append('\n');
      }
    }
    for (HostDescription.Neighbour neighbour : host.neighbours()) {
      batch.append("neigh add ").append(Ip4.format(neighbour.address())).append(" lladdr ");
      batch.append(Mac.format(neighbour.macAddress())).append(" dev ").append(neighbour.device());
      batch.append(" nud permanent\n");
    }
    host.routes().forEach(route -> route(batch, "add", route));
    host.policyRules().forEach(rule -> rule(batch, "add", rule));
    return batch.toString();
  }

  /** {@code route add} (or another verb) of a route. */
  static void route(StringBuilder batch, String verb, HostDescription.Route route) {
    batch.append("route ").append(verb).append(' ');
    if (route.type() != RouteType.UNICAST) {
      batch.append(route.type().name().toLowerCase(Locale.ROOT)).append(' ');
    }
    batch.append(Ip4.format(route.destination())).append('/').append(route.prefixLength());
    if (route.gateway() != 0) {
      batch.append(" via ").append(Ip4.format(route.gateway()));
    }
    if (route.device() != null) {
      batch.append(" dev ").append(route.device());
    }
    batch.append(" table ").append(route.table());
    if (route.metric() != 0) {
      batch.append(" metric ").append(route.metric());
    }
    if (route.source() != 0) {
      batch.append(" src ").append(Ip4.format(route.source()));
    }
    if (route.mtu() != 0) {
      batch.append(" mtu ").append(route.mtu());
    }
    if (route.onLink()) {
      batch.append(" onlink");
    }
    if (route.realm() != 0) {
      batch
          .append(" realm ")
          .append(route.realm() >>> 16)
          .append('/')
          .append(route.realm() & 0xFFFF);
    }
    batch.append('\n');
  }

  /** {@code rule add} (or another verb) of a policy rule. */
  static void rule(StringBuilder batch, String verb, HostDescription.PolicyRule rule) {
    batch.append("rule ").append(verb).append(' ');
    if (rule.inverted()) {
      batch.append("not ");
    }
    batch.append("from ").append(Ip4.format(rule.from())).append('/').append(rule.fromLength());
    if (rule.toLength() != 0) {
      batch.append(" to ").append(Ip4.format(rule.to())).append('/').append(rule.toLength());
    }
    if (rule.markMask() != 0) {
      batch.append(String.format(" fwmark 0x%x/0x%x", rule.mark(), rule.markMask()));
    }
    if (rule.tos() != 0) {
      batch.append(String.format(" tos 0x%x", rule.tos()));
    }
    if (rule.iif() != null) {
      batch.append(" iif ").append(rule.iif());
    }
    if (rule.oif() != null) {
      batch.append(" oif ").append(rule.oif());
    }
    batch.append(" priority ").append(rule.priority());
    if (rule.action() == RouteType.UNICAST) {
      batch.append(" table ").append(rule.table());
    } else {
      batch.append(' ').append(rule.action().name().toLowerCase(Locale.ROOT));
    }
    batch.append('\n');
  }
}
