// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.device;

import io.skbwalk.lib.Hex;
import io.skbwalk.lib.Mac;
import io.skbwalk.skb.EthernetHeader;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.SkBuffPool;
import io.skbwalk.trace.TraceEvent;
import io.skbwalk.trace.TraceListener;
import java.util.zip.CRC32;

/**
 * Plays the network card and its driver: address filter, frame check sequence, receive ring, the
 * interrupt's top half and the NAPI poll that makes packets of the ring's slots.
 *
 * <p>The filter takes the own unicast address, broadcast and every group address (IFF_ALLMULTI); a
 * promiscuous interface takes all. A TAP has no filter at all, so a model that is compared with one
 * is promiscuous: frames for others then end in ip_rcv_core as OTHERHOST. The largest frame is not
 * limited by the MTU, as captures hold what segmentation offload joined.
 *
 * <p>The ring refers to the caller's memory, as a card's ring refers to memory that it fills
 * without the processor: a frame's bytes must stay as they are until it has been polled. They are
 * copied once, into the packet's own buffer.
 */
public final class NetworkInterfaceController {
  /** NAPI_POLL_WEIGHT: frames that one poll may take. */
  public static final int POLL_WEIGHT = 64;

  /** Receive slots unless the description says otherwise. */
  public static final int DEFAULT_RING_SIZE = 256;

  /** Largest frame without its check sequence, bytes: an IP packet, a header, two tags. */
  private static final int MAX_FRAME = 65_535 + EthernetHeader.LENGTH + 8;

  private static final int FCS_LENGTH = 4;

  /** The interface that it is. */
  public final NetDevice dev;

  private final Net net;
  private final NetworkCore core;
  private final CRC32 crc = new CRC32();

  private final byte[][] frames;
  private final int[] offsets;
  private final int[] lengths;
  private final long[] times;
  private final long[] numbers;
  private final TraceListener[] traces;
  private int head;
  private int used;
  private boolean masked;

  /** A card with {@code ringSize} receive slots, at least 1. */
  NetworkInterfaceController(Net net, NetworkCore core, NetDevice dev, int ringSize) {
    this.net = net;
    this.core = core;
    this.dev = dev;
    frames = new byte[ringSize][];
    offsets = new int[ringSize];
    lengths = new int[ringSize];
    times = new long[ringSize];
    numbers = new long[ringSize];
    traces = new TraceListener[ringSize];
  }

  /** Frames in the ring that have not been polled. */
  public int pending() {
    return used;
  }

  /** Slots that are free. */
  public int free() {
    return frames.length - used;
  }

  /**
   * The frame comes off the wire: filter, check sequence, ring slot, and an interrupt unless it is
   * masked. The packet is made when NET_RX_SOFTIRQ runs ({@link NetworkCore#softirq}).
   *
   * @param length bytes from {@code offset}, check sequence included
   * @param fcsLength bytes of the check sequence at the end, 0 when there is none; verified when 4
   * @param time nanoseconds since the epoch
   * @param number of the frame, from 1
   * @param trace who wants to be told, or null
   */
  public void receive(
      byte[] frame,
      int offset,
      int length,
      int fcsLength,
      long time,
      long number,
      TraceListener trace) {
    Refusal refusal = judge(frame, offset, length, fcsLength);
    if (refusal != null) {
      refuse(refusal, number, trace, frame, offset);
      return;
    }
    int slot = head + used;
    if (slot >= frames.length) {
      slot -= frames.length;
    }
    frames[slot] = frame;
    offsets[slot] = offset;
    lengths[slot] = length - fcsLength;
    times[slot] = time;
    numbers[slot] = number;
    traces[slot] = trace;
    used++;
    if (trace != null) {
      trace.on(
          new TraceEvent.Nic(
              dev.name,
              "ring slot "
                  + (slot + 1)
                  + "; "
                  + destination(frame, offset)
                  + (fcsLength == 0
                      ? "; no frame check sequence in the capture"
                      : "; frame check sequence "
                          + (fcsLength == FCS_LENGTH ? "right" : "not verified"))));
    }
    interrupt(trace);
  }

  /** The top half: acknowledges, masks further interrupts, leaves the work to the softirq. */
  private void interrupt(TraceListener trace) {
    if (masked) {
      if (trace != null) {
        trace.on(
            new TraceEvent.HardIrq(
                dev.name, "masked; the frame waits for the poll that is scheduled"));
      }
      return;
    }
    masked = true;
    core.schedule(this);
    if (trace != null) {
      trace.on(
          new TraceEvent.HardIrq(
              dev.name, "acknowledged, masked; napi_schedule -> NET_RX_SOFTIRQ"));
    }
  }

