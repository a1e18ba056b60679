// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import com.sun.jna.LastErrorException;
import com.sun.jna.Memory;
import io.skbwalk.conformance.Outcome.Sent;
import io.skbwalk.conformance.Outcome.StepOutcome;
import io.skbwalk.host.HostDescription;
import io.skbwalk.language.IptablesSaveParser;
import io.skbwalk.language.TcpAnswers;
import io.skbwalk.netfilter.SocketOwner;
import io.skbwalk.snapshot.SavedOutput;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Future;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * A machine of the running kernel: a network namespace with a TAP interface for each that the
 * description has. When the write of a frame to a TAP returns, the kernel is done with it.
 */
final class KernelMachine implements AutoCloseable {
  /** The tools that must be installed. */
  private static final String[] TOOLS = {
    "ip",
    "iptables-legacy-restore",
    "iptables-legacy-save",
    "conntrack",
    "ipset",
    "nfct",
    "nfacct",
    "nfnl_osf"
  };

  private static final HostDescription NO_HOST =
      new HostDescription(
          "host", List.of(), List.of(), List.of(), List.of(), false, Map.of(), List.of());

  /** EACCES, EINVAL (a blackhole), ENETUNREACH, EHOSTUNREACH. */
  private static final List<Integer> NO_ROUTE = List.of(13, 22, 101, 113);

  /**
   * When the frames of a scenario took so much longer than it says, nanoseconds, its clock and the
   * kernel's went too differently for limits that give more in a second.
   */
  private static final long TOO_SLOW = 200_000_000L;

  private static final int TRIES = 5;

  /** Threads stay: each keeps its trace of drops, and goes to the namespace of its scenario. */
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

  private final Namespace namespace;
  private final List<ListeningSocket> sockets = new ArrayList<>();
  private final byte[] scratch = new byte[66_000];
  private final TcpAnswers answers = new TcpAnswers();
  private DropTrace drops;
  private ConntrackEvents events;
  private KernelLog log;
  private final Map<SocketOwner, Integer> rawSockets = new HashMap<>();
  private QueueListeners queues;
  private long began;
  private long late;

  /** When the rules were there, by {@link System#nanoTime}. */
  private long loaded;

  private record ListeningSocket(HostDescription.Socket description, int fd) {}

  private KernelMachine(Namespace namespace) {
    this.namespace = namespace;
  }

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

  /** Runs {@code scenario} in a namespace that others have used before, if there is one. */
  static Outcome run(Scenario scenario) throws IOException {
    return onThreadOfItsOwn(() -> runInUsed(scenario)).outcome;
  }

  /** The same, again and again until the machine was not too busy for it to be an experiment. */
  static Outcome runInTime(Scenario scenario) throws IOException {
    return inTime(() -> runInUsed(scenario));
  }

  /** Runs {@code scenario} in new namespaces until the machine was not too busy for it. */
  static Outcome runInNew(Scenario scenario) throws IOException {
    return inTime(() -> runIn(Namespace.make(scenario), scenario));
  }

  /** What happened, and by how many nanoseconds its frames were given later than they should be. */
  private record Run(Outcome outcome, long late) {}

  private static Outcome inTime(Callable<Run> work) throws IOException {
    Run run = onThreadOfItsOwn(work);
    for (int tries = 1; run.late > TOO_SLOW && tries < TRIES; tries++) {
      run = onThreadOfItsOwn(work);
    }
    return run.outcome;
  }

  /**
   * A machine before the first frame of its scenario, and what it did.
   *
   * @param outputs what `skbwalk snapshot` asks for
   */
  record Asked(Map<SavedOutput, String> outputs, Outcome outcome) {}

  /** Runs {@code scenario} in a new namespace, of which is saved what a snapshot needs. */
  static Asked ask(Scenario scenario) throws IOException {
    return onThreadOfItsOwn(
        () -> {
          Map<SavedOutput, String> outputs = new EnumMap<>(SavedOutput.class);
          Namespace namespace = Namespace.make(scenario);
          try (KernelMachine machine = new KernelMachine(namespace)) {
            machine.setUp(scenario);
            for (SavedOutput output : SavedOutput.values()) {
              if (Commands.exists(output.words().get(0))) {
                String[] command = output.words().toArray(String[]::new);
                outputs.put(output, namespace.shell.run(command));
              }
            }
            return new Asked(outputs, machine.outcome(scenario, machine.steps(scenario)));
          } finally {
            namespace.close();
          }
        });
  }

  private static Run runInUsed(Scenario scenario) throws IOException {
    try {
      return runIn(Namespace.take(scenario), scenario);
    } catch (Namespace.NotEmpty e) {
      return runIn(Namespace.make(scenario), scenario);
    }
  }

