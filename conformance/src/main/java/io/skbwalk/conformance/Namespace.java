// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.host.HostDescription;
import io.skbwalk.lib.Mac;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.tables.TableKind;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A network namespace of the running kernel with its TAP interfaces and a shell in it. Making one
 * takes many times as long as a scenario, so it is emptied and used again, as long as nothing is
 * left in it that cannot be taken back.
 */
final class Namespace implements AutoCloseable {
  /** Idle ones that are kept; the oldest goes first. */
  private static final int IDLE = 16;

  /** Settings of one interface. */
  static final Pattern OF_INTERFACE =
      Pattern.compile("net\\.ipv4\\.(conf|neigh)\\.(?!all\\.|default\\.).*");

  private static final Deque<Namespace> POOL = new ArrayDeque<>();

  /** What `ip` shows must be the same in an emptied namespace as in a new one. */
  private static final String SHOW =
      "addr show\nroute show table all\nroute show cache\nrule show\n";

  /**
   * What a namespace must be made for.
   *
   * @param links names and Ethernet addresses of its TAP interfaces, in order
   * @param nat whether the nat table may be there: once it is, it stays, and binds connections
   */
  private record Kind(List<String> links, boolean nat) {
    static Kind of(Scenario scenario) {
      List<String> links = new ArrayList<>();
      for (HostDescription.Interface nic : scenario.host().interfaces()) {
        if (nic.vlanLink() == null) {
          links.add(nic.name() + " address " + Mac.format(nic.macAddress()));
        }
      }
      return new Kind(links, scenario.everyRule().lines().anyMatch("*nat"::equals));
    }
  }

  /** Something of an earlier scenario is left; somebody else must be asked. */
  static final class NotEmpty extends IOException {
    private static final long serialVersionUID = 1L;

    NotEmpty(String left) {
      super("left of another scenario:\n" + left);
    }
  }

  private record Sysctl(Path path, String value) {}

  final Shell shell;
  final Map<String, Integer> taps = new LinkedHashMap<>();

  private final Kind kind;
  private final int fd;
  private final String empty;
  private final Set<TableKind> tables = EnumSet.noneOf(TableKind.class);
  private final Deque<Sysctl> changed = new ArrayDeque<>();
  private final Ctnetlink ctnetlink;
  private HostDescription configured;
  private ConntrackEvents events;

  /** Made in the calling thread, which is in it from then on. */
  private Namespace(Kind kind, Scenario scenario) throws IOException {
    this.kind = kind;
    Libc.unshare(Libc.CLONE_NEWNET);
    fd = Libc.open("/proc/thread-self/ns/net", Libc.O_RDONLY | Libc.O_CLOEXEC);
    shell = new Shell();
    ctnetlink = new Ctnetlink();
    set("net.ipv6.conf.all.disable_ipv6", "1");
    set("net.ipv6.conf.default.disable_ipv6", "1");
    // ICMP errors are never rate-limited unless the scenario is about that.
    set("net.ipv4.icmp_ratemask", "0");
    Map<String, String> sysctls = scenario.host().sysctls();
    if (setsBefore(sysctls)) {
      for (Map.Entry<String, String> entry : sysctls.entrySet()) {
        // In their order: net.ipv4.ip_forward sets the default's forwarding, too.
        if (!OF_INTERFACE.matcher(entry.getKey()).matches()) {
          set(entry.getKey(), entry.getValue());
        }
      }
    }
    changed.clear();
    StringBuilder made = new StringBuilder("link set lo up\n");
    StringBuilder up = new StringBuilder();
    for (String link : kind.links) {
      String name = link.substring(0, link.indexOf(' '));
      made.append("tuntap add dev ").append(name).append(" mode tap\n");
      made.append("link set dev ").append(link).append('\n');
      up.append("link set dev ").append(name).append(" up\n");
    }
    ip(made);
    for (String link : kind.links) {
      String name = link.substring(0, link.indexOf(' '));
      taps.put(name, Libc.openTap(name));
    }
    ip(up);
    empty = shell.runWith(show(), "ip", "-o", "-batch", "-");
  }