  /**
   * The bottom half: makes packets of at most {@code budget} slots. Once the ring is empty the
   * interrupt is unmasked (napi_complete_done).
   *
   * @return frames taken; fewer than {@code budget} means that the ring is empty
   */
  int poll(int budget) {
    int done = 0;
    while (done < budget && used > 0) {
      int slot = head;
      head = head + 1 == frames.length ? 0 : head + 1;
      used--;
      done++;
      TraceListener trace = traces[slot];
      byte[] frame = frames[slot];
      traces[slot] = null;
      frames[slot] = null;
      core.advanceTo(times[slot]);
      SkBuff skb = build(frame, offsets[slot], lengths[slot]);
      skb.tstamp = times[slot];
      skb.frame = numbers[slot];
      skb.trace = trace;
      if (trace != null) {
        trace.on(
            new TraceEvent.SoftIrq(
                dev.name,
                done,
                budget,
                "net_rx_action, poll "
                    + done
                    + " of "
                    + budget
                    + ": skb #"
                    + skb.frame
                    + ", headroom "
                    + SkBuffPool.HEADROOM
                    + ", "
                    + (skb.tail - skb.macHeader)
                    + " bytes, protocol "
                    + Hex.of16(skb.protocol)));
      }
      core.receive(skb);
    }
    if (done < budget) {
      masked = false;
    }
    return done;
  }

  private SkBuff build(byte[] frame, int offset, int length) {
    SkBuff skb = net.skbs.allocate(SkBuffPool.HEADROOM, length);
    System.arraycopy(frame, offset, skb.head, skb.put(length), length);
    skb.dev = dev;
    dev.rxPackets++;
    dev.rxBytes += length;
    EthernetTypes.typeTrans(skb, dev);
    if (skb.pktType == SkBuff.PACKET_MULTICAST) {
      dev.multicast++;
    }
    return skb;
  }

  private Refusal judge(byte[] frame, int offset, int length, int fcsLength) {
    int bytes = length - fcsLength;
    if (bytes < EthernetHeader.LENGTH || bytes > MAX_FRAME) {
      return Refusal.LENGTH_ERROR;
    }
    if ((dev.flags & NetDevice.IFF_PROMISC) == 0
        && (frame[offset] & 1) == 0
        && mac(frame, offset) != dev.macAddress) {
      return Refusal.ADDRESS_FILTER;
    }
    if (fcsLength == FCS_LENGTH) {
      crc.reset();
      crc.update(frame, offset, bytes);
      int sent = 0;
      for (int i = FCS_LENGTH; i-- > 0; ) {
        sent = sent << 8 | frame[offset + bytes + i] & 0xFF;
      }
      if ((int) crc.getValue() != sent) {
        return Refusal.CRC_ERROR;
      }
    }
    return used == frames.length ? Refusal.RING_FULL : null;
  }

  private void refuse(Refusal refusal, long number, TraceListener trace, byte[] frame, int offset) {
    switch (refusal) {
      case CRC_ERROR -> {
        dev.rxCrcErrors++;
        dev.rxErrors++;
      }
      case LENGTH_ERROR -> {
        dev.rxLengthErrors++;
        dev.rxErrors++;
      }
      case RING_FULL -> dev.rxMissed++;
      case ADDRESS_FILTER -> {
        // The card forgets it without a trace.
      }
    }
    if (trace != null) {
      trace.on(
          new TraceEvent.Nic(
              dev.name,
              switch (refusal) {
                case CRC_ERROR -> "frame check sequence wrong; rx_crc_errors";
                case LENGTH_ERROR -> "not a frame's length; rx_length_errors";
                case RING_FULL -> "ring full (" + frames.length + " slots); rx_missed";
                case ADDRESS_FILTER ->
                    "destination " + Mac.format(mac(frame, offset)) + " is not ours; filtered";
              }));
      trace.on(new TraceEvent.Dropped(refusal.reason.name(), "nic"));
    }
    core.refused(dev, number, refusal);
  }

  private String destination(byte[] frame, int offset) {
    long destination = mac(frame, offset);
    if (destination == dev.macAddress) {
      return "destination is ours";
    }
    if (destination == Mac.BROADCAST) {
      return "broadcast";
    }
    return Mac.isGroup(destination)
        ? "multicast " + Mac.format(destination)
        : "destination " + Mac.format(destination) + " is another's, taken as promiscuous";
  }

  private static long mac(byte[] frame, int offset) {
    long address = 0;
    for (int i = 0; i < 6; i++) {
      address = address << 8 | frame[offset + i] & 0xFF;
    }
    return address;
  }
}
