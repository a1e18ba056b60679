// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.capture.CaptureReader;
import io.skbwalk.capture.CaptureWriter;
import io.skbwalk.capture.LinkType;
import io.skbwalk.device.NetDevice;
import io.skbwalk.host.Host;
import io.skbwalk.language.ScenarioPacket;
import io.skbwalk.language.TcpAnswers;
import io.skbwalk.skb.EthernetHeader;
import io.skbwalk.skb.IpHeader;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes the packets of a scenario as a capture, as tcpdump on its machine would have seen them
 * come. The scenario is replayed for that: only the machine knows the numbers that {@code ack:
 * isn+1} stands for, and where a packet of its own leaves.
 *
 * <p>A packet that the machine sends is written as the scenario has it, before any rule changed it,
 * behind the Ethernet header that it left with (or would have, to nobody's address).
 */
public final class ScenarioCapture implements Replay.Sink {
  private final Host host;
  private final List<ScenarioPacket> packets;
  private final CaptureWriter writer;
  private final boolean hasInterfaces;
  private final PacketComment comment = new PacketComment();
  private boolean annotated;
  private final Map<String, Integer> interfaces = new HashMap<>();

  private ScenarioCapture(
      Replay replay, List<ScenarioPacket> packets, CaptureWriter writer, boolean hasInterfaces) {
    this.host = replay.host();
    this.packets = packets;
    this.writer = writer;
    this.hasInterfaces = hasInterfaces;
    for (NetDevice dev : host.devices()) {
      if (hasInterfaces && !dev.isLoopback() && dev.lower == null) {
        interfaces.put(dev.name, writer.addInterface(dev.name, LinkType.ETHERNET));
      }
    }
    replay.keepFrames();
    replay.keepDepartures();
    replay.add(this);
  }

  /** Writes what {@code replay} will see into {@code file}: pcap when it is called so. */
  public static ScenarioCapture to(Path file, Replay replay, List<ScenarioPacket> packets) {
    boolean pcap = file.toString().endsWith(".pcap");
    CaptureWriter writer =
        pcap ? CaptureWriter.pcap(file, LinkType.ETHERNET) : CaptureWriter.pcapng(file);
    return new ScenarioCapture(replay, packets, writer, !pcap);
  }

  /** Writes pcapng into a channel (standard output), which this then owns. */
  public static ScenarioCapture to(
      WritableByteChannel channel, Replay replay, List<ScenarioPacket> packets) {
    return new ScenarioCapture(
        replay, packets, CaptureWriter.pcapng("standard output", channel), true);
  }

  /** Each frame gets one comment more, on what became of it; pcap has no place for any. */
  public ScenarioCapture annotate() {
    annotated = true;
    return this;
  }

  @Override
  public void frame(FrameRecord record) {
    if (record.isTyped()) {
      return;
    }
    byte[] frame = record.frame;
    String device = record.device;
    if (record.sent) {
      FrameRecord.Out left = left(record);
      device = left == null ? owner(frame) : left.device();
      frame = framed(frame, left == null ? header(host.device(device)) : left.frame());
    }
    List<String> comments = new ArrayList<>(2);
    String own = packets.get((int) record.place - 1).comment();
    if (!own.isEmpty()) {
      comments.add(own);
    }
    if (annotated) {
      comments.add(comment.of(record).toString());
    }
    writer.write(
        number(device),
        record.time,
        frame,
        frame.length,
        record.sent ? CaptureReader.OUTBOUND : CaptureReader.INBOUND,
        -1,
        comments);
  }

  private int number(String device) {
    return hasInterfaces
        ? interfaces.computeIfAbsent(device, name -> writer.addInterface(name, LinkType.ETHERNET))
        : 0;
  }

  /** The packet itself as it left, not a question to ARP that it made necessary. */
  private static FrameRecord.Out left(FrameRecord record) {
    for (FrameRecord.Out out : record.outs) {
      int network = TcpAnswers.network(out.frame());
      int type = ByteBuffer.wrap(out.frame()).getShort(network - 2) & 0xFFFF;
      if (type == EthernetHeader.ETH_P_IP) {
        return out;
      }
    }
    return null;
  }

  /** The interface with the address that the packet comes from, else the first. */
  private String owner(byte[] frame) {
    int source = EthernetHeader.LENGTH + IpHeader.SOURCE_OFFSET;
    if (frame.length >= source + 4) {
      int address = ByteBuffer.wrap(frame).getInt(source);
      for (var one : host.description().interfaces()) {
        if (one.addresses().stream().anyMatch(own -> own.address() == address)) {
          return one.name();
        }
      }
    }
    return host.description().interfaces().get(0).name();
  }

  private static byte[] header(NetDevice dev) {
    ByteBuffer header = ByteBuffer.allocate(EthernetHeader.LENGTH);
    header.position(EthernetHeader.SOURCE_OFFSET);
    header.putShort((short) (dev.macAddress >>> 32)).putInt((int) dev.macAddress);
    return header.putShort((short) EthernetHeader.ETH_P_IP).array();
  }

  /** The packet of {@code frame} behind the header of {@code other}. */
  private static byte[] framed(byte[] frame, byte[] other) {
    int header = TcpAnswers.network(other);
    int packet = frame.length - EthernetHeader.LENGTH;
    byte[] framed = Arrays.copyOf(other, header + packet);
    System.arraycopy(frame, EthernetHeader.LENGTH, framed, header, packet);
    return framed;
  }

  /** Frames written. */
  public long frames() {
    return writer.frames();
  }

  /** Ends the capture and gives its file its name. */
  public void complete() {
    writer.close();
  }

  /** Gives up what is not complete. */
  public void abort() {
    writer.abort();
  }
}
