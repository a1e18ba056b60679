// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import com.sun.jna.LastErrorException;
import com.sun.jna.Memory;
import io.skbwalk.conformance.Outcome.Sent;
import io.skbwalk.conformance.Outcome.StepOutcome;
import io.skbwalk.host.HostDescription;
import io.skbwalk.host.HostDescription.RouteType;
import io.skbwalk.language.IptablesSaveParser;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.Mac;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Future;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * A machine of the running kernel: a network namespace of a thread of its own, with a TAP interface
 * for each that the description has. When the write of a frame to a TAP returns, the kernel is done
 * with it.
 */
final class KernelMachine implements AutoCloseable {
  /** The tools that must be installed. */
  private static final String[] TOOLS = {
    "ip", "iptables-legacy-restore", "iptables-legacy-save", "conntrack", "ipset", "nfct", "nfacct"
  };

  /** EACCES, EINVAL (a blackhole), ENETUNREACH, EHOSTUNREACH. */
  private static final List<Integer> NO_ROUTE = List.of(13, 22, 101, 113);

  /** Threads stay: each keeps its trace of drops, and gets a new namespace for each scenario. */
  private static final ThreadPoolExecutor THREADS =
      new ThreadPoolExecutor(
          0,
          Integer.MAX_VALUE,
          Long.MAX_VALUE,
          TimeUnit.NANOSECONDS,
          new SynchronousQueue<>(),
          work -> {
            Thread thread = new Thread(work, "namespace");
            thread.setDaemon(true);
            return thread;
          });

  private final Map<String, Integer> taps = new LinkedHashMap<>();
  private final List<ListeningSocket> sockets = new ArrayList<>();
  private final byte[] scratch = new byte[66_000];
  private DropTrace drops;
  private ConntrackEvents events;
  private KernelLog log;
  private int rawSocket = -1;

  private record ListeningSocket(HostDescription.Socket description, int fd) {}

  private KernelMachine() {}

  /** Why the kernel cannot be asked on this machine; null when it can. */
  static String unavailable() {
    if (!System.getProperty("os.name").equals("Linux")) {
      return "this is not Linux";
    }
    for (String tool : TOOLS) {
      if (!Commands.exists(tool)) {
        return "the command " + tool + " is missing (bin/verify installs it when run as root)";
      }
    }
    if (!Files.isWritable(Path.of("/dev/net/tun"))) {
      return "/dev/net/tun cannot be opened (not root, or no TUN driver)";
    }
    try {
      DropTrace.mount();
      KernelLog.ofAllNamespaces();
      return onThreadOfItsOwn(
          () -> {
            Libc.unshare(Libc.CLONE_NEWNET);
            DropTrace.ofThisThread();
            return null;
          });
    } catch (IOException | RuntimeException e) {
      return "no network namespace, tracefs or log of all namespaces (not root?): "
          + e.getMessage();
    }
  }

  /** Runs {@code scenario} in a new namespace. */
  static Outcome run(Scenario scenario) throws IOException {
    return onThreadOfItsOwn(
        () -> {
          Libc.unshare(Libc.CLONE_NEWNET);
          try (KernelMachine machine = new KernelMachine()) {
            machine.setUp(scenario);
            return machine.outcome(scenario, machine.steps(scenario));
          }
        });
  }

  /**
   * {@code rules} as iptables-save prints them, without counters and comments, when they have been
   * loaded into a new namespace.
   *
   * @throws IOException when iptables or the kernel refuses them
   */
  static String saved(Scenario.NamedObjects named, String rules) throws IOException {
    return onThreadOfItsOwn(
        () -> {
          Libc.unshare(Libc.CLONE_NEWNET);
          named(named);
          Commands.runWith(rules, "iptables-legacy-restore");
          return String.join("\n", inOurOrder(Commands.run("iptables-legacy-save"))) + "\n";
        });
  }

  /**
   * What {@code ipset save} prints when {@code ipset restore} has read {@code text} in a new
   * namespace.
   *
   * @throws IOException when ipset or the kernel refuses it
   */
  static String savedSets(String text) throws IOException {
    return onThreadOfItsOwn(
        () -> {
          Libc.unshare(Libc.CLONE_NEWNET);
          Commands.runWith(text, "ipset", "restore");
          return Commands.run("ipset", "save");
        });
  }

  private static <T> T onThreadOfItsOwn(Callable<T> work) throws IOException {
    Future<T> task = THREADS.submit(work);
    try {
      return task.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } catch (java.util.concurrent.ExecutionException e) {
      if (e.getCause() instanceof IOException io) {
        throw io;
      }
      throw new IOException(e.getCause());
    }
  }

  // ---- setting it up
  // ------------------------------------------------------------------------------