  /** Are settings of no interface set before there are any, since new ones inherit some? */
  static boolean setsBefore(Map<String, String> sysctls) {
    return sysctls.keySet().stream().anyMatch(Namespace::isInherited);
  }

  /** A new interface gets it when it is made, so it must be set before. */
  private static boolean isInherited(String sysctl) {
    return sysctl.startsWith("net.ipv4.conf.default.")
        || sysctl.startsWith("net.ipv4.neigh.default.");
  }

  // ---- taking one and giving it back
  // ---------------------------------------------------------------

  /** An empty one for {@code scenario}, in which the calling thread is from then on. */
  static Namespace take(Scenario scenario) throws IOException {
    Kind kind = Kind.of(scenario);
    if (leavesNothing(scenario)) {
      synchronized (POOL) {
        for (Namespace idle : POOL) {
          if (idle.kind.equals(kind)) {
            POOL.remove(idle);
            Libc.setns(idle.fd, Libc.CLONE_NEWNET);
            return idle;
          }
        }
      }
    }
    return new Namespace(kind, scenario);
  }

  /** A new one for {@code scenario}. */
  static Namespace make(Scenario scenario) throws IOException {
    return new Namespace(Kind.of(scenario), scenario);
  }

  /** Keeps it for whoever is next, or removes it when something of {@code scenario} stays. */
  void giveBack(Scenario scenario, List<Outcome.StepOutcome> steps) throws IOException {
    if (!leavesNothing(scenario) || leftRedirects(steps) || fragmentsWait()) {
      close();
      return;
    }
    while (!changed.isEmpty()) {
      Sysctl sysctl = changed.pop();
      write(sysctl.path, sysctl.value);
    }
    Namespace oldest = null;
    synchronized (POOL) {
      POOL.addLast(this);
      if (POOL.size() > IDLE) {
        oldest = POOL.removeFirst();
      }
    }
    if (oldest != null) {
      oldest.close();
    }
  }

  /**
   * Can all that the scenario sets be taken back? Not what interfaces inherit, not objects of other
   * tools, not what counts towards the limits of ICMP errors.
   */
  private static boolean leavesNothing(Scenario scenario) {
    return scenario.named().ipsets().isBlank()
        && scenario.named().accounting().isEmpty()
        && scenario.named().timeouts().isEmpty()
        && scenario.host().netfilter().timeouts().isEmpty()
        && scenario.host().interfaces().stream().allMatch(nic -> nic.vlanLink() == null)
        && scenario.host().sysctls().keySet().stream()
            .noneMatch(
                name ->
                    isInherited(name)
                        || name.startsWith("net.ipv4.conf.lo.")
                        || name.startsWith("net.ipv4.icmp_rate"));
  }

  /** The kernel remembers for 20 seconds whom it has sent redirects. */
  private static boolean leftRedirects(List<Outcome.StepOutcome> steps) {
    return steps.stream()
        .flatMap(step -> step.sent().stream())
        .map(Outcome.Sent::frame)
        .anyMatch(frame -> frame.length > 34 && frame[23] == 1 && frame[34] == 5);
  }

  /** Do fragments of a packet wait for the others? */
  private static boolean fragmentsWait() throws IOException {
    return read(Path.of("/proc/thread-self/net/sockstat"))
        .lines()
        .anyMatch(line -> line.startsWith("FRAG:") && !line.startsWith("FRAG: inuse 0 "));
  }

  // ---- what a scenario sets
  // ------------------------------------------------------------------------

  /** Runs lines of `ip`. */
  void ip(CharSequence batch) throws IOException {
    if (batch.length() > 0) {
      shell.runWith(batch.toString(), "ip", "-batch", "-");
    }
  }

  /** Sets a sysctl. */
  void set(String name, String value) throws IOException {
    String path = name.replace('.', '/');
    // An interface's name may have dots of its own: net.ipv4.conf.eth0.5.rp_filter.
    for (String prefix : new String[] {"net.ipv4.conf.", "net.ipv4.neigh."}) {
      if (name.startsWith(prefix)) {
        int last = name.lastIndexOf('.');
        path =
            prefix.replace('.', '/')
                + name.substring(prefix.length(), last)
                + "/"
                + name.substring(last + 1);
      }
    }
    // The thread's own namespace: sysctls resolve against the caller.
    Path file = Path.of("/proc/sys", path);
    changed.push(new Sysctl(file, read(file)));
    write(file, value);
  }

