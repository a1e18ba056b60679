// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.host.HostDescription;
import io.skbwalk.language.FrameBuilder;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.Mac;
import io.skbwalk.netfilter.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * A host, rules and conversations drawn from a seed: the same seed is the same scenario for ever.
 * What is drawn stays inside what both sides can do alike: nothing depends on how fast the kernel's
 * clock runs.
 */
final class RandomScenario extends Draws {
  private static final int[] PORTS = {22, 53, 80, 443, 8080, 5000, 40000, 33434};

  /** How fast frames come. */
  enum Pace {
    /** One after the other, faster than anything changes by itself. */
    AT_ONCE,
    /** So slowly that the clock has ticked between two of them. */
    SLOW,
    /** At once, but for two pauses in which limits give more. */
    PAUSES
  }

  private static final long SLOWLY = 40_000_000L;

  /** Two of them are no whole number of seconds either. */
  private static final long PAUSE = 1_400_000_000L;

  private static final String SAID = "GET /attack abababac\r\n";

  /** Objects of nfacct that rules may name. */
  private static final List<String> ACCOUNTING = List.of("web", "small byte 60", "few packet 2");

  /** Policies that rules may name. */
  private static final List<String> TIMEOUTS =
      List.of(
          "fast inet udp unreplied 20 replied 100",
          "slow inet tcp established 1000 syn_sent 30",
          "ping inet icmp timeout 7");

  /** Programs on the queues that rules may name; on queue 9 there is none. */
  private static final List<HostDescription.Queue> QUEUES =
      List.of(
          new HostDescription.Queue(1, Verdict.ACCEPT, 0, null),
          new HostDescription.Queue(2, Verdict.DROP, 0, null),
          new HostDescription.Queue(4, Verdict.STOP, 0, null),
          new HostDescription.Queue(5, Verdict.QUEUE, 1, null),
          new HostDescription.Queue(7, Verdict.ACCEPT, 0, 7),
          new HostDescription.Queue(20, Verdict.ACCEPT, 0, null),
          new HostDescription.Queue(21, Verdict.ACCEPT, 0, null),
          new HostDescription.Queue(22, Verdict.ACCEPT, 0, null),
          new HostDescription.Queue(23, Verdict.ACCEPT, 0, null));

  private final List<Scenario.Step> steps = new ArrayList<>();
  private int ids = 1;

  private RandomScenario(long seed) {
    super(new Random(seed));
  }

  /** The scenario of {@code seed}. */
  static Scenario of(long seed) {
    return of(seed, null);
  }

  /** The scenario of {@code seed} under {@code given} rules; with null it draws its own. */
  static Scenario of(long seed, String given) {
    RandomScenario draw = new RandomScenario(seed);
    Pace pace = !draw.oneIn(40) ? Pace.AT_ONCE : draw.oneIn(2) ? Pace.SLOW : Pace.PAUSES;
    HostDescription drawn = new RandomHost(draw.random).description();
    RandomSets sets = new RandomSets(draw.random);
    String rules = draw.oneIn(4) ? "" : new RandomRules(draw.random, sets, pace).text();
    rules = given == null ? rules : given;
    HostDescription host = withQueues(drawn, rules);
    int flows = 1 + draw.random.nextInt(6);
    RandomFrames frames = new RandomFrames(draw.random, host, draw.steps);
    List<Integer> starts = new ArrayList<>();
    for (int i = 0; i < flows; i++) {
      starts.add(draw.steps.size());
      if (draw.random.nextInt(3) == 0) {
        frames.some();
      } else {
        draw.conversation(rules);
      }
    }
    return new Scenario(
        "seed " + seed,
        host,
        named(rules, sets),
        rules,
        draw.paced(draw.oneIn(2) ? draw.interleaved(starts) : draw.steps, pace));
  }

  private List<Scenario.Step> paced(List<Scenario.Step> frames, Pace pace) {
    if (pace == Pace.AT_ONCE) {
      return frames;
    }
    // Slow ones end before a neighbour that does not answer is asked again, which is after a
    // second.
    int count = pace == Pace.SLOW ? Math.min(frames.size(), 20) : frames.size();
    int pauses = 0;
    List<Scenario.Step> paced = new ArrayList<>();
    for (Scenario.Step step : frames.subList(0, count)) {
      long after = SLOWLY;
      if (pace == Pace.PAUSES) {
        boolean waits = pauses < 2 && oneIn(1 + frames.size() / 4);
        pauses += waits ? 1 : 0;
        after = waits ? PAUSE : 0;
      }
      paced.add(new Scenario.Step(step.device(), step.bytes(), step.comment(), after));
    }
    return paced;
  }