  private void setUp(Scenario scenario) throws IOException {
    HostDescription host = scenario.host();
    sysctl("net.ipv6.conf.all.disable_ipv6", "1");
    sysctl("net.ipv6.conf.default.disable_ipv6", "1");
    // ICMP errors are never rate-limited unless the scenario is about that.
    sysctl("net.ipv4.icmp_ratemask", "0");
    for (Map.Entry<String, String> entry : host.sysctls().entrySet()) {
      if (!namesInterface(entry.getKey(), host)) {
        sysctl(entry.getKey(), entry.getValue());
      }
    }
    StringBuilder batch = new StringBuilder("link set lo up\n");
    for (HostDescription.Interface nic : host.interfaces()) {
      if (nic.vlanLink() == null) {
        batch.append("tuntap add dev ").append(nic.name()).append(" mode tap\n");
        batch
            .append("link set dev ")
            .append(nic.name())
            .append(" address ")
            .append(Mac.format(nic.macAddress()))
            .append(" mtu ")
            .append(nic.mtu())
            .append('\n');
      }
    }
    ip(batch);
    batch.setLength(0);
    for (HostDescription.Interface nic : host.interfaces()) {
      if (nic.vlanLink() == null) {
        taps.put(nic.name(), Libc.openTap(nic.name()));
      } else {
        batch
            .append("link add link ")
            .append(nic.vlanLink())
            .append(" name ")
            .append(nic.name())
            .append(" address ")
            .append(Mac.format(nic.macAddress()))
            .append(" mtu ")
            .append(nic.mtu())
            .append(" type vlan id ")
            .append(nic.vlanId())
            .append('\n');
      }
    }
    ip(batch);
    batch.setLength(0);
    for (Map.Entry<String, String> entry : host.sysctls().entrySet()) {
      if (namesInterface(entry.getKey(), host)) {
        sysctl(entry.getKey(), entry.getValue());
      }
    }
    for (HostDescription.Interface nic : host.interfaces()) {
      for (HostDescription.Address address : nic.addresses()) {
        batch.append("addr add ").append(Ip4.format(address.address())).append('/');
        batch.append(address.prefixLength()).append(" dev ").append(nic.name()).append('\n');
      }
      batch.append("link set dev ").append(nic.name()).append(" up\n");
    }
    for (HostDescription.Neighbour neighbour : host.neighbours()) {
      batch.append("neigh add ").append(Ip4.format(neighbour.address())).append(" lladdr ");
      batch.append(Mac.format(neighbour.macAddress())).append(" dev ").append(neighbour.device());
      batch.append(" nud permanent\n");
    }
    for (HostDescription.Route route : host.routes()) {
      route(batch, route);
    }
    for (HostDescription.PolicyRule rule : host.policyRules()) {
      policyRule(batch, rule);
    }
    ip(batch);
    named(scenario.named());
    for (HostDescription.ConntrackTimeout timeout : host.netfilter().timeouts()) {
      Commands.run(("nfct add timeout " + timeout.words()).split("\\s+"));
    }
    if (!scenario.rules().isBlank()) {
      Commands.runWith(scenario.rules(), "iptables-legacy-restore");
    }
    for (HostDescription.Socket socket : host.sockets()) {
      sockets.add(new ListeningSocket(socket, listen(socket)));
    }
    if (scenario.steps().stream().anyMatch(step -> step.device() == null)) {
      rawSocket =
          Libc.socket(Libc.AF_INET, Libc.SOCK_RAW | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC, 255);
      Libc.setsockopt(rawSocket, Libc.SOL_SOCKET, Libc.SO_BROADCAST, Libc.intValue(1), 4);
      Libc.setsockopt(rawSocket, Libc.IPPROTO_IP, Libc.IP_FREEBIND, Libc.intValue(1), 4);
    }
    if (tracks(scenario.rules())) {
      events = new ConntrackEvents();
    }
    for (int fd : taps.values()) {
      while (Libc.readNow(fd, scratch) != null) {
        // What setting up made the kernel send is not the scenario's.
      }
    }
    drops = DropTrace.ofThisThread();
    drops.read();
  }

  private static void named(Scenario.NamedObjects named) throws IOException {
    if (!named.ipsets().isBlank()) {
      Commands.runWith(named.ipsets(), "ipset", "restore");
    }
    for (String object : named.accounting()) {
      Commands.run(("nfacct add " + object).split(" +"));
    }
    for (String policy : named.timeouts()) {
      Commands.run(("nfct add timeout " + policy).split(" +"));
    }
  }

  /** Do these rules switch the tracking of connections on? Without it there are no events. */
  private static boolean tracks(String rules) {
    return !rules.isBlank() && IptablesSaveParser.parse(rules, "rules").needsConntrack();
  }

