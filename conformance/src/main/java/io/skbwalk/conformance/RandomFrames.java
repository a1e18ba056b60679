// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.host.HostDescription;
import io.skbwalk.language.FrameBuilder;
import io.skbwalk.lib.Mac;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * Draws what tries the machine below and beside its rules: ARP, options, fragments, ICMP of all
 * kinds, what is for nobody or for many, tags and other frames that are no IPv4.
 */
final class RandomFrames extends RandomPackets {
  /** Draws frames for {@code host} that are appended to {@code steps}. */
  RandomFrames(Random random, HostDescription host, List<Scenario.Step> steps) {
    super(random, host, steps);
  }

  /** Appends a few frames of one kind. */
  void some() {
    switch (random.nextInt(14)) {
      case 0, 1, 2 -> arp();
      case 3, 4, 5 -> options();
      case 6, 7 -> fragments();
      case 8, 9 -> icmp();
      case 10, 11 -> strangers();
      case 12 -> own();
      default -> link();
    }
  }

  // ---- ARP
  // ---------------------------------------------------------------------------------------

  private void arp() {
    int count = 1 + random.nextInt(5);
    for (int i = 0; i < count; i++) {
      String device = device();
      int sender = oneIn(3) ? pick(ADDRESSES) : peer(device);
      int target = oneIn(3) ? pick(ADDRESSES) : oneIn(3) ? peer(device()) : own(device);
      long mac = RandomHost.mac(sender);
      if (oneIn(10)) {
        mac = pick(0, 1) == 0 ? RandomHost.macOf(device) : 0x0200_0A0A_0A0AL;
      }
      int operation = pick(1, 1, 1, 2, 2, 2, 0, 3, 8);
      String comment = "ARP operation " + operation;
      long to = operation == 2 || oneIn(3) ? RandomHost.macOf(device) : Mac.BROADCAST;
      long targetMac = operation == 2 ? RandomHost.macOf(device) : 0;
      switch (random.nextInt(8)) {
        case 0 -> {
          // Gratuitous: sender and target are the same.
          target = sender;
          targetMac = oneIn(2) ? mac : Mac.BROADCAST;
          comment += ", gratuitous";
        }
        case 1 -> {
          sender = 0;
          comment += ", probe";
        }
        default -> {
          // As it stands.
        }
      }
      byte[] bytes =
          arp(to, oneIn(12) ? 0x0200_0B0B_0B0BL : mac, operation, mac, sender, targetMac, target);
      ByteBuffer fields = ByteBuffer.wrap(bytes);
      if (oneIn(12)) {
        switch (random.nextInt(5)) {
          case 0 -> fields.putShort(14, (short) pick(0, 2, 6, 15, 24));
          case 1 -> fields.putShort(16, (short) pick(0x0806, 0x86DD));
          case 2 -> fields.put(18, (byte) pick(0, 5, 8));
          case 3 -> fields.put(19, (byte) pick(0, 6, 16));
          default -> bytes = Arrays.copyOf(bytes, 14 + random.nextInt(28));
        }
        comment += ", wrong";
      }
      if (oneIn(2)) {
        bytes = Arrays.copyOf(bytes, Math.max(60, bytes.length));
      }
      add(device, bytes, comment);
      if (oneIn(2)) {
        // Somebody writes to whom it is about.
        String in = device();
        add(in, transport(frame(in, peer(in), sender)).frame(), "to the sender");
      }
    }
  }

  private static byte[] arp(
      long to, long from, int operation, long senderMac, int sender, long targetMac, int target) {
    ByteBuffer arp = ByteBuffer.allocate(42);
    putMac(arp, to);
    putMac(arp, from);
    arp.putShort((short) 0x0806).putShort((short) 1).putShort((short) 0x0800);
    arp.put((byte) 6).put((byte) 4).putShort((short) operation);
    putMac(arp, senderMac);
    arp.putInt(sender);
    putMac(arp, targetMac);
    arp.putInt(target);
    return arp.array();
  }

  // ---- options
  // -----------------------------------------------------------------------------------

  private void options() {
    int count = 1 + random.nextInt(5);
    for (int i = 0; i < count; i++) {
      String device = device();
      FrameBuilder builder = frame(device, peer(device), destination(device));
      if (oneIn(6)) {
        builder.fragment(pick(MORE, MORE | DF, 5, MORE | 5));
      }
      if (oneIn(3)) {
        builder.payload(bytes(pick(600, 1200)));
        builder.fragment(oneIn(2) ? DF : 0);
        builder.udp(4000, pick(PORTS));
      } else {
        transport(builder);
      }
      add(device, builder.ipOptions(someOptions()).frame(), "options");
    }
  }

  // ---- fragments
  // ---------------------------------------------------------------------------------

