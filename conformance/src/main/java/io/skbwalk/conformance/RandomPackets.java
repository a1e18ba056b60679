// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.host.HostDescription;
import io.skbwalk.language.FrameBuilder;
import io.skbwalk.lib.Ip4;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Draws packets on the networks of a random host: from whom, to whom, with which options. */
abstract class RandomPackets extends Draws {
  static final int MORE = 0x2000;
  static final int DF = 0x4000;
  static final int[] PORTS = {22, 53, 80, 443, 8080, 5000, 40000};

  /** Addresses that are somebody's in one way or another. */
  static final int[] ADDRESSES =
      parse(
          "0.0.0.0",
          "255.255.255.255",
          "127.0.0.1",
          "127.1.2.3",
          "224.0.0.1",
          "224.0.0.251",
          "239.1.2.3",
          "240.0.0.1",
          "0.1.2.3",
          "203.0.113.1",
          "203.0.113.2",
          "203.0.113.65",
          "203.0.113.127",
          "203.0.113.255",
          "203.0.113.0",
          "203.0.113.77",
          "192.168.7.1",
          "192.168.7.200",
          "192.168.7.255",
          "192.168.7.0",
          "192.168.7.9",
          "192.168.6.1",
          "198.18.0.1",
          "198.18.0.2",
          "198.18.0.3",
          "198.18.0.4",
          "198.18.0.5",
          "198.18.0.6",
          "192.0.2.1",
          "192.0.2.9",
          "10.2.0.1",
          "10.2.0.2",
          "10.2.0.3",
          "10.7.0.1",
          "10.7.255.255",
          "10.9.9.9",
          "10.1.1.1",
          "169.254.1.1",
          "198.51.100.70");

  /** IP options, right and wrong. */
  private static final String[] OPTIONS = {
    "0703040000000000", // record route without room
    "070704000000000000",
    "070b04000000000000000000",
    "07270400000000000000000000000000000000000000000000000000000000000000000000000000",
    "070b08cb00710100000000", // one recorded
    "070705cb007101", // pointer not a multiple of 4
    "07060400000000",
    "0702",
    "07",
    "07ff04",
    "440c050000000000000000000000",
    "440c050100000000000000000000",
    "440c0503cb00710100000000",
    "440c0503c0a8070100000000",
    "440c0503c0a8070200000000",
    "44140503cb007101000000000a01010100000000",
    "440405f0",
    "440405f1",
    "440405ff",
    "4404ff00",
    "440c0d0000000000000000",
    "440c09000000000000000000",
    "440c0502000000000000000000",
    "44080600000000",
    "4403050000",
    "44050500",
    "8307040a000001",
    "830704cb007109", // on by the outside
    "830704c0a80702",
    "830704cb007101",
    "830708cb007101", // ended
    "830b04cb007101c0a80702",
    "890704cb007109",
    "890704c0a80702",
    "890704c6336409",
    "890b04cb007109cb0071fe",
    "890708cb007109",
    "83070489",
    "830604c0a807",
    "830704c0a80702890704c0a80702", // two source routes
    "94040000",
    "94040001",
    "9403000094040000",
    "9404000094040000",
    "820b0000000000000000000000",
    "860600000001000000",
    "8606000000010102",
    "01010101",
    "0101070704cb00710000",
    "00070704",
    "990400000000",
    "5504aaaa",
    "55",
    "5500",
    "5501",
    "07070400000000070704000000000",
    "88040001",
  };

  private final List<Scenario.Step> steps;
  private final List<String> devices;
  int ids = 0x4000;

  RandomPackets(Random random, HostDescription host, List<Scenario.Step> steps) {
    super(random);
    this.steps = steps;
    devices = host.interfaces().stream().map(HostDescription.Interface::name).toList();
  }

  static int[] parse(String... addresses) {
    return Arrays.stream(addresses).mapToInt(Ip4::parse).toArray();
  }

  final String device() {
    return devices.get(random.nextInt(devices.size()));
  }

  final byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  static byte[] hex(String text) {
    return java.util.HexFormat.of().parseHex(text.length() % 2 == 0 ? text : text + "0");
  }

