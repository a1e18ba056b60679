// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.host;

import io.skbwalk.netfilter.SocketOwner;
import io.skbwalk.netfilter.ipset.IpsetRestore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A machine as its YAML file describes it (docs: config/host.schema.json), immutable. Everything
 * here is validated by whoever makes it; addresses are {@link io.skbwalk.lib.Ip4} ints, Ethernet
 * addresses {@link io.skbwalk.lib.Mac} longs.
 *
 * @param hostname its name
 * @param interfaces in order; ifindex 2 is the first (1 is lo, which every machine has)
 * @param routes those of all interfaces and those without one, in order
 * @param policyRules `ip rule`s besides the kernel's own three
 * @param neighbours known link-layer addresses
 * @param assumeNeighbours every neighbour answers at once with a made-up address
 * @param sysctls by kernel name, such as net.ipv4.ip_forward, to its value as text
 * @param sockets what listens
 * @param netfilter what rules name and other tools make
 */
public record HostDescription(
    String hostname,
    List<Interface> interfaces,
    List<Route> routes,
    List<PolicyRule> policyRules,
    List<Neighbour> neighbours,
    boolean assumeNeighbours,
    Map<String, String> sysctls,
    List<Socket> sockets,
    Netfilter netfilter) {

  /** A machine whose rules name nothing that other tools make. */
  public HostDescription(
      String hostname,
      List<Interface> interfaces,
      List<Route> routes,
      List<PolicyRule> policyRules,
      List<Neighbour> neighbours,
      boolean assumeNeighbours,
      Map<String, String> sysctls,
      List<Socket> sockets) {
    this(
        hostname,
        interfaces,
        routes,
        policyRules,
        neighbours,
        assumeNeighbours,
        sysctls,
        sockets,
        Netfilter.NONE);
  }

  /** The same machine, whose sets are filled by {@code more} after its own. */
  public HostDescription withIpsets(List<IpsetRestore> more) {
    List<IpsetRestore> all = new ArrayList<>(netfilter.ipsets);
    all.addAll(more);
    return with(netfilter.withIpsets(all));
  }

  /** The same machine, where other things are there for rules to name. */
  public HostDescription with(Netfilter others) {
    return new HostDescription(
        hostname,
        interfaces,
        routes,
        policyRules,
        neighbours,
        assumeNeighbours,
        sysctls,
        sockets,
        others);
  }

  /** The same machine with other settings. */
  public HostDescription withSysctls(Map<String, String> others) {
    return new HostDescription(
        hostname,
        interfaces,
        routes,
        policyRules,
        neighbours,
        assumeNeighbours,
        others,
        sockets,
        netfilter);
  }

  /** Copies the collections. */
  public HostDescription {
    interfaces = List.copyOf(interfaces);
    routes = List.copyOf(routes);
    policyRules = List.copyOf(policyRules);
    neighbours = List.copyOf(neighbours);
    sysctls = java.util.Collections.unmodifiableMap(new java.util.LinkedHashMap<>(sysctls));
    sockets = List.copyOf(sockets);
  }

  /**
   * An interface.
   *
   * @param mtu 68 to 65535 bytes
   * @param ringSize receive slots of the NIC, at least 1
   * @param vlanLink name of the interface that this VLAN interface lies on, or null
   * @param vlanId 0 to 4094, with vlanLink
   * @param group of `ip link set group`, 32 bits without a sign; 0 by default
   */
  public record Interface(
      String name,
      long macAddress,
      List<Address> addresses,
      int mtu,
      boolean promiscuous,
      int ringSize,
      String vlanLink,
      int vlanId,
      int group) {
    /** Copies the list. */
    public Interface {
      addresses = List.copyOf(addresses);
    }

    /** One in the default group. */
    public Interface(
        String name,
        long macAddress,
        List<Address> addresses,
        int mtu,
        boolean promiscuous,
        int ringSize,
        String vlanLink,
        int vlanId) {
      this(name, macAddress, addresses, mtu, promiscuous, ringSize, vlanLink, vlanId, 0);
    }
  }

  /** An interface address; the first of a prefix is primary, later ones secondary. */
  public record Address(int address, int prefixLength) {}

  /** Route types that are not decided by the route's gateway and device. */
  public enum RouteType {
    /** To a gateway or directly. */
    UNICAST,
    /** ICMP host unreachable. */
    UNREACHABLE,
    /** ICMP communication administratively prohibited. */
    PROHIBIT,
    /** Dropped silently. */
    BLACKHOLE,
    /** Go on with the next policy rule. */
    THROW,
    /** Deliver locally. */
    LOCAL
  }

  /**
   * A route.
   *
   * @param destination network address; 0 with prefixLength 0 for default
   * @param gateway 0 for none
   * @param device interface name; null when the gateway decides or the type needs none
   * @param table 254 is main
   * @param metric priority; smaller wins
   * @param source preferred source address; 0 for none
   * @param mtu 0 for the interface's
   * @param onLink gateway is reachable although no route says so
   * @param realm that it leads to, in the upper 16 bits that it comes from; 0 for none
   */
  public record Route(
      int destination,
      int prefixLength,
      RouteType type,
      int gateway,
      String device,
      int table,
      int metric,
      int source,
      int mtu,
      boolean onLink,
      int realm) {
    /** A route without a realm. */
    public Route(
        int destination,
        int prefixLength,
        RouteType type,
        int gateway,
        String device,
        int table,
        int metric,
        int source,
        int mtu,
        boolean onLink) {
      this(destination, prefixLength, type, gateway, device, table, metric, source, mtu, onLink, 0);
    }
  }

  /**
   * A policy rule (`ip rule`).
   *
   * @param priority 0 to 32767; smaller first
   * @param from network, with fromLength 0 for all
   * @param mark compared under markMask; a mask of 0 compares nothing
   * @param tos 0 for all
   * @param iif incoming interface name or null
   * @param oif outgoing interface name or null
   * @param action UNICAST looks table up; UNREACHABLE, PROHIBIT and BLACKHOLE end the lookup
   * @param inverted `not`: everything that the selectors do not match
   */
  public record PolicyRule(
      int priority,
      int from,
      int fromLength,
      int to,
      int toLength,
      int mark,
      int markMask,
      int tos,
      String iif,
      String oif,
      int table,
      RouteType action,
      boolean inverted) {}

  /** A permanent neighbour entry. */
  public record Neighbour(int address, long macAddress, String device) {}

  /** What kind of socket listens. */
  public enum SocketKind {
    /** A listening TCP socket. */
    TCP,
    /** A bound UDP socket. */
    UDP,
    /** A raw IPv4 socket of one protocol; 255, IPPROTO_RAW, gets packets of protocol 255. */
    RAW,
    /** A packet socket: sees frames as the interface did. */
    PACKET
  }

  /**
   * A socket.
   *
   * @param address local address, 0 for any
   * @param port 1 to 65535 for TCP and UDP, otherwise 0
   * @param protocol IP protocol number for RAW, EtherType (3 for all) for PACKET, otherwise 0
   * @param device bound to this interface (SO_BINDTODEVICE), or null
   * @param receiveBuffer bytes of queued packets before SOCKET_RCVBUFF drops; 0 for no limit
   * @param transparent IP_TRANSPARENT: TPROXY may hand it packets for others
   * @param mark SO_MARK: what the match socket can give to packets for it
   * @param owner whose program has opened it, and sends from its port
   */
  public record Socket(
      SocketKind kind,
      int address,
      int port,
      int protocol,
      String device,
      long receiveBuffer,
      boolean transparent,
      int mark,
      SocketOwner owner) {
    /** A socket of root's without options. */
    public Socket(
        SocketKind kind, int address, int port, int protocol, String device, long receiveBuffer) {
      this(kind, address, port, protocol, device, receiveBuffer, false, 0, SocketOwner.ROOT);
    }
  }

  /**
   * What rules name and other tools make before them.
   *
   * @param timeouts policies that CT --timeout gives to connections
   * @param labels names of connection labels by their number, 0 to 127
   * @param ipsets what fills the sets of ipset, in order
   * @param queues programs that listen on queues of NFQUEUE
   * @param securityContexts what the SELinux policy knows; empty without SELinux
   * @param accounting objects of nfacct; null when nobody has said which there are, so that every
   *     one is
   * @param fingerprints what the match osf knows of operating systems, as lines of pf.os
   */
  public record Netfilter(
      List<ConntrackTimeout> timeouts,
      Map<Integer, String> labels,
      List<IpsetRestore> ipsets,
      List<Queue> queues,
      List<String> securityContexts,
      List<Accounting> accounting,
      List<Fingerprint> fingerprints) {
    /** Nothing. */
    public static final Netfilter NONE =
        new Netfilter(List.of(), Map.of(), List.of(), List.of(), List.of(), List.of(), List.of());

    /** Of a machine that nobody has described: what the rules name is there where it can be. */
    public static final Netfilter ASSUMED = NONE.withAccounting(null);

    /** Copies the collections. */
    public Netfilter {
      timeouts = List.copyOf(timeouts);
      ipsets = List.copyOf(ipsets);
      fingerprints = List.copyOf(fingerprints);
      accounting = accounting == null ? null : List.copyOf(accounting);
      labels = java.util.Collections.unmodifiableMap(new java.util.TreeMap<>(labels));
      queues = List.copyOf(queues);
      securityContexts = List.copyOf(securityContexts);
    }

    /** The same with other policies. */
    public Netfilter withTimeouts(List<ConntrackTimeout> others) {
      return new Netfilter(
          others, labels, ipsets, queues, securityContexts, accounting, fingerprints);
    }

    /** The same with other programs on queues. */
    public Netfilter withQueues(List<Queue> others) {
      return new Netfilter(
          timeouts, labels, ipsets, others, securityContexts, accounting, fingerprints);
    }

    /** The same with other sets. */
    public Netfilter withIpsets(List<IpsetRestore> others) {
      return new Netfilter(
          timeouts, labels, others, queues, securityContexts, accounting, fingerprints);
    }

    /** The same with other objects of nfacct. */
    public Netfilter withAccounting(List<Accounting> others) {
      return new Netfilter(
          timeouts, labels, ipsets, queues, securityContexts, others, fingerprints);
    }
  }

  /**
   * An accounting object.
   *
   * @param words as {@code nfacct add} takes them
   */
  public record Accounting(String words) {}

  /**
   * How an operating system's SYN looks.
   *
   * @param line as in pf.os: window, TTL, DF, size, options, genre, version, subtype and details
   */
  public record Fingerprint(String line) {}

  /**
   * A policy of {@code nfct add timeout}.
   *
   * @param words what stands behind that: {@code NAME inet tcp established 100 close 10}
   */
  public record ConntrackTimeout(String words) {}

  /**
   * A program that listens on a queue of NFQUEUE and says the same of every packet.
   *
   * @param number 0 to 65535
   * @param verdict a constant of {@link io.skbwalk.netfilter.Verdict}: ACCEPT, DROP, REPEAT, STOP
   *     or QUEUE
   * @param to with QUEUE the number of the other queue
   * @param mark what it makes the packet's mark, or null
   */
  public record Queue(int number, int verdict, int to, Integer mark) {}
}