  private static void ip(CharSequence batch) throws IOException {
    if (batch.length() > 0) {
      Commands.runWith(batch.toString(), "ip", "-batch", "-");
    }
  }

  private static boolean namesInterface(String sysctl, HostDescription host) {
    return host.interfaces().stream().anyMatch(nic -> sysctl.contains("." + nic.name() + "."));
  }

  private static void sysctl(String name, String value) throws IOException {
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
    Files.writeString(Path.of("/proc/sys", path), value);
  }

  private static void route(StringBuilder batch, HostDescription.Route route) {
    batch.append("route add ");
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
    batch.append('\n');
  }

  private static void policyRule(StringBuilder batch, HostDescription.PolicyRule rule) {
    batch.append("rule add ");
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

  private static int listen(HostDescription.Socket socket) {
    int flags = Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC;
    int fd =
        switch (socket.kind()) {
          case TCP -> Libc.socket(Libc.AF_INET, Libc.SOCK_STREAM | flags, 0);
          case UDP -> Libc.socket(Libc.AF_INET, Libc.SOCK_DGRAM | flags, 0);
          case RAW -> Libc.socket(Libc.AF_INET, Libc.SOCK_RAW | flags, socket.protocol());
          case PACKET ->
              Libc.socket(
                  Libc.AF_PACKET,
                  Libc.SOCK_RAW | flags,
                  Short.toUnsignedInt(Short.reverseBytes((short) socket.protocol())));
        };
    if (socket.device() != null && socket.kind() != HostDescription.SocketKind.PACKET) {
      byte[] name = (socket.device() + "\0").getBytes(StandardCharsets.US_ASCII);
      Libc.setsockopt(fd, Libc.SOL_SOCKET, Libc.SO_BINDTODEVICE, name, name.length);
    }
    switch (socket.kind()) {
      case TCP -> {
        Libc.setsockopt(fd, Libc.SOL_SOCKET, Libc.SO_REUSEADDR, Libc.intValue(1), 4);
        Libc.bind(fd, Libc.inet(socket.address(), socket.port()), 16);
        dropAll(fd);
        Libc.listen(fd, 16);
      }
      case UDP -> {
        Libc.setsockopt(fd, Libc.SOL_SOCKET, Libc.SO_REUSEADDR, Libc.intValue(1), 4);
        Libc.bind(fd, Libc.inet(socket.address(), socket.port()), 16);
      }
      case RAW -> {
        if (socket.address() != 0) {
          Libc.bind(fd, Libc.inet(socket.address(), 0), 16);
        }
      }
      case PACKET -> {
        if (socket.device() != null) {
          int index = Libc.if_nametoindex(socket.device());
          Libc.bind(fd, Libc.linkLayer(socket.protocol(), index), Libc.LINK_LAYER_LENGTH);
        }
      }
    }
    return fd;
  }

  /**
   * A listening socket of the model takes segments and stays silent. The kernel's is made so with a
   * filter that refuses everything: the segment has come all the way to it and is dropped there, as
   * SOCKET_FILTER.
   */
  private static void dropAll(int fd) {
    Memory instruction = new Memory(8);
    instruction.setShort(0, (short) 0x06); // BPF_RET | BPF_K: accept k bytes, none
    instruction.setShort(2, (short) 0);
    instruction.setInt(4, 0);
    java.nio.ByteBuffer program = java.nio.ByteBuffer.allocate(16).order(ByteOrder.nativeOrder());
    program.putShort(0, (short) 1);
    program.putLong(8, com.sun.jna.Pointer.nativeValue(instruction));
    Libc.setsockopt(fd, Libc.SOL_SOCKET, Libc.SO_ATTACH_FILTER, program.array(), 16);
    java.lang.ref.Reference.reachabilityFence(instruction);
  }

  // ---- one frame
  // ----------------------------------------------------------------------------------

  private List<StepOutcome> steps(Scenario scenario) throws IOException {
    try (KernelLog writtenTo = KernelLog.isWrittenBy(scenario.rules()) ? new KernelLog() : null) {
      log = writtenTo;
      List<StepOutcome> outcomes = new ArrayList<>();
      long time = System.nanoTime();
      for (Scenario.Step step : scenario.steps()) {
        if (step.afterNanos() > 0) {
          // By the clock from the beginning on, so that what each takes longer does not add up.
          time += step.afterNanos();
          sleepUntil(time);
        }
        outcomes.add(step(step));
      }
      return outcomes;
    }
  }

  private static void sleepUntil(long nanoTime) throws IOException {
    try {
      TimeUnit.NANOSECONDS.sleep(nanoTime - System.nanoTime());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private StepOutcome step(Scenario.Step step) {
    List<String> refused = new ArrayList<>();
    if (step.device() == null) {
      byte[] packet = step.bytes();
      int source = java.nio.ByteBuffer.wrap(packet).getInt(12);
      int destination = java.nio.ByteBuffer.wrap(packet).getInt(16);
      try {
        // The route is asked for with the socket's own address and type of service.
        Libc.bind(rawSocket, Libc.inet(source, 0), 16);
        Libc.setsockopt(
            rawSocket, Libc.IPPROTO_IP, Libc.IP_TOS, Libc.intValue(packet[1] & 0xff), 4);
        Libc.sendto(rawSocket, packet, packet.length, 0, Libc.inet(destination, 0), 16);
      } catch (LastErrorException e) {
        // EPERM and the like: the packet was refused on its way, as its drop reason tells. Without
        // a route a raw socket is refused before there is a packet; a TCP socket's would be lost
        // so.
        if (NO_ROUTE.contains(e.getErrorCode())) {
          refused.add("IP_OUTNOROUTES __ip_queue_xmit");
        }
      }
    } else {
      try {
        Libc.write(taps.get(step.device()), step.bytes(), step.bytes().length);
      } catch (LastErrorException e) {
        // The driver itself refuses frames shorter than an Ethernet header.
        if (e.getErrorCode() != Libc.EINVAL) {
          throw e;
        }
      }
    }
    List<Sent> sent = new ArrayList<>();
    taps.forEach(
        (name, fd) -> {
          for (byte[] frame; (frame = Libc.readNow(fd, scratch)) != null; ) {
            sent.add(new Sent(name, frame));
          }
        });
    List<String> dropped = drops.read();
    // Where a hook found that no route leads to where it sent the packet there was one to drop.
    return new StepOutcome(
        sent, dropped.isEmpty() ? refused : dropped, log == null ? List.of() : log.read());
  }

  // ---- what is left at the end
  // ----------------------------------------------------------------------

  private Outcome outcome(Scenario scenario, List<StepOutcome> steps) throws IOException {
    List<String> received = new ArrayList<>();
    for (ListeningSocket socket : sockets) {
      if (socket.description.kind() == HostDescription.SocketKind.TCP) {
        continue; // counted by its drops
      }
      int count = 0;
      long bytes = 0;
      for (byte[] datagram; (datagram = receive(socket.fd)) != null; count++) {
        bytes += datagram.length;
      }
      received.add(Outcomes.socketLine(socket.description, count, bytes));
    }
    List<String> counters = new ArrayList<>();
    if (!scenario.rules().isBlank()) {
      counters.addAll(inOurOrder(Commands.run("iptables-legacy-save", "-c")));
    }
    List<String> conntrack = sorted(Commands.run("conntrack", "-L"));
    if (events == null && !conntrack.isEmpty()) {
      throw new IOException("connections are tracked, but not for anything in these rules");
    }
    return new Outcome(
        steps,
        counters,
        conntrack,
        received,
        events == null ? List.of() : events.finish(),
        events == null ? List.of() : sorted(Commands.run("conntrack", "-L", "expect")),
        scenario.named().accounting().isEmpty()
            ? List.of()
            : sorted(Commands.run("nfacct", "list")),
        scenario.named().ipsets().isBlank()
            ? List.of()
            : Commands.run("ipset", "save").lines().toList());
  }

  /**
   * Tables in the order in which this project prints them; the kernel's is that of their loading.
   */
  private static List<String> inOurOrder(String saved) {
    Map<String, List<String>> tables = new LinkedHashMap<>();
    for (String table : new String[] {"raw", "mangle", "nat", "filter", "security"}) {
      tables.put("*" + table, new ArrayList<>());
    }
    List<String> table = new ArrayList<>();
    for (String line : saved.lines().toList()) {
      if (line.startsWith("*")) {
        table = tables.get(line);
      }
      if (!line.startsWith("#")) {
        table.add(line);
      }
    }
    return tables.values().stream().flatMap(List::stream).toList();
  }

  private static List<String> sorted(String lines) {
    return lines.lines().filter(line -> !line.isBlank()).sorted().toList();
  }

  private byte[] receive(int fd) {
    try {
      long length = Libc.recv(fd, scratch, scratch.length, 0);
      return java.util.Arrays.copyOf(scratch, (int) length);
    } catch (LastErrorException e) {
      if (e.getErrorCode() == Libc.EAGAIN) {
        return null;
      }
      // An ICMP error for the socket; the next call reads on.
      return receive(fd);
    }
  }

  @Override
  public void close() throws IOException {
    if (events != null) {
      events.close();
    }
    if (rawSocket >= 0) {
      Libc.close(rawSocket);
    }
    for (ListeningSocket socket : sockets) {
      Libc.close(socket.fd);
    }
    for (int fd : taps.values()) {
      Libc.close(fd);
    }
  }
}