  /** Two datagrams in fragments, on their ways at the same time, and not always whole. */
  private void fragments() {
    List<byte[]> frames = new ArrayList<>();
    String device = device();
    int datagrams = 1 + random.nextInt(2);
    for (int i = 0; i < datagrams; i++) {
      int from = peer(device);
      int to = destination(device);
      int size = pick(20, 100, 600, 1700, 3000, 9000);
      FrameBuilder whole = frame(device, from, to).fragment(0);
      transport(whole).payload(bytes(size));
      byte[] options = oneIn(4) ? someOptions() : new byte[0];
      byte[] packet = whole.packet();
      byte[] data = Arrays.copyOfRange(packet, 20, packet.length);
      int id = ids++;
      int step = Math.max(8, pick(8, 24, 552, 1240, 1400, size / 16 * 8));
      step = Math.max(step, data.length / 20 / 8 * 8);
      int tos = 0;
      int flags = oneIn(5) ? DF : 0;
      for (int at = 0; at < data.length; at += step) {
        int end = Math.min(data.length, at + step);
        if (oneIn(6)) {
          tos = random.nextInt(4);
        }
        FrameBuilder part =
            frame(device, from, to)
                .id(id)
                .tos(tos)
                .ttl(oneIn(20) ? pick(1, 2) : 64)
                .protocol(packet[9] & 0xff)
                .fragment(at / 8 | (end == data.length ? 0 : MORE) | (oneIn(30) ? DF : flags))
                .payload(Arrays.copyOfRange(data, at, end));
        if (options.length > 0 && (at == 0 || oneIn(3))) {
          part.ipOptions(options);
        }
        if (!oneIn(40)) {
          frames.add(part.frame());
        }
        if (oneIn(25)) {
          frames.add(part.frame());
        }
        if (oneIn(40)) {
          frames.add(
              frame(device, from, to)
                  .id(id)
                  .protocol(packet[9] & 0xff)
                  .fragment(random.nextInt(data.length / 8 + 2) | (oneIn(2) ? MORE : 0))
                  .payload(bytes(pick(0, 1, 3, 8, 16, 64, 800)))
                  .frame());
        }
        if (oneIn(60)) {
          frames.add(
              frame(device, from, to)
                  .id(id)
                  .protocol(packet[9] & 0xff)
                  .fragment(8189 | (oneIn(2) ? MORE : 0))
                  .payload(bytes(pick(1, 8, 16, 100)))
                  .frame());
        }
      }
    }
    if (oneIn(2)) {
      Collections.shuffle(frames, random);
    }
    for (byte[] frame : frames) {
      add(device, frame, "fragment");
      if (oneIn(15)) {
        strangers();
      }
    }
  }

  // ---- ICMP
  // --------------------------------------------------------------------------------------

  /** Queries and errors of all types and codes, about packets of the machine's own or of others. */
  private void icmp() {
    int count = 1 + random.nextInt(5);
    for (int i = 0; i < count; i++) {
      String device = device();
      int from = oneIn(6) ? pick(ADDRESSES) : peer(device);
      int to = destination(device);
      FrameBuilder builder = frame(device, from, to);
      if (oneIn(3)) {
        int type = oneIn(2) ? pick(8, 13, 15, 17, 42, 10, 0, 14) : random.nextInt(48);
        builder.icmp(type, oneIn(4) ? random.nextInt(4) : 0, pick(0, 1, 0x10001, 0x7000100));
        builder.payload(type == 42 ? interfaceObject() : bytes(pick(0, 3, 4, 12, 20, 56)));
        add(device, builder.frame(), "ICMP type " + type);
        continue;
      }
      int type = pick(3, 3, 3, 3, 11, 12, 5, 5, 4);
      int code = type == 3 ? pick(0, 1, 2, 3, 4, 4, 4, 5, 9, 13, 15, 16) : pick(0, 0, 1, 2);
      int rest =
          switch (type) {
            case 3 -> code == 4 ? pick(0, 68, 500, 576, 1000, 1300, 1499, 9000) : 0;
            case 5 -> oneIn(3) ? pick(ADDRESSES) : pick(RandomHost.PEERS_OUT[1], peer(device));
            case 12 -> pick(0, 0x14000000);
            default -> 0;
          };
      int far = oneIn(3) ? peer(device) : pick(RandomHost.PEERS_OUT);
      FrameBuilder about = frame(device, oneIn(6) ? pick(ADDRESSES) : to, far);
      if (oneIn(8)) {
        about.ipOptions(someOptions());
      }
      if (oneIn(3)) {
        about.icmp(pick(0, 0, 8), 0, 5 << 16 | 1).payload(bytes(20));
      } else {
        transport(about);
      }
      byte[] packet = about.packet();
      int quoted = oneIn(4) ? random.nextInt(packet.length + 1) : Math.min(packet.length, 28);
      if (device == null) {
        // A raw socket, through which the kernel\'s host sends, does not fragment.
        quoted = Math.min(quoted, 500);
      }
      if (type == 5 && oneIn(2)) {
        from = pick(RandomHost.PEERS_OUT[0], RandomHost.PEERS_OUT[1]);
        builder.ip(from, to);
      }
      builder.icmp(type, code, rest).payload(Arrays.copyOf(packet, quoted));
      add(device, builder.frame(), "ICMP error " + type + "/" + code);
      if (oneIn(2)) {
        // Does it know better now?
        if (oneIn(2)) {
          add(null, ownPacket(to, far, pick(20, 400)).packet(), "sent after it");
        } else {
          String in = device();
          add(
              in,
              frame(in, oneIn(2) ? far : peer(in), oneIn(2) ? far : to)
                  .icmp(8, 0, 5 << 16 | 1)
                  .payload(bytes(pick(20, 560, 1100)))
                  .frame(),
              "after it");
        }
      }
    }
  }