  final int peer(String device) {
    return switch (device) {
      case "eth0" -> oneIn(6) ? RandomHost.PEERS_ELSEWHERE[1] : pick(RandomHost.PEERS_OUT);
      case "eth1" -> oneIn(8) ? RandomHost.PEERS_ELSEWHERE[3] : pick(RandomHost.PEERS_IN);
      default -> RandomHost.PEERS_ELSEWHERE[0];
    };
  }

  final int own(String device) {
    return switch (device) {
      case "eth0" -> pick(RandomHost.OUTSIDE, RandomHost.OUTSIDE, Ip4.parse("203.0.113.65"));
      case "eth1" -> pick(RandomHost.INSIDE, RandomHost.INSIDE, RandomHost.OUTSIDE);
      default -> pick(Ip4.parse("10.2.0.1"), RandomHost.INSIDE);
    };
  }

  /** Where a packet that came in on {@code device} may go: to the machine, through it, anywhere. */
  final int destination(String device) {
    return switch (random.nextInt(5)) {
      case 0, 1 -> own(device);
      case 2, 3 -> peer(oneIn(4) ? device : device());
      default -> pick(ADDRESSES);
    };
  }

  final FrameBuilder frame(String device, int from, int to) {
    boolean routed = device.equals("eth0") && from >>> 24 == 198;
    long source = RandomHost.mac(routed ? RandomHost.PEERS_OUT[0] : from);
    return new FrameBuilder(RandomHost.macOf(device), source)
        .ip(from, to)
        .id(ids++)
        .ttl(oneIn(12) ? pick(0, 1, 2, 255) : 64)
        .tos(oneIn(6) ? pick(0x10, 0x08, 0x1c, 0x28, 0xb8, 3, 0xff) : 0)
        .fragment(oneIn(2) ? DF : 0);
  }

  final void add(String device, byte[] bytes, String comment) {
    steps.add(new Scenario.Step(device, bytes, comment));
  }

  /** Some transport for a packet. */
  final FrameBuilder transport(FrameBuilder builder) {
    return switch (random.nextInt(4)) {
      case 0 -> builder.tcp(4000 + random.nextInt(4), pick(PORTS), pick(2, 2, 0x10), 1, 0, 8192);
      case 1 -> builder.udp(4000 + random.nextInt(4), pick(PORTS)).payload(bytes(pick(0, 1, 20)));
      case 2 -> builder.icmp(8, 0, 5 << 16 | 1).payload(bytes(pick(0, 8, 56)));
      default ->
          builder
              .transport(pick(2, 47, 50, 132, 136, 200), bytes(pick(0, 8, 20)), -1, false)
              .payload(bytes(8));
    };
  }

  final byte[] someOptions() {
    byte[] options = hex(OPTIONS[random.nextInt(OPTIONS.length)]);
    if (oneIn(4)) {
      byte[] second = hex(OPTIONS[random.nextInt(OPTIONS.length)]);
      int first = options.length;
      options = Arrays.copyOf(options, first + second.length);
      System.arraycopy(second, 0, options, first, second.length);
    }
    if (oneIn(6)) {
      options[random.nextInt(options.length)] = (byte) random.nextInt(256);
    }
    return Arrays.copyOf(options, Math.min(options.length, 40));
  }

  final FrameBuilder ownPacket(int from, int to, int length) {
    int source =
        from == RandomHost.INSIDE || from == RandomHost.OUTSIDE ? from : RandomHost.OUTSIDE;
    FrameBuilder builder =
        new FrameBuilder(0, 0).ip(source, to).id(ids++).fragment(oneIn(2) ? DF : 0);
    return switch (random.nextInt(3)) {
      case 0 -> builder.udp(4000, pick(PORTS)).payload(bytes(length));
      // A TCP segment longer than the way would be one that the interface still has to cut.
      case 1 ->
          builder
              .tcp(4000, pick(PORTS), pick(2, 0x10), 1, 0, 8192)
              .payload(bytes(Math.min(length, 20)));
      default -> builder.icmp(pick(8, 8, 0, 13), 0, 5 << 16 | 1).payload(bytes(length));
    };
  }

  static void putMac(ByteBuffer buffer, long mac) {
    buffer.putShort((short) (mac >>> 32)).putInt((int) mac);
  }
}
