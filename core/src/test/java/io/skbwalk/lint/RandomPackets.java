// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import io.skbwalk.language.ScenarioPacket;
import io.skbwalk.lib.Checksum;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.SourcePosition;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * Packets near the rules of {@link RandomFirewall}: from the edges of their networks and ports,
 * through a router, answers to each other among them. No two are the same.
 */
final class RandomPackets {
  private static final long MILLISECOND = 1_000_000;
  private static final byte[] OUTSIDE = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, (byte) 0xFE, 8, 0};
  private static final byte[] INSIDE = {2, 0, 0, 0, 1, 1, 2, 0, 0, 0, 7, 2, 8, 0};

  private final Random random;
  private final Set<ByteBuffer> seen = new HashSet<>();
  private final List<byte[]> recent = new ArrayList<>();
  private int id;

  RandomPackets(Random random) {
    this.random = random;
  }

  int different() {
    return seen.size();
  }

  /** So many packets that there were not yet. */
  List<ScenarioPacket> some(int count, boolean fragments) {
    List<ScenarioPacket> packets = new ArrayList<>();
    recent.clear();
    while (packets.size() < count) {
      byte[] ip = chance(5) && !recent.isEmpty() ? answer() : packet(fragments);
      ByteBuffer key = ByteBuffer.wrap(ip.clone());
      // The identification alone makes no other packet.
      key.putInt(4, 0).putShort(10, (short) 0);
      if (!seen.add(key)) {
        continue;
      }
      recent.add(ip);
      int from = ByteBuffer.wrap(ip).getInt(12);
      boolean inside = from >>> 16 == 0xC0A8;
      boolean own = from == Ip4.parse("203.0.113.1") || from == Ip4.parse("192.168.7.1");
      packets.add(
          new ScenarioPacket(
              own ? null : inside ? "eth1" : "eth0",
              MILLISECOND,
              own ? ip : framed(inside ? INSIDE : OUTSIDE, ip),
              List.of(),
              null,
              "",
              SourcePosition.NONE,
              null));
    }
    return packets;
  }

  private static byte[] framed(byte[] header, byte[] ip) {
    return ByteBuffer.allocate(header.length + ip.length).put(header).put(ip).array();
  }

  private boolean chance(int in) {
    return random.nextInt(in) == 0;
  }

  /** An edge of a network that rules ask for, or the address beside it. */
  private int address() {
    String network = RandomFirewall.NETWORKS[random.nextInt(RandomFirewall.NETWORKS.length)];
    int slash = network.indexOf('/');
    int length = Integer.parseInt(network.substring(slash + 1));
    int first = Ip4.parse(network.substring(0, slash)) & Ip4.mask(length);
    int last = first | ~Ip4.mask(length);
    return switch (random.nextInt(6)) {
      case 0 -> first - 1;
      case 1 -> last + 1;
      case 2 -> last;
      case 3 -> first;
      default -> first + random.nextInt(Math.max(1, last - first));
    };
  }

  private int port() {
    int port = RandomFirewall.PORTS[random.nextInt(RandomFirewall.PORTS.length)];
    return switch (random.nextInt(5)) {
      case 0 -> port - 1;
      case 1 -> port + 1;
      case 2 -> 40_000 + random.nextInt(3);
      default -> port;
    };
  }

  private byte[] packet(boolean fragments) {
    int protocol = new int[] {6, 6, 6, 17, 17, 1, 47}[random.nextInt(7)];
    int from = address();
    int to = chance(3) ? Ip4.parse(chance(2) ? "203.0.113.1" : "192.168.7.1") : address();
    byte[] payload = new byte[random.nextInt(24)];
    random.nextBytes(payload);
    ByteBuffer ip = header(protocol, from, to, payload);
    switch (protocol) {
      case 6 -> {
        int flags =
            chance(4) ? random.nextInt(64) : new int[] {2, 2, 16, 18, 4, 17}[random.nextInt(6)];
        ip.putShort(20, (short) port()).putShort(22, (short) port());
        ip.putInt(24, random.nextInt(5)).putInt(28, random.nextInt(5));
        ip.put(32, (byte) 0x50).put(33, (byte) flags).putShort(34, (short) 8192);
      }
      case 17 -> {
        ip.putShort(20, (short) port()).putShort(22, (short) port());
        ip.putShort(24, (short) (8 + payload.length));
      }
      case 1 -> {
        ip.put(20, new byte[] {8, 8, 0, 3, 13, 11}[random.nextInt(6)]);
        ip.put(21, (byte) random.nextInt(6)).putInt(24, random.nextInt(9));
      }
      default -> {}
    }
    if (fragments && chance(8)) {
      ip.putShort(6, (short) (chance(2) ? 0x2000 : 4 + random.nextInt(9)));
    }
    return sums(ip.array());
  }

  private ByteBuffer header(int protocol, int from, int to, byte[] payload) {
    int transport = protocol == 6 ? 20 : protocol == 47 ? 0 : 8;
    ByteBuffer ip = ByteBuffer.allocate(20 + transport + payload.length);
    ip.put(0, (byte) 0x45).put(1, (byte) (chance(6) ? 0x20 : 0));
    ip.putShort(2, (short) ip.capacity()).putShort(4, (short) ++id);
    ip.put(8, (byte) (chance(6) ? 1 + random.nextInt(6) : 64)).put(9, (byte) protocol);
    ip.putInt(12, from).putInt(16, to);
    ip.position(20 + transport);
    return ip.put(payload);
  }

  /** What an earlier packet's receiver may send back. */
  private byte[] answer() {
    byte[] bytes = recent.get(random.nextInt(recent.size())).clone();
    ByteBuffer ip = ByteBuffer.wrap(bytes);
    int from = ip.getInt(12);
    ip.putInt(12, ip.getInt(16)).putInt(16, from).putShort(4, (short) ++id).put(8, (byte) 60);
    if (bytes[9] == 1) {
      ip.put(20, (byte) 0);
    } else if (bytes[9] == 6 || bytes[9] == 17) {
      int ports = ip.getInt(20);
      ip.putInt(20, ports << 16 | ports >>> 16);
    }
    if (bytes[9] == 6) {
      ip.put(33, (byte) (bytes[33] == 2 ? 18 : 16)).putInt(28, ip.getInt(24) + 1);
    }
    return sums(bytes);
  }

  private static byte[] sums(byte[] bytes) {
    ByteBuffer ip = ByteBuffer.wrap(bytes);
    ip.putShort(10, (short) 0);
    ip.putShort(10, (short) Checksum.of(bytes, 0, 20));
    int at = bytes[9] == 6 ? 36 : bytes[9] == 17 ? 26 : bytes[9] == 1 ? 22 : 0;
    if (at != 0) {
      ip.putShort(at, (short) 0);
      long sum =
          bytes[9] == 1
              ? 0
              : Checksum.pseudoHeader(ip.getInt(12), ip.getInt(16), bytes[9], bytes.length - 20);
      int folded = Checksum.fold(Checksum.partial(bytes, 20, bytes.length - 20, sum));
      ip.putShort(at, (short) ~folded);
    }
    return bytes;
  }
}