  /** RFC 8335's interface identification. */
  private byte[] interfaceObject() {
    byte[] object =
        switch (random.nextInt(4)) {
          case 0 -> hex("20000000000c0301000104" + "00cb007101");
          case 1 -> hex("200000000008030265746830");
          case 2 -> hex("2000000000080302657468320000");
          default -> hex("2000000000080303000000" + "02");
        };
    return oneIn(5) ? Arrays.copyOf(object, random.nextInt(object.length)) : object;
  }

  // ---- addresses
  // ---------------------------------------------------------------------------------

  private void strangers() {
    int count = 1 + random.nextInt(3);
    for (int i = 0; i < count; i++) {
      String device = device();
      int from = oneIn(2) ? pick(ADDRESSES) : peer(device);
      int to = oneIn(2) ? pick(ADDRESSES) : destination(device);
      long destination = RandomHost.macOf(device);
      if (oneIn(4)) {
        destination =
            oneIn(2) ? Mac.BROADCAST : oneIn(2) ? Mac.parse("01:00:5e:00:00:01") : 0x0200DEADBEEFL;
      }
      FrameBuilder builder =
          new FrameBuilder(destination, RandomHost.mac(from))
              .ip(from, to)
              .id(ids++)
              .ttl(pick(1, 2, 64));
      transport(builder);
      if (oneIn(10)) {
        builder.ipOptions(someOptions());
      }
      if (oneIn(12)) {
        builder.fragment(MORE);
      }
      add(device, builder.frame(), "stranger");
    }
  }

  // ---- what the machine itself sends
  // ---------------------------------------------------------------

  /** To itself, to others, to many. */
  private void own() {
    int count = 1 + random.nextInt(4);
    for (int i = 0; i < count; i++) {
      int from = oneIn(4) ? RandomHost.INSIDE : RandomHost.OUTSIDE;
      int to = oneIn(2) ? pick(ADDRESSES) : peer(device());
      if (to == 0) {
        continue;
      }
      FrameBuilder builder = ownPacket(from, to, pick(0, 20, 500));
      if (oneIn(5)) {
        builder.tos(pick(0x10, 0x08, 0x1c, 0xb8));
      }
      if (oneIn(6)) {
        builder.ttl(pick(0, 1, 2));
      }
      add(null, builder.packet(), "own");
    }
  }

  // ---- other frames
  // -------------------------------------------------------------------------------

  private void link() {
    int count = 1 + random.nextInt(4);
    for (int i = 0; i < count; i++) {
      String device = device();
      FrameBuilder builder = frame(device, peer(device), destination(device));
      transport(builder);
      String comment;
      byte[] bytes;
      switch (random.nextInt(8)) {
        case 0 -> {
          bytes = builder.vlan(pick(0, 5, 0x2005, 0xE000, 4095)).frame();
          comment = "802.1Q";
        }
        case 1 -> {
          bytes = builder.vlan(pick(0, 5, 0x2005)).frame();
          bytes[12] = (byte) 0x88;
          bytes[13] = (byte) 0xA8;
          comment = "802.1ad";
        }
        case 2 -> {
          bytes = builder.vlan(pick(0, 5)).etherType(0x8100).frame();
          comment = "802.1Q around nothing";
        }
        case 3 -> {
          bytes = builder.etherType(pick(0, 3, 46, 100, 1500, 1535)).frame();
          int sap = pick(0xAAAA0300, 0xFFFF0000, 0x42420300, 0xAAAA0300);
          ByteBuffer.wrap(bytes).putInt(14, sap);
          if (oneIn(3)) {
            putMac(ByteBuffer.wrap(bytes), 0x0180_C200_0000L + pick(0, 0, 0x21, 0x0e));
          }
          comment = "802.3";
        }
        case 4 -> {
          bytes = Arrays.copyOf(builder.frame(), 60 + random.nextInt(40));
          comment = "padded";
        }
        case 5 -> {
          bytes = builder.frame();
          bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length + 1));
          comment = "truncated";
        }
        case 6 -> {
          bytes = builder.etherType(pick(0x86DD, 0x0805, 0x8035, 0x8847, 0x8863, 0x88CC)).frame();
          comment = "EtherType";
        }
        default -> {
          bytes = builder.vlan(pick(0, 5)).frame();
          bytes = Arrays.copyOf(bytes, 14 + random.nextInt(10));
          comment = "802.1Q, truncated";
        }
      }
      if (bytes.length == 0) {
        bytes = new byte[1];
      }
      add(device, bytes, comment);
    }
  }
}
