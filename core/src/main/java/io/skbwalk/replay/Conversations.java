// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.language.ScenarioPacket;
import io.skbwalk.language.TcpAnswers;
import io.skbwalk.lib.Checksum;
import io.skbwalk.skb.EthernetHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.TcpHeader;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
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

    /** SYNPROXY has answered the SYN in the far end's place. */
    boolean proxied;

    /** The sequence number with which it did. */
    int cookie;

    /** The far end's own SYN/ACK, which waits for SYNPROXY's SYN; and its place. */
    ScenarioPacket owed;

    long owedPlace;

    /** How much higher the far end's sequence numbers are on the side that opened. */
    int shift;
  }

  /** A packet that is ready: where it arrives, null when this machine sends it. */
  record Ready(String device, byte[] bytes, long place) {}

  private final Map<Integer, State> states = new HashMap<>();

  /** Those whose far end waits for SYNPROXY. */
  private final List<State> waiting = new ArrayList<>();

  /** Whose turn the frame with that number is. */
  private final Map<Long, ScenarioPacket> turns = new HashMap<>();

  /**
   * The packet as it is sent now.
   *
   * @param number of its frame
   * @param place that it has in the scenario
   * @return null when it is not sent now: the conversation is broken, the stack has said it
   *     already, or it has to wait
   */
  Ready next(ScenarioPacket packet, long number, long place) {
    State state = states.computeIfAbsent(packet.turn().conversation(), key -> new State());
    boolean reply = packet.turn().reply();
    if (state.broken != null || reply && state.answered) {
      return null;
    }
    if (reply && state.proxied && state.owed == null) {
      state.owed = packet;
      state.owedPlace = place;
      waiting.add(state);
      state.shift = state.cookie - sequence(packet.bytes(), 0);
      return null;
    }
    turns.put(number, packet);
    if (!reply) {
      int network = packet.device() == null ? 0 : EthernetHeader.LENGTH;
      state.opened = Ends.of(packet.bytes(), network);
      // Until it is known to arrive it has not.
      state.broken = packet.comment();
      byte[] bytes =
          state.proxied ? acknowledging(packet.bytes(), network, state.shift) : packet.bytes();
      return new Ready(packet.device(), bytes, place);
    }
    return reply(state, packet, place);
  }

  /** Do packets wait for SYNPROXY? */
  boolean areWaiting() {
    return !waiting.isEmpty();
  }

  /** The far end's SYN/ACK that may come now: SYNPROXY has sent its SYN. Null for none. */
  ScenarioPacket owed() {
    waiting.removeIf(state -> state.broken != null);
    for (State state : waiting) {
      if (state.arrived != null) {
        return state.owed;
      }
    }
    return null;
  }

  /** Does the packet wait until SYNPROXY has opened a connection of its own? */
  boolean waits(ScenarioPacket packet) {
    State state = states.get(packet.turn().conversation());
    return waiting.contains(state) && state.owed == packet;
  }

  /**
   * The far end's SYN/ACK as it comes now.
   *
   * @param number that its frame gets
   */
  Ready late(ScenarioPacket packet, long number) {
    State state = states.get(packet.turn().conversation());
    waiting.remove(state);
    turns.put(number, packet);
    return reply(state, packet, state.owedPlace);
  }

  private static Ready reply(State state, ScenarioPacket packet, long place) {
    byte[] bytes = answer(packet.bytes(), state.arrived);
    state.broken = packet.comment();
    if (state.device == null) {
      return new Ready(null, bytes, place);
    }
    byte[] frame = new byte[EthernetHeader.LENGTH + bytes.length];
    System.arraycopy(state.arrived, 6, frame, 0, 6);
    System.arraycopy(state.arrived, 0, frame, 6, 6);
    frame[EthernetHeader.TYPE_OFFSET] = 8;
    System.arraycopy(bytes, 0, frame, EthernetHeader.LENGTH, bytes.length);
    return new Ready(state.device, frame, place);
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
    if (packet == state.owed) {
      // SYNPROXY keeps it, and lets who opened go on.
      state.broken = madeUp(record, state, TcpHeader.ACK) == null ? packet.comment() : null;
      return;
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
    FrameRecord.Out made =
        state.proxied
            ? madeUp(record, state, TcpHeader.SYN)
            : madeUp(record, state, TcpHeader.SYN | TcpHeader.ACK);
    if (arrived == null && made != null && state.proxied) {
      arrived = made.frame();
      // Over lo it came to a socket of this machine.
      device = made.device().equals("lo") ? null : made.device();
    } else if (arrived == null && made != null) {
      state.proxied = true;
      state.cookie = sequence(made.frame(), EthernetHeader.LENGTH);
      state.broken = null;
      return;
    }
    state.answered = record.fate == Fate.ANSWERED;
    if (arrived != null) {
      state.arrived = arrived;
      state.device = device;
    }
    state.broken = arrived != null || state.answered ? null : packet.comment();
  }

  /** A segment with these flags that the machine has sent because of the frame; null for none. */
  private static FrameRecord.Out madeUp(FrameRecord record, State state, int flags) {
    int wanted = TcpHeader.SYN | TcpHeader.ACK | TcpHeader.RST;
    for (FrameRecord.Out out : record.outs) {
      int tcp =
          out.forwarded()
              ? -1
              : TcpAnswers.tcp(out.frame(), EthernetHeader.LENGTH, out.frame().length);
      if (tcp >= 0 && (out.frame()[tcp + TcpHeader.FLAGS_OFFSET] & wanted) == flags) {
        Ends ends = Ends.of(out.frame(), EthernetHeader.LENGTH);
        boolean back = ends.reversed().equals(state.opened);
        if (back == (flags != TcpHeader.SYN)) {
          return out;
        }
      }
    }
    return null;
  }

  private static int sequence(byte[] bytes, int network) {
    int tcp = network + (bytes[network] & 15) * 4;
    return ByteBuffer.wrap(bytes).getInt(tcp + TcpHeader.SEQUENCE_OFFSET);
  }

  /** A segment of the side that opened, which knows SYNPROXY's sequence numbers only. */
  private static byte[] acknowledging(byte[] bytes, int network, int shift) {
    byte[] shifted = bytes.clone();
    ByteBuffer packet = ByteBuffer.wrap(shifted);
    int tcp = network + (bytes[network] & 15) * 4;
    int ack = packet.getInt(tcp + TcpHeader.ACK_OFFSET);
    int sum = packet.getShort(tcp + TCP_CHECKSUM) & 0xFFFF;
    packet.putInt(tcp + TcpHeader.ACK_OFFSET, ack + shift);
    packet.putShort(tcp + TCP_CHECKSUM, (short) Checksum.replace32(sum, ack, ack + shift));
    return shifted;
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
