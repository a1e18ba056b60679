// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** Draws sets of ipset, in the words of {@code ipset save}, for rules to name. */
final class RandomSets extends Draws {
  /** Who talks in random scenarios, alone and in networks of all lengths. */
  private static final String[] ADDRESSES = {
    "192.168.7.2", "192.168.7.3", "203.0.113.9", "203.0.113.1", "198.51.100.9", "198.51.100.77",
  };

  private static final String[] NETWORKS = {
    "192.168.7.0/24",
    "192.168.7.2/31",
    "203.0.113.9",
    "198.51.100.0/25",
    "198.51.100.9",
    "10.0.0.0/8",
  };

  private static final String[] PORTS = {
    "tcp:22", "tcp:80", "udp:53", "udp:5000", "icmp:echo-request", "sctp:80", "gre:0", "tcp:8080",
  };

  /**
   * A type that this kernel has.
   *
   * @param directions how many {@code src} and {@code dst} a rule gives
   * @param options what {@code ipset create} must be told
   * @param parts what an element is made of: {@code a}ddress, {@code n}etwork, {@code p}ort, {@code
   *     i}nterface
   */
  private record Type(String name, int directions, String options, String parts) {
    boolean isHash() {
      return name.startsWith("hash:");
    }
  }

  private static final List<Type> TYPES =
      List.of(
          new Type("hash:ip", 1, "", "a"),
          new Type("hash:ip", 1, " netmask 24", "a"),
          new Type("hash:net", 1, "", "n"),
          new Type("hash:ip,port", 2, "", "ap"),
          new Type("hash:net,port", 2, "", "np"),
          new Type("hash:ip,port,ip", 3, "", "apa"),
          new Type("hash:ip,port,net", 3, "", "apn"),
          new Type("hash:net,iface", 2, "", "ni"),
          new Type("bitmap:ip", 1, " range 192.168.7.0/24", "a"),
          new Type("bitmap:ip,mac", 2, " range 192.168.7.0/24", "a"),
          new Type("bitmap:port", 1, " range 0-1023", "p"));

  /** A set that there is. */
  private record Made(String name, int directions) {}

  private final List<Made> made = new ArrayList<>();
  private final StringBuilder text = new StringBuilder();

  RandomSets(Random random) {
    super(random);
    int count = 1 + random.nextInt(4);
    for (int i = 0; i < count; i++) {
      make("s" + i);
    }
    if (oneIn(3)) {
      list("all");
    }
  }

  /** What {@code ipset restore} makes them from. */
  String text() {
    return text.toString();
  }

  /** Is there a set whose elements have Ethernet addresses? */
  boolean haveEthernetAddresses() {
    return text.indexOf("mac ") >= 0;
  }

  /** A set's name and the directions in which a rule looks for a packet in it. */
  String withDirections() {
    Made set = made.get(random.nextInt(made.size()));
    int directions = oneIn(12) ? 1 + random.nextInt(3) : set.directions;
    StringBuilder words = new StringBuilder(set.name);
    for (int i = 0; i < directions; i++) {
      words.append(i == 0 ? " " : ",").append(pick("src", "dst"));
    }
    return words.toString();
  }

  private void make(String name) {
    Type type = TYPES.get(random.nextInt(TYPES.size()));
    boolean times = oneIn(3);
    boolean counts = oneIn(2);
    boolean marks = oneIn(3);
    boolean comments = oneIn(6);
    text.append("create ").append(name).append(' ').append(type.name).append(type.options);
    if (type.isHash()) {
      text.append(" initval 1").append(oneIn(6) ? " hashsize 64 maxelem 4" : "");
    }
    text.append(times ? " timeout 1000" : "").append(counts ? " counters" : "");
    text.append(comments ? " comment" : "").append(marks ? " skbinfo" : "").append('\n');
    for (String element : elements(type)) {
      text.append("add ").append(name).append(' ').append(element);
      if (type.parts.contains("n") && oneIn(4)) {
        text.append(" nomatch");
      }
      text.append(times && oneIn(2) ? pick(" timeout 0", " timeout 500") : "");
      text.append(counts && oneIn(2) ? " packets 1 bytes 60" : "");
      text.append(comments && oneIn(2) ? " comment \"seen before\"" : "");
      text.append(marks && oneIn(2) ? pick(" skbmark 0x1", " skbmark 0x10/0xf0") : "");
      text.append(marks && oneIn(2) ? " skbprio 1:2" : "").append('\n');
    }
    made.add(new Made(name, type.directions));
  }

  /** Up to four, none twice. */
  private List<String> elements(Type type) {
    List<String> elements = new ArrayList<>();
    List<String> firsts = new ArrayList<>(Arrays.asList(first(type)));
    Collections.shuffle(firsts, random);
    for (String first : firsts.subList(0, random.nextInt(Math.min(firsts.size(), 4) + 1))) {
      StringBuilder element = new StringBuilder(first);
      for (int i = 1; i < type.parts.length(); i++) {
        element.append(',');
        element.append(
            switch (type.parts.charAt(i)) {
              case 'p' -> pick(PORTS);
              case 'n' -> pick(NETWORKS);
              case 'i' -> pick("eth0", "eth1");
              default -> pick(ADDRESSES);
            });
      }
      elements.add(element.toString());
    }
    return elements;
  }

  private static String[] first(Type type) {
    if (type.name.equals("bitmap:port")) {
      return new String[] {"22", "53", "80", "443"};
    }
    if (type.options.contains("range")) {
      return new String[] {"192.168.7.2", "192.168.7.3", "192.168.7.80"};
    }
    if (type.options.contains("netmask")) {
      return new String[] {"192.168.7.0", "203.0.113.0", "198.51.100.0"};
    }
    return type.parts.startsWith("n") ? NETWORKS : ADDRESSES;
  }

  /** A list of those that there are. */
  private void list(String name) {
    text.append("create ").append(name).append(" list:set");
    text.append(oneIn(2) ? " counters" : "").append('\n');
    for (Made member : made) {
      text.append("add ").append(name).append(' ').append(member.name).append('\n');
    }
    made.add(new Made(name, made.stream().mapToInt(Made::directions).max().orElseThrow()));
  }
}