  /** What {@code rules} name must be there; what they do not name is left away. */
  private static Scenario.NamedObjects named(String rules, RandomSets sets) {
    return new Scenario.NamedObjects(
        rules.matches("(?s).*--(match|add|del|map)-set .*") ? sets.text() : "",
        rules.contains("--nfacct-name ") ? ACCOUNTING : List.of(),
        rules.matches("(?s).*-j CT --timeout.*") ? TIMEOUTS : List.of());
  }

  private static HostDescription withQueues(HostDescription host, String rules) {
    if (!rules.contains("-j NFQUEUE ")) {
      return host;
    }
    return host.with(host.netfilter().withQueues(QUEUES));
  }

  /** The conversations that begin at {@code starts} in {@link #steps}, at the same time. */
  private List<Scenario.Step> interleaved(List<Integer> starts) {
    List<List<Scenario.Step>> waiting = new ArrayList<>();
    for (int i = 0; i < starts.size(); i++) {
      int end = i + 1 < starts.size() ? starts.get(i + 1) : steps.size();
      waiting.add(new ArrayList<>(steps.subList(starts.get(i), end)));
    }
    List<Scenario.Step> mixed = new ArrayList<>();
    while (mixed.size() < steps.size()) {
      List<Scenario.Step> one = waiting.get(random.nextInt(waiting.size()));
      if (!one.isEmpty()) {
        mixed.add(one.remove(0));
      }
    }
    return mixed;
  }

  // ---- conversations
  // ----------------------------------------------------------------------------------

  private void conversation(String rules) {
    if (oneIn(rules.contains("--helper ") ? 2 : 15)) {
      new RandomHelpers(this, random).talk(rules);
      return;
    }
    switch (random.nextInt(17)) {
      case 0, 1, 2, 3 -> tcp();
      case 12, 13, 14 -> new RandomTcp(this, random).talk();
      case 15, 16 -> new RandomProtocols(this, random).talk();
      case 4, 5, 6 -> udp();
      case 7, 8 -> ping();
      case 9 -> fragments();
      case 10 -> odd();
      default -> strangers();
    }
  }

  /** Who talks with whom, and on which interfaces their frames arrive. */
  record Flow(int client, int server, String clientSide, String serverSide) {}

  Flow flow() {
    return switch (random.nextInt(6)) {
      case 0, 1 -> new Flow(pick(RandomHost.PEERS_IN), pick(RandomHost.PEERS_OUT), "eth1", "eth0");
      case 2 -> new Flow(pick(RandomHost.PEERS_OUT), pick(RandomHost.PEERS_IN), "eth0", "eth1");
      case 3 -> new Flow(pick(RandomHost.PEERS_OUT), RandomHost.OUTSIDE, "eth0", null);
      case 4 ->
          new Flow(
              pick(RandomHost.PEERS_IN), pick(RandomHost.INSIDE, RandomHost.OUTSIDE), "eth1", null);
      default -> new Flow(RandomHost.OUTSIDE, pick(RandomHost.PEERS_OUT), null, "eth0");
    };
  }

  FrameBuilder frame(String device, int from, int to) {
    long source =
        RandomHost.mac(
            device != null && device.equals("eth0") && from >>> 24 == 198
                ? RandomHost.PEERS_OUT[0]
                : from);
    return new FrameBuilder("eth1".equals(device) ? RandomHost.MAC1 : RandomHost.MAC0, source)
        .ip(from, to)
        .id(ids++)
        .ttl(oneIn(12) ? pick(0, 1, 2, 255) : 64)
        .tos(oneIn(6) ? pick(0x10, 0x08, 0x28, 0xb8, 3) : 0)
        .fragment(oneIn(2) ? 0x4000 : 0);
  }

  void add(String device, FrameBuilder builder, String comment) {
    steps.add(
        new Scenario.Step(device, device == null ? builder.packet() : builder.frame(), comment));
    if (oneIn(25)) {
      // The same again, as a network may do.
      steps.add(
          new Scenario.Step(
              device, device == null ? builder.packet() : builder.frame(), comment + ", again"));
    }
  }

  byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    if (oneIn(6)) {
      // Something to find in it.
      for (int i = 0; i < length; i++) {
        bytes[i] = (byte) SAID.charAt(i % SAID.length());
      }
    }
    return bytes;
  }

  private static byte[] hex(String text) {
    return java.util.HexFormat.of().parseHex(text);
  }

  private void tcp() {
    Flow flow = flow();
    int clientPort = oneIn(3) ? pick(1234, 600, 40000) : 1024 + random.nextInt(60000);
    int serverPort = pick(PORTS);
    int[] sequence = {random.nextInt(), random.nextInt()};
    int[] acknowledged = {0, sequence[0]};
    boolean scaled = oneIn(2);
    byte[] synOptions =
        switch (random.nextInt(4)) {
          case 0 -> new byte[0];
          case 1 -> hex("020405b4");
          case 2 -> hex("020405b40402080a000000010000000001030307");
          default -> hex("020405b401030302");
        };
    int segments = 1 + random.nextInt(14);
    int phase = 0;
    for (int i = 0; i < segments; i++) {
      boolean odd = oneIn(10);
      int side;
      int flags;
      byte[] options = {};
      int length = 0;
      if (phase == 0) {
        side = 0;
        flags = 0x02;
        options = synOptions;
        phase = oneIn(8) ? 3 : 1;
      } else if (phase == 1) {
        side = 1;
        flags = oneIn(10) ? 0x02 : 0x12;
        options = scaled ? synOptions : hex("020405b4");
        phase = 2;
      } else if (phase == 2) {
        side = 0;
        flags = 0x10;
        phase = 3;
      } else {
        side = random.nextInt(2);
        flags =
            switch (random.nextInt(10)) {
              case 0 -> 0x11;
              case 1 -> oneIn(3) ? 0x04 : 0x14;
              case 2, 3, 4, 5 -> 0x18;
              default -> 0x10;
            };
        length = (flags & 0x08) != 0 ? random.nextInt(400) : 0;
        if (oneIn(20)) {
          phase = 0;
          sequence[0] += oneIn(2) ? 100_000 : -100_000;
        }
      }
      if (odd && oneIn(2)) {
        flags = random.nextInt(256);
      }
      int seq = sequence[side];
      int ack = acknowledged[side];
      if (odd && oneIn(3)) {
        seq += pick(-1, 1, 1460, 70_000, -70_000, 1 << 20);
      }
      if (odd && oneIn(3)) {
        ack += pick(-1, 1, 1460, 70_000, -70_000, 1 << 20);
      }
      String device = side == 0 ? flow.clientSide : flow.serverSide;
      int from = side == 0 ? flow.client : flow.server;
      int to = side == 0 ? flow.server : flow.client;
      FrameBuilder builder = frame(device, from, to);
      builder.tcp(
          side == 0 ? clientPort : serverPort,
          side == 0 ? serverPort : clientPort,
          flags,
          seq,
          ack,
          oneIn(8) ? pick(0, 1, 65535) : 8192,
          options);
      builder.payload(bytes(length));
      if (odd && oneIn(6)) {
        builder.transportChecksum(random.nextInt(65536));
      }
      if (odd && oneIn(6)) {
        builder.tcpOverrides(random.nextInt(16), 0);
      }
      add(device, builder, String.format("TCP flags 0x%02x side %d", flags, side));
      if (!odd) {
        sequence[side] += length + (flags & 0x01) + (flags >> 1 & 0x01);
        acknowledged[1 - side] = sequence[side];
      }
      if (oneIn(25)) {
        icmpError(flow, builder.packet(), side);
      }
    }
  }

  private void udp() {
    Flow flow = flow();
    int clientPort = oneIn(3) ? pick(1234, 600, 40000) : 1024 + random.nextInt(60000);
    int serverPort = pick(PORTS);
    int datagrams = 1 + random.nextInt(5);
    for (int i = 0; i < datagrams; i++) {
      int side = oneIn(2) ? 0 : i % 2;
      String device = side == 0 ? flow.clientSide : flow.serverSide;
      FrameBuilder builder =
          frame(
              device, side == 0 ? flow.client : flow.server, side == 0 ? flow.server : flow.client);
      builder.udp(side == 0 ? clientPort : serverPort, side == 0 ? serverPort : clientPort);
      // A raw socket, through which the kernel's host sends, does not fragment.
      builder.payload(bytes(random.nextInt(device != null && oneIn(6) ? 1400 : 100)));
      if (oneIn(15)) {
        builder.transportChecksum(oneIn(2) ? 0 : random.nextInt(65536));
      }
      if (oneIn(30)) {
        builder.udpLength(pick(0, 7, 8, 9, 2000));
      }
      add(device, builder, "UDP side " + side);
      if (oneIn(6)) {
        icmpError(flow, builder.packet(), side);
      }
    }
  }

  private void ping() {
    Flow flow = flow();
    int id = random.nextInt(65536);
    int count = 1 + random.nextInt(4);
    for (int i = 0; i < count; i++) {
      int type = oneIn(8) ? pick(13, 15, 17, 14, 30, 5) : 8;
      FrameBuilder echo = frame(flow.clientSide, flow.client, flow.server);
      echo.icmp(type, oneIn(20) ? 1 : 0, id << 16 | i).payload(bytes(random.nextInt(64)));
      if (oneIn(20)) {
        echo.transportChecksum(random.nextInt(65536));
      }
      add(flow.clientSide, echo, "ICMP type " + type);
      if (oneIn(3)) {
        FrameBuilder reply = frame(flow.serverSide, flow.server, flow.client);
        reply.icmp(type == 13 ? 14 : 0, 0, id << 16 | i).payload(bytes(random.nextInt(64)));
        add(flow.serverSide, reply, "ICMP reply");
      }
      if (oneIn(6)) {
        icmpError(flow, echo.packet(), 0);
      }
    }
  }

  /**
   * An ICMP error about {@code packet}, which side {@code side} had sent, from the far end or a
   * router.
   */
  void icmpError(Flow flow, byte[] packet, int side) {
    String device = side == 0 ? flow.serverSide : flow.clientSide;
    int to = side == 0 ? flow.client : flow.server;
    int far = side == 0 ? flow.server : flow.client;
    int from =
        oneIn(2) || device == null
            ? far
            : device.equals("eth0") ? RandomHost.PEERS_OUT[0] : RandomHost.PEERS_IN[1];
    FrameBuilder error = frame(device, from, to);
    int type = pick(3, 3, 3, 11, 12, 5, 4);
    int code = type == 3 ? pick(0, 1, 2, 3, 4, 13, 15, 16) : type == 11 ? pick(0, 1) : 0;
    int rest =
        type == 3 && code == 4 ? pick(576, 1280, 0) : type == 5 ? RandomHost.PEERS_OUT[1] : 0;
    int quoted = oneIn(4) ? random.nextInt(packet.length + 1) : Math.min(packet.length, 28);
    if (device == null) {
      // A raw socket, through which the kernel\'s host sends, does not fragment.
      quoted = Math.min(quoted, 500);
    }
    error.icmp(type, code, rest).payload(java.util.Arrays.copyOf(packet, quoted));
    add(device, error, "ICMP error " + type + "/" + code);
  }

  private void fragments() {
    Flow flow = flow();
    if (flow.clientSide == null) {
      return;
    }
    int length = 100 + random.nextInt(3000);
    FrameBuilder whole = frame(flow.clientSide, flow.client, flow.server);
    whole.fragment(0);
    boolean ping = oneIn(2);
    if (ping) {
      whole.icmp(8, 0, 7).payload(bytes(length));
    } else {
      whole.udp(5000, pick(PORTS)).payload(bytes(length));
    }
    byte[] packet = whole.packet();
    byte[] data = java.util.Arrays.copyOfRange(packet, 20, packet.length);
    int id = ids++;
    int size = 8 * (1 + random.nextInt(180));
    List<FrameBuilder> parts = new ArrayList<>();
    boolean dontFragment = oneIn(8);
    for (int at = 0; at < data.length; at += size) {
      int end = Math.min(data.length, at + size);
      boolean last = end == data.length;
      parts.add(
          frame(flow.clientSide, flow.client, flow.server)
              .id(id)
              .ttl(64)
              .tos(0)
              .protocol(ping ? 1 : 17)
              .fragment(at / 8 | (last ? 0 : 0x2000) | (dontFragment ? 0x4000 : 0))
              .payload(java.util.Arrays.copyOfRange(data, at, end)));
    }
    if (oneIn(2)) {
      java.util.Collections.shuffle(parts, random);
    }
    if (oneIn(5)) {
      parts.remove(random.nextInt(parts.size()));
    }
    if (oneIn(5) && !parts.isEmpty()) {
      // Something that overlaps, or goes beyond the end.
      parts.add(
          random.nextInt(parts.size() + 1),
          frame(flow.clientSide, flow.client, flow.server)
              .id(id)
              .ttl(64)
              .tos(0)
              .protocol(ping ? 1 : 17)
              .fragment(random.nextInt(length / 8 + 2) | (oneIn(2) ? 0x2000 : 0))
              .payload(bytes(8 * random.nextInt(20) + (oneIn(4) ? 3 : 0))));
    }
    for (FrameBuilder part : parts) {
      add(flow.clientSide, part, "fragment");
    }
  }

  /** Frames that no decent stack sends. */
  private void odd() {
    Flow flow = flow();
    if (flow.clientSide == null) {
      return;
    }
    int count = 1 + random.nextInt(4);
    for (int i = 0; i < count; i++) {
      FrameBuilder builder = frame(flow.clientSide, flow.client, flow.server);
      builder.udp(4000, pick(PORTS)).payload(bytes(random.nextInt(40)));
      String comment;
      switch (random.nextInt(9)) {
        case 0 -> {
          builder.version(random.nextInt(16));
          comment = "version";
        }
        case 1 -> {
          builder.headerWords(random.nextInt(16));
          comment = "header length";
        }
        case 2 -> {
          builder.totalLength(random.nextInt(100));
          comment = "total length";
        }
        case 3 -> {
          builder.ipChecksum(random.nextInt(65536));
          comment = "IP checksum";
        }
        case 4 -> {
          builder.ipOptions(bytes(random.nextInt(40)));
          comment = "random options";
        }
        case 5 -> {
          // Record route, timestamp, source routes, router alert.
          String[] options = {
            "0707040000000000",
            "070b04000000000000000000",
            "440c0500000000000000000000",
            "440c050100000000000000",
            "8307040a000001",
            "890704cb007109",
            "94040000",
            "01010101",
            "0703040000",
            "4404ff00"
          };
          builder.ipOptions(hex(evenLength(options[random.nextInt(options.length)])));
          comment = "options";
        }
        case 6 -> {
          builder.etherType(pick(0x86DD, 0x0806, 0x8100, 0x88A8, 0x0801, 0x0026));
          comment = "EtherType";
        }
        case 7 -> {
          builder.protocol(pick(0, 2, 4, 47, 50, 51, 58, 132, 136, 200, 253));
          comment = "protocol";
        }
        default -> comment = "truncated";
      }
      byte[] bytes = builder.frame();
      if (comment.equals("truncated") || oneIn(6)) {
        bytes = java.util.Arrays.copyOf(bytes, 14 + random.nextInt(bytes.length - 13));
      }
      if (oneIn(4)) {
        bytes = java.util.Arrays.copyOf(bytes, Math.max(bytes.length, 60));
      }
      steps.add(new Scenario.Step(flow.clientSide, bytes, comment));
    }
  }

  private static String evenLength(String hex) {
    return hex.length() % 2 == 0 ? hex : hex + "0";
  }

  /** Sources and destinations that should not be where they are. */
  private void strangers() {
    int count = 1 + random.nextInt(4);
    int[] addresses = {
      0,
      0xFFFFFFFF,
      Ip4.parse("127.0.0.1"),
      Ip4.parse("224.0.0.1"),
      Ip4.parse("224.0.0.251"),
      Ip4.parse("239.1.2.3"),
      Ip4.parse("240.0.0.1"),
      Ip4.parse("0.1.2.3"),
      RandomHost.OUTSIDE,
      RandomHost.INSIDE,
      Ip4.parse("203.0.113.255"),
      Ip4.parse("203.0.113.0"),
      Ip4.parse("192.168.7.255"),
      Ip4.parse("10.1.1.1"),
      Ip4.parse("169.254.1.1"),
      RandomHost.PEERS_IN[0],
      RandomHost.PEERS_OUT[1],
      Ip4.parse("198.51.100.70"),
    };
    for (int i = 0; i < count; i++) {
      String device = oneIn(2) ? "eth0" : "eth1";
      int from = oneIn(2) ? pick(addresses) : pick(RandomHost.PEERS_OUT);
      int to =
          oneIn(2)
              ? pick(addresses)
              : pick(RandomHost.OUTSIDE, RandomHost.INSIDE, RandomHost.PEERS_IN[2]);
      long destination = device.equals("eth0") ? RandomHost.MAC0 : RandomHost.MAC1;
      if (oneIn(4)) {
        destination =
            oneIn(2) ? Mac.BROADCAST : oneIn(2) ? Mac.parse("01:00:5e:00:00:01") : 0x0200DEADBEEFL;
      }
      FrameBuilder builder =
          new FrameBuilder(destination, RandomHost.mac(from))
              .ip(from, to)
              .id(ids++)
              .ttl(pick(1, 2, 64));
      switch (random.nextInt(4)) {
        case 0 -> builder.udp(4000, pick(PORTS)).payload(bytes(20));
        case 1 -> builder.tcp(4000, pick(PORTS), 0x02, 1, 0, 8192);
        default -> builder.icmp(8, 0, 1).payload(bytes(20));
      }
      add(device, builder, "stranger");
    }
  }
}
