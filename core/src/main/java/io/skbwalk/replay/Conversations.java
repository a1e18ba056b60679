// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.language.ScenarioPacket;
import io.skbwalk.lib.Checksum;
import io.skbwalk.skb.EthernetHeader;
import io.skbwalk.skb.IpHeader;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;

/**
 * The far ends of a scenario's conversations: each answers what arrived there, from where it
 * arrived, and says nothing any more once a packet did not.
 */
final class Conversations implements Replay.Sink {
  private static final int UDP_CHECKSUM = 6;
  private static final int TCP_CHECKSUM = 16;
  private static final int ICMP_CHECKSUM = 2;
  private static final int ICMP_ID = 4;

  /** How one of them stands. */
  private static final class State {
    /** The last packet as the far end got it, from its Ethernet header on; null for none. */
    byte[] arrived;

    /** Where the far end is; null when a socket of this machine is it. */
    String device;

    /** The stack itself has answered. */
    boolean answered;

    /** What the far end's answers must say to be understood: who opened, and whom it asked. */
    Ends opened;

    /** The packet that did not arrive; null while all did. */
    String broken;
  }

  /** A packet that is ready: where it arrives, null when this machine sends it. */
  record Ready(String device, byte[] bytes) {}

  private final Map<Integer, State> states = new HashMap<>();

  /** Whose turn the frame with that number is. */
  private final Map<Long, ScenarioPacket> turns = new HashMap<>();

  /**
   * The packet as it is sent now.
   *
   * @param number of its frame
   * @return null when it is not sent: the conversation is broken, or the stack has said it already
   */
  Ready next(ScenarioPacket packet, long number) {
    State state = states.computeIfAbsent(packet.turn().conversation(), key -> new State());
    boolean reply = packet.turn().reply();
    if (state.broken != null || reply && state.answered) {
      return null;
    }
    turns.put(number, packet);
    if (!reply) {
      int network = packet.device() == null ? 0 : EthernetHeader.LENGTH;
      state.opened = Ends.of(packet.bytes(), network);
      // Until it is known to arrive it has not.
      state.broken = packet.comment();
      return new Ready(packet.device(), packet.bytes());
    }
    byte[] bytes = answer(packet.bytes(), state.arrived);
    state.broken = packet.comment();
    if (state.device == null) {
      return new Ready(null, bytes);
    }
    byte[] frame = new byte[EthernetHeader.LENGTH + bytes.length];
    System.arraycopy(state.arrived, 6, frame, 0, 6);
    System.arraycopy(state.arrived, 0, frame, 6, 6);
    frame[EthernetHeader.TYPE_OFFSET] = 8;
    System.arraycopy(bytes, 0, frame, EthernetHeader.LENGTH, bytes.length);
    return new Ready(state.device, frame);
  }

  /** The packet of that conversation that did not arrive; null when all have. */
  String broken(int conversation) {
    State state = states.get(conversation);
    return state == null ? null : state.broken;
  }

  @Override
  public void frame(FrameRecord record) {
    ScenarioPacket packet = turns.remove(record.number);
    if (packet == null) {
      return;
    }
    State state = states.get(packet.turn().conversation());
    boolean reply = packet.turn().reply();
    byte[] arrived = null;
    String device = null;
    for (FrameRecord.Out out : record.outs) {
      if (arrived == null && (out.forwarded() || record.sent)) {
        arrived = out.frame();
        device = out.device();
      }
    }
    if (arrived == null && record.delivered != null) {
      arrived = new byte[EthernetHeader.LENGTH + record.delivered.length];
      System.arraycopy(
          record.delivered, 0, arrived, EthernetHeader.LENGTH, record.delivered.length);
    }
    if (reply) {
      // It has to look as if who was asked had answered.
      boolean understood =
          arrived != null && Ends.of(arrived, EthernetHeader.LENGTH).reversed().equals(state.opened)
              // No program waits for it in this model, but it came as far as one would be.
              || "ping_rcv".equals(record.at);
      state.broken = understood ? null : packet.comment();
      return;
    }
    state.answered = record.fate == Fate.ANSWERED;
    if (arrived != null) {
      state.arrived = arrived;
      state.device = device;
    }
    state.broken = arrived != null || state.answered ? null : packet.comment();
  }

  /** Who speaks to whom; without ports 0. */
  private record Ends(int source, int sourcePort, int destination, int destinationPort) {
    static Ends of(byte[] bytes, int network) {
      ByteBuffer packet = ByteBuffer.wrap(bytes);
      boolean icmp = packet.get(network + IpHeader.PROTOCOL_OFFSET) == IpHeader.IPPROTO_ICMP;
      int ports = icmp ? 0 : packet.getInt(network + (packet.get(network) & 15) * 4);
      return new Ends(
          packet.getInt(network + IpHeader.SOURCE_OFFSET),
          ports >>> 16,
          packet.getInt(network + IpHeader.DESTINATION_OFFSET),
          ports & 0xFFFF);
    }

    Ends reversed() {
      return new Ends(destination, destinationPort, source, sourcePort);
    }
  }

  /** The packet {@code template} from where {@code arrived} went to where it came from. */
  private static byte[] answer(byte[] template, byte[] arrived) {
    byte[] bytes = template.clone();
    ByteBuffer packet = ByteBuffer.wrap(bytes);
    ByteBuffer asked = ByteBuffer.wrap(arrived);
    int network = EthernetHeader.LENGTH;
    packet.putInt(IpHeader.SOURCE_OFFSET, asked.getInt(network + IpHeader.DESTINATION_OFFSET));
    packet.putInt(IpHeader.DESTINATION_OFFSET, asked.getInt(network + IpHeader.SOURCE_OFFSET));
    packet.putShort(IpHeader.CHECKSUM_OFFSET, (short) 0);
    int header = IpHeader.MIN_LENGTH;
    packet.putShort(IpHeader.CHECKSUM_OFFSET, (short) Checksum.of(bytes, 0, header));
    int transport = network + (arrived[network] & 15) * 4;
    int protocol = bytes[IpHeader.PROTOCOL_OFFSET];
    int at = header + TCP_CHECKSUM;
    if (protocol == IpHeader.IPPROTO_ICMP) {
      packet.putShort(header + ICMP_ID, asked.getShort(transport + ICMP_ID));
      at = header + ICMP_CHECKSUM;
    } else {
      packet.putShort(header, asked.getShort(transport + 2));
      packet.putShort(header + 2, asked.getShort(transport));
      at = protocol == IpHeader.IPPROTO_UDP ? header + UDP_CHECKSUM : at;
    }
    packet.putShort(at, (short) 0);
    int length = bytes.length - header;
    long sum =
        protocol == IpHeader.IPPROTO_ICMP
            ? 0
            : Checksum.pseudoHeader(
                packet.getInt(IpHeader.SOURCE_OFFSET),
                packet.getInt(IpHeader.DESTINATION_OFFSET),
                protocol,
                length);
    int checksum = Checksum.fold(Checksum.partial(bytes, header, length, sum));
    boolean none = checksum == 0 && protocol == IpHeader.IPPROTO_UDP;
    packet.putShort(at, (short) (none ? 0xFFFF : checksum));
    return bytes;
  }
}