  private static Run runIn(Namespace namespace, Scenario scenario) throws IOException {
    Run run;
    try (KernelMachine machine = new KernelMachine(namespace)) {
      machine.setUp(scenario);
      Outcome outcome = machine.outcome(scenario, machine.steps(scenario));
      run = new Run(outcome, machine.late);
    } catch (IOException | RuntimeException e) {
      namespace.close();
      throw e;
    }
    namespace.giveBack(scenario, run.outcome.steps());
    return run;
  }

  /**
   * {@code rules} as iptables-save prints them, without counters and comments, when they have been
   * loaded into a namespace.
   *
   * @throws IOException when iptables or the kernel refuses them
   */
  static String saved(Scenario.NamedObjects named, String rules) throws IOException {
    return onThreadOfItsOwn(
        () -> {
          Scenario scenario = new Scenario("", NO_HOST, named, rules, List.of());
          Namespace namespace = Namespace.take(scenario);
          try {
            named(namespace.shell, named);
            namespace.load(rules);
            String saved = namespace.shell.run("iptables-legacy-save");
            return String.join("\n", inOurOrder(saved, rules)) + "\n";
          } finally {
            namespace.giveBack(scenario, List.of());
          }
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

  static <T> T onThreadOfItsOwn(Callable<T> work) throws IOException {
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
    // As a host file has it, what is said of an interface holds whatever is said of all.
    if (!Namespace.setsBefore(host.sysctls())) {
      set(host, name -> !namesInterface(name));
    }
    set(host, name -> namesInterface(name) && !namesVlan(name, host));
    namespace.ip(IpBatch.vlans(host));
    set(host, name -> namesVlan(name, host));
    namespace.configure(host);
    // Others may have to be waited for; what follows ages meanwhile.
    log = KernelLog.isWrittenBy(scenario) ? new KernelLog() : null;
    began = System.nanoTime();
    named(namespace.shell, scenario.named());
    for (HostDescription.ConntrackTimeout timeout : host.netfilter().timeouts()) {
      namespace.shell.run(("nfct add timeout " + timeout.words()).split("\\s+"));
    }
    KernelFingerprints.load(host.netfilter().fingerprints());
    namespace.load(scenario.rules());
    loaded = System.nanoTime();
    if (!host.netfilter().queues().isEmpty()) {
      queues = new QueueListeners(host.netfilter().queues());
    }
    for (HostDescription.Socket socket : host.sockets()) {
      sockets.add(new ListeningSocket(socket, listen(socket)));
    }
    for (Scenario.Step step : scenario.steps()) {
      if (step.device() == null) {
        rawSockets.computeIfAbsent(sender(step, host), KernelMachine::rawSocket);
      }
    }
    if (tracks(scenario)) {
      events = namespace.events();
      events.begin();
    }
    for (int fd : namespace.taps.values()) {
      while (Libc.readNow(fd, scratch) != null) {
        // What setting up made the kernel send is not the scenario's.
      }
    }
    drops = DropTrace.ofThisThread();
    drops.read();
    if (log != null) {
      log.read();
    }
  }

  private void set(HostDescription host, Predicate<String> which) throws IOException {
    for (Map.Entry<String, String> entry : host.sysctls().entrySet()) {
      if (which.test(entry.getKey())) {
        namespace.set(entry.getKey(), entry.getValue());
      }
    }
  }

  private static boolean namesInterface(String sysctl) {
    return Namespace.OF_INTERFACE.matcher(sysctl).matches();
  }

  /** Whose socket sends a packet: what the step says, else that of the host's with its port. */
  private static SocketOwner sender(Scenario.Step step, HostDescription host) {
    byte[] packet = step.bytes();
    int protocol = packet[9];
    int at = (packet[0] & 15) * 4;
    if (step.owner() != null || protocol != 6 && protocol != 17 || packet.length < at + 2) {
      return step.owner() == null ? SocketOwner.ROOT : step.owner();
    }
    int port = java.nio.ByteBuffer.wrap(packet).getShort(at) & 0xffff;
    HostDescription.SocketKind kind =
        protocol == 6 ? HostDescription.SocketKind.TCP : HostDescription.SocketKind.UDP;
    return host.sockets().stream()
        .filter(socket -> socket.kind() == kind && socket.port() == port)
        .map(HostDescription.Socket::owner)
        .findFirst()
        .orElse(SocketOwner.ROOT);
  }

  private static int rawSocket(SocketOwner owner) {
    Libc.become(owner.uid(), owner.gid(), owner.groups());
    int fd = Libc.socket(Libc.AF_INET, Libc.SOCK_RAW | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC, 255);
    Libc.become(0, 0, List.of());
    Libc.setsockopt(fd, Libc.SOL_SOCKET, Libc.SO_BROADCAST, Libc.intValue(1), 4);
    Libc.setsockopt(fd, Libc.IPPROTO_IP, Libc.IP_FREEBIND, Libc.intValue(1), 4);
    return fd;
  }

  private static void named(Shell shell, Scenario.NamedObjects named) throws IOException {
    if (!named.ipsets().isBlank()) {
      shell.runWith(named.ipsets(), "ipset", "restore");
    }
    for (String object : named.accounting()) {
      shell.run(("nfacct add " + object).split(" +"));
    }
    for (String policy : named.timeouts()) {
      shell.run(("nfct add timeout " + policy).split(" +"));
    }
  }

  /** Do these rules switch the tracking of connections on? Without it there are no events. */
  private static boolean tracks(Scenario scenario) {
    return Stream.concat(
            Stream.of(scenario.rules()), scenario.steps().stream().map(Scenario.Step::rules))
        .anyMatch(
            rules ->
                rules != null
                    && !rules.isBlank()
                    && IptablesSaveParser.parse(rules, "rules").needsConntrack());
  }

  private static boolean namesVlan(String sysctl, HostDescription host) {
    return host.interfaces().stream()
        .anyMatch(nic -> nic.vlanLink() != null && sysctl.contains("." + nic.name() + "."));
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
    if (socket.transparent()) {
      Libc.setsockopt(fd, Libc.IPPROTO_IP, Libc.IP_TRANSPARENT, Libc.intValue(1), 4);
    }
    if (socket.mark() != 0) {
      Libc.setsockopt(fd, Libc.SOL_SOCKET, Libc.SO_MARK, Libc.intValue(socket.mark()), 4);
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
    List<StepOutcome> outcomes = new ArrayList<>();
    long time = System.nanoTime();
    if (scenario.settlesNanos() > 0) {
      time = loaded + scenario.settlesNanos();
      sleepUntil(time);
    }
    for (Scenario.Step step : scenario.steps()) {
      if (step.afterNanos() > 0) {
        late = Math.max(late, System.nanoTime() - time);
        // By the clock from the beginning on, so that what each takes longer does not add up.
        time += step.afterNanos();
        sleepUntil(time);
      }
      outcomes.add(step(step, scenario.host()));
    }
    late = Math.max(late, System.nanoTime() - time);
    closeLog();
    return outcomes;
  }

  /** Lets others have the log. */
  private void closeLog() throws IOException {
    if (log != null) {
      log.close();
      log = null;
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

  private StepOutcome step(Scenario.Step step, HostDescription host) throws IOException {
    if (step.rules() != null) {
      namespace.replace(step.rules());
    }
    List<String> refused = new ArrayList<>();
    byte[] packet = step.bytes(answers);
    if (step.device() == null) {
      int rawSocket = rawSockets.get(sender(step, host));
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
        Libc.write(namespace.taps.get(step.device()), packet, packet.length);
      } catch (LastErrorException e) {
        // The driver itself refuses frames shorter than an Ethernet header.
        if (e.getErrorCode() != Libc.EINVAL) {
          throw e;
        }
      }
    }
    if (queues != null) {
      queues.answer();
    }
    List<Sent> sent = new ArrayList<>();
    namespace.taps.forEach(
        (name, fd) -> {
          for (byte[] frame; (frame = Libc.readNow(fd, scratch)) != null; ) {
            sent.add(new Sent(name, frame));
            answers.sent(frame, TcpAnswers.network(frame), frame.length);
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
      String saved = namespace.shell.run("iptables-legacy-save", "-c");
      counters.addAll(inOurOrder(saved, scenario.everyRule()));
    }
    List<String> conntrack =
        namespace.connections() == 0 ? List.of() : sorted(namespace.shell.run("conntrack", "-L"));
    if (events == null && !conntrack.isEmpty()) {
      throw new IOException("connections are tracked, but not for anything in these rules");
    }
    return new Outcome(
        steps,
        counters,
        conntrack,
        received,
        events == null ? List.of() : events.finish(),
        scenario.rules().contains("--helper ")
            ? sorted(namespace.shell.run("conntrack", "-L", "expect"))
            : List.of(),
        scenario.named().accounting().isEmpty()
            ? List.of()
            : sorted(namespace.shell.run("nfacct", "list")),
        scenario.named().ipsets().isBlank()
            ? List.of()
            : namespace.shell.run("ipset", "save").lines().toList(),
        System.nanoTime() - began - scenario.waits());
  }

  /**
   * The tables that {@code rules} names (once loaded, a table stays in its namespace) in the order
   * in which this project prints them; the kernel's is that of their loading.
   */
  private static List<String> inOurOrder(String saved, String rules) {
    Map<String, List<String>> tables = new LinkedHashMap<>();
    for (String table : new String[] {"*raw", "*mangle", "*nat", "*filter", "*security"}) {
      if (rules.lines().anyMatch(table::equals)) {
        tables.put(table, new ArrayList<>());
      }
    }
    List<String> table = new ArrayList<>();
    for (String line : saved.lines().toList()) {
      if (line.startsWith("*")) {
        table = tables.getOrDefault(line, new ArrayList<>());
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
    closeLog();
    if (queues != null) {
      queues.close();
    }
    for (int rawSocket : rawSockets.values()) {
      Libc.close(rawSocket);
    }
    for (ListeningSocket socket : sockets) {
      Libc.close(socket.fd);
    }
  }
}
