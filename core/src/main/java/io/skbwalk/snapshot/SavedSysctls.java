// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.snapshot;

import io.skbwalk.host.Host;
import io.skbwalk.host.HostDescription;
import io.skbwalk.kernel.Sysctls;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** Settings that differ from those of a machine without any, as {@code sysctl -a} prints them. */
final class SavedSysctls {
  private static final String FORWARD = "net.ipv4.ip_forward";

  /** Setting one may set others, such as those of each interface. */
  private static final int ROUNDS = 3;

  private final TreeMap<String, String> saved = new TreeMap<>();
  private final Map<String, String> settings = new LinkedHashMap<>();
  private final HostDescription host;
  private final List<Omission> omissions;

  SavedSysctls(String text, HostDescription host, List<Omission> omissions) {
    this.host = host;
    this.omissions = omissions;
    for (String line : text.lines().toList()) {
      int equals = line.indexOf('=');
      String name = equals < 0 ? "" : line.substring(0, equals).strip();
      if (name.startsWith("net.ipv4.") || name.startsWith("net.netfilter.")) {
        saved.put(name, line.substring(equals + 1).strip());
      }
    }
    unknown();
    // It sets the forwarding of each interface, whose own may be set after it.
    differing(name -> name.equals(FORWARD));
    differing(name -> name.contains(".default."));
    for (int round = 0; round < ROUNDS; round++) {
      differing(name -> true);
    }
  }

  /** In the order in which they are to be set. */
  Map<String, String> settings() {
    return settings;
  }

  private Sysctls machine() {
    return new Host(host.withSysctls(settings), null, 0, 1).sysctls();
  }

  /** Those that the model does not know are many; they are named once for all interfaces. */
  private void unknown() {
    Sysctls machine = machine();
    TreeSet<String> unknown = new TreeSet<>();
    for (String name : List.copyOf(saved.keySet())) {
      if (!machine.names().contains(name)) {
        saved.remove(name);
        unknown.add(family(name));
      }
    }
    for (String known : machine.names()) {
      if (known.matches("net\\.ipv4\\.(conf|neigh)\\..*")) {
        unknown.remove(family(known)); // Of an interface that was left out.
      }
    }
    if (!unknown.isEmpty()) {
      omissions.add(
          new Omission(
              "sysctls that are not modelled",
              "whatever they are set to makes no difference here",
              List.copyOf(unknown)));
    }
  }

  /** The settings of an interface without its name; of others that are many what they share. */
  private static String family(String name) {
    return name.replaceFirst("^(net\\.ipv4\\.(?:conf|neigh))\\..*\\.", "$1.*.")
        .replaceFirst("^(net\\.ipv4\\.(?:tcp|udp|igmp|fib_multipath)_).*", "$1*")
        .replaceFirst("^(net\\.netfilter\\.nf_log\\.).*", "$1*");
  }

  private void differing(java.util.function.Predicate<String> asked) {
    Sysctls machine = machine();
    for (Map.Entry<String, String> entry : saved.entrySet()) {
      String name = entry.getKey();
      String value = entry.getValue();
      if (!asked.test(name)
          || settings.containsKey(name)
          || value.equals(Long.toString(machine.get(name)))) {
        continue;
      }
      try {
        machine.set(name, value);
        settings.put(name, value);
      } catch (IllegalArgumentException e) {
        omissions.add(new Omission("sysctl " + name + " = " + value, e.getMessage()));
        entry.setValue(Long.toString(machine.get(name)));
      }
    }
  }
}
