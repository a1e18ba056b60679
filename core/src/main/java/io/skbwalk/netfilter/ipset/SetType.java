// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.ipset;

import java.util.ArrayList;
import java.util.List;

/** Plays struct ip_set_type: a kind of set, what its elements consist of, how it is created. */
public enum SetType {
  /** A bit for each address or network of a range. */
  BITMAP_IP("bitmap:ip", "ipmap", Part.IP),
  /** A bit and an Ethernet address for each address of a range. */
  BITMAP_IPMAC("bitmap:ip,mac", "macipmap", Part.IP, Part.MAC),
  /** A bit for each port of a range. */
  BITMAP_PORT("bitmap:port", "portmap", Part.PORT),
  /** Addresses. */
  HASH_IP("hash:ip", "iphash", Part.IP),
  /** Ethernet addresses. */
  HASH_MAC("hash:mac", "machash", Part.MAC),
  /** Addresses with Ethernet addresses. */
  HASH_IPMAC("hash:ip,mac", "ipmachash", Part.IP, Part.MAC),
  /** Networks. */
  HASH_NET("hash:net", "nethash", Part.NET),
  /** Pairs of networks. */
  HASH_NETNET("hash:net,net", "netnethash", Part.NET, Part.NET),
  /** Addresses with protocol and port. */
  HASH_IPPORT("hash:ip,port", "ipporthash", Part.IP, Part.PORT),
  /** Networks with protocol and port. */
  HASH_NETPORT("hash:net,port", "netporthash", Part.NET, Part.PORT),
  /** Address, protocol and port, address. */
  HASH_IPPORTIP("hash:ip,port,ip", "ipportiphash", Part.IP, Part.PORT, Part.IP),
  /** Address, protocol and port, network. */
  HASH_IPPORTNET("hash:ip,port,net", "ipportnethash", Part.IP, Part.PORT, Part.NET),
  /** Network, protocol and port, network. */
  HASH_NETPORTNET("hash:net,port,net", "netportnethash", Part.NET, Part.PORT, Part.NET),
  /** Addresses with packet marks. */
  HASH_IPMARK("hash:ip,mark", "ipmarkhash", Part.IP, Part.MARK),
  /** Networks with interfaces. */
  HASH_NETIFACE("hash:net,iface", "netifacehash", Part.NET, Part.IFACE),
  /** Other sets, in order. */
  LIST_SET("list:set", "setlist", Part.NAME);

  /** One dimension of an element. */
  public enum Part {
    /** An address. */
    IP,
    /** An address with a prefix length. */
    NET,
    /** A protocol and a port, or an ICMP type and code. */
    PORT,
    /** An Ethernet address. */
    MAC,
    /** A packet mark. */
    MARK,
    /** An interface. */
    IFACE,
    /** Another set. */
    NAME
  }

  /** Its name, such as {@code hash:ip,port}. */
  public final String label;

  /** The name that it had before ipset 5. */
  public final String alias;

  /** What an element consists of. */
  public final List<Part> parts;

  /** The options of {@code create}, in the order in which {@code ipset save} prints them. */
  public final List<String> createOptions;

  /** The options of {@code add}, in the order in which {@code ipset save} prints them. */
  public final List<String> addOptions;

  SetType(String label, String alias, Part... parts) {
    this.label = label;
    this.alias = alias;
    this.parts = List.of(parts);
    createOptions = List.copyOf(optionsOfCreate());
    addOptions = List.copyOf(optionsOfAdd());
  }

  private List<String> optionsOfCreate() {
    List<String> options = new ArrayList<>();
    if (isHash()) {
      if (!label.equals("hash:mac")) {
        options.add("family");
      }
      if (label.equals("hash:ip,mark")) {
        options.add("markmask");
      }
      options.addAll(List.of("hashsize", "maxelem"));
      if (label.equals("hash:ip")) {
        options.addAll(List.of("netmask", "bitmask"));
      }
    } else if (label.startsWith("list:")) {
      options.add("size");
    } else {
      options.add("range");
      if (label.equals("bitmap:ip")) {
        options.add("netmask");
      }
    }
    options.addAll(List.of("timeout", "counters", "comment"));
    if (isHash()) {
      options.addAll(List.of("forceadd", "skbinfo", "bucketsize", "initval"));
    } else {
      options.add("skbinfo");
    }
    if (label.equals("hash:ip,port")) {
      options.addAll(List.of("netmask", "bitmask"));
    } else if (label.equals("hash:net,net")) {
      options.addAll(List.of("bitmask", "netmask"));
    }
    return options;
  }

  private List<String> optionsOfAdd() {
    List<String> options = new ArrayList<>(List.of("timeout"));
    if (takesNomatch()) {
      options.add("nomatch");
    }
    if (parts.contains(Part.IFACE)) {
      options.add("wildcard");
    }
    if (parts.contains(Part.NAME)) {
      options.addAll(List.of("before", "after"));
    }
    options.addAll(List.of("packets", "bytes", "comment", "skbmark", "skbprio", "skbqueue"));
    return options;
  }

  /** The type of that name, or null. */
  public static SetType of(String name) {
    for (SetType type : values()) {
      if (type.label.equals(name) || type.alias.equals(name)) {
        return type;
      }
    }
    return null;
  }

  /** How many directions a rule must give, at least. */
  public int dimension() {
    return parts.size();
  }

  /** Is it a hash? */
  public boolean isHash() {
    return label.startsWith("hash:");
  }

  /** May it hold IPv6 addresses, and does {@code create} take {@code family}? */
  public boolean hasFamily() {
    return createOptions.contains("family");
  }

  /** May an element be an exception from wider ones (IPSET_TYPE_NOMATCH)? */
  public boolean takesNomatch() {
    return parts.contains(Part.NET);
  }

  @Override
  public String toString() {
    return label;
  }
}