  /** The kernel gives a sysctl to the first read only, as far as that asks. */
  private static String read(Path sysctl) throws IOException {
    try (InputStream input = Files.newInputStream(sysctl)) {
      return new String(input.readNBytes(4096), StandardCharsets.US_ASCII);
    }
  }

  private static void write(Path sysctl, String value) throws IOException {
    try {
      Files.writeString(sysctl, value);
    } catch (IOException e) {
      throw new IOException(sysctl + " = " + value.strip() + ": " + e.getMessage(), e);
    }
  }

  /** Those of lo, which all have the same link-layer address, may stay. */
  private String show() {
    StringBuilder batch = new StringBuilder(SHOW);
    for (String device : taps.keySet()) {
      batch.append("neigh show dev ").append(device).append(" nud all\n");
    }
    return batch.toString();
  }

  /**
   * Makes it the machine {@code host}, after what it was before is taken back.
   *
   * @throws NotEmpty when something is left of that
   */
  void configure(HostDescription host) throws IOException {
    StringBuilder batch = new StringBuilder();
    if (configured != null) {
      configured.routes().forEach(route -> IpBatch.route(batch, "del", route));
      configured.policyRules().forEach(rule -> IpBatch.rule(batch, "del", rule));
      for (String device : taps.keySet()) {
        batch.append("addr flush dev ").append(device).append('\n');
        batch.append("link set dev ").append(device).append(" group default\n");
        batch.append("neigh flush dev ").append(device).append(" nud all\n");
      }
      batch.append(show());
    }
    batch.append(IpBatch.of(host));
    String left;
    try {
      left = shell.runWith(batch.toString(), "ip", "-o", "-batch", "-");
    } catch (IOException e) {
      // A route that is gone cannot be deleted; whether it is the new machine's, a new one tells.
      throw configured == null ? e : new NotEmpty(e.getMessage());
    }
    if (configured != null && !left.equals(empty)) {
      throw new NotEmpty(left);
    }
    configured = host;
  }

  /** Loads rules into tables that are empty and without state, as are all others. */
  void load(String rules) throws IOException {
    StringBuilder text = new StringBuilder();
    // Not in one step with the new rules: what recent or hashlimit know would stay.
    for (TableKind table : tables) {
      text.append('*').append(table).append('\n');
      for (Hook hook : table.hooks) {
        text.append(':').append(hook.chain).append(" ACCEPT [0:0]\n");
      }
      text.append("COMMIT\n");
    }
    remember(rules);
    if (text.length() > 0 || !rules.isBlank()) {
      shell.runWith(text + rules, "iptables-legacy-restore");
    }
    if (connections() > 0) {
      ctnetlink.flush();
    }
  }

  /** Loads rules that take the place of those in their tables; connections stay. */
  void replace(String rules) throws IOException {
    remember(rules);
    shell.runWith(rules, "iptables-legacy-restore");
  }

  private void remember(String rules) {
    for (TableKind table : TableKind.values()) {
      if (rules.lines().anyMatch(line -> line.equals("*" + table))) {
        tables.add(table);
      }
    }
  }

  /** Entries in the connection table. */
  int connections() throws IOException {
    return Integer.parseInt(read(Path.of("/proc/sys/net/netfilter/nf_conntrack_count")).strip());
  }

  /** Who hears of connections, from now on. */
  ConntrackEvents events() throws IOException {
    if (events == null) {
      events = new ConntrackEvents(ctnetlink);
    }
    return events;
  }

  @Override
  public void close() throws IOException {
    if (events != null) {
      events.close();
    }
    shell.close();
    ctnetlink.close();
    for (int tap : taps.values()) {
      Libc.close(tap);
    }
    Libc.close(fd);
  }
}
