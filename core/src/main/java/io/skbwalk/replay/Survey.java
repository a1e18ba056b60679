// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.capture.CaptureReader;
import io.skbwalk.capture.FrameFilter;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.Mac;
import io.skbwalk.skb.EthernetHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.TcpHeader;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * A look at captures before they are replayed, for a machine of which nothing but its address is
 * known, or not even that: who receives the most connections, with which Ethernet address, and from
 * which ports it sends.
 */
public final class Survey {
  private static final int ICMP_ECHO = 8;

  /** The machine's address. */
  public final int address;

  /** Its Ethernet address. */
  public long mac = 0x0200_0000_0001L;

  /** The VLAN that it is in, or -1. */
  public int vlan = -1;

  /**
   * Connections that came for it: TCP, echo requests, UDP to the lower port; 0 when not counted.
   */
  public final long connections;

  /** TCP ports from which it accepted connections. */
  public final TreeSet<Integer> tcpServices = new TreeSet<>();

  /** UDP ports at which it was asked before it had sent from them, and from which it answered. */
  public final TreeSet<Integer> udpServices = new TreeSet<>();

  private boolean macKnown;
  private final long[] udpAsked = new long[1024];
  private final long[] udpSent = new long[1024];

  private Survey(int address, long connections) {
    this.address = address;
    this.connections = connections;
  }

  /** The machine that owns {@code address}. */
  public static Survey of(int address, List<String> files, FrameFilter filter) {
    return look(new Survey(address, 0), files, filter);
  }

  /**
   * The machine whose address receives the most connections; of equals the one that comes first.
   *
   * @return null when there is no IPv4 packet at all
   */
  public static Survey ofBusiest(List<String> files, FrameFilter filter) {
    Map<Integer, long[]> connections = new LinkedHashMap<>();
    Set<Integer> senders = new HashSet<>();
    each(
        files,
        filter,
        frame -> {
          if (frame.isIp()) {
            senders.add(frame.source);
            boolean one = !frame.hasMacs || !Mac.isGroup(frame.destinationMac);
            if (one && !isGroup(frame.destination())) {
              connections.computeIfAbsent(frame.destination(), key -> new long[1])[0] +=
                  begins(frame) ? 1 : 0;
            }
          }
        });
    Integer busiest = null;
    long most = -1;
    for (Map.Entry<Integer, long[]> entry : connections.entrySet()) {
      // Who never says a word is rather an address that is scanned than a machine.
      long weight = 2 * entry.getValue()[0] + (senders.contains(entry.getKey()) ? 1 : 0);
      if (weight > most) {
        busiest = entry.getKey();
        most = weight;
      }
    }
    return busiest == null
        ? null
        : look(new Survey(busiest, connections.get(busiest)[0]), files, filter);
  }

  /** The machine as the frame at which a stream stands shows it, as far as it does. */
  public static Survey ofFirst(int address, CaptureReader reader) {
    Survey survey = new Survey(address, 0);
    ArrivedFrame frame = new ArrivedFrame();
    frame.take(reader);
    survey.see(frame);
    return survey;
  }

  /** Is the Ethernet address one that was seen? */
  public boolean knowsMac() {
    return macKnown;
  }

  private static boolean isGroup(int address) {
    return address == -1 || Ip4.isMulticast(address);
  }

  private static boolean begins(ArrivedFrame frame) {
    switch (frame.protocol()) {
      case IpHeader.IPPROTO_TCP:
        int tcp = frame.transport(TcpHeader.FLAGS_OFFSET + 1);
        return tcp >= 0
            && (frame.bytes[tcp + TcpHeader.FLAGS_OFFSET] & (TcpHeader.SYN | TcpHeader.ACK))
                == TcpHeader.SYN;
      case IpHeader.IPPROTO_UDP:
        int udp = frame.transport(4);
        return udp >= 0 && frame.u16(udp + 2) < frame.u16(udp);
      case IpHeader.IPPROTO_ICMP:
        int icmp = frame.transport(1);
        return icmp >= 0 && frame.bytes[icmp] == ICMP_ECHO;
      default:
        return false;
    }
  }

  private interface Eye {
    void see(ArrivedFrame frame);
  }

  private static void each(List<String> files, FrameFilter filter, Eye eye) {
    ArrivedFrame frame = new ArrivedFrame();
    for (String file : files) {
      try (CaptureReader reader = CaptureReader.open(file)) {
        while (reader.next()) {
          if (filter == null || filter.matches(reader)) {
            frame.take(reader);
            eye.see(frame);
          }
        }
      }
    }
  }

  private static Survey look(Survey survey, List<String> files, FrameFilter filter) {
    each(files, filter, survey::see);
    for (int port = 0; port < 65536; port++) {
      long both = survey.udpAsked[port >> 6] & survey.udpSent[port >> 6];
      if ((both >>> port & 1) != 0) {
        survey.udpServices.add(port);
      }
    }
    return survey;
  }

  private void see(ArrivedFrame frame) {
    if (!frame.hasSource) {
      return;
    }
    boolean from = frame.source == address;
    boolean to = frame.isIp() && frame.destination() == address;
    if (from && frame.hasMacs && !Mac.isGroup(frame.sourceMac)) {
      learn(frame.sourceMac, frame.vlan, frame.etherType == EthernetHeader.ETH_P_IP);
    } else if (to && frame.hasMacs && !Mac.isGroup(frame.destinationMac)) {
      learn(frame.destinationMac, frame.vlan, true);
    }
    if (!frame.isIp()) {
      return;
    }
    if (frame.protocol() == IpHeader.IPPROTO_TCP && from) {
      int at = frame.transport(TcpHeader.FLAGS_OFFSET + 1);
      int wanted = TcpHeader.SYN | TcpHeader.ACK;
      if (at >= 0 && (frame.bytes[at + TcpHeader.FLAGS_OFFSET] & wanted) == wanted) {
        tcpServices.add(frame.u16(at));
      }
    } else if (frame.protocol() == IpHeader.IPPROTO_UDP && (from || to)) {
      int at = frame.transport(4);
      if (at < 0) {
        return;
      }
      int port = frame.u16(from ? at : at + 2);
      if (from) {
        udpSent[port >> 6] |= 1L << port;
      } else if ((udpSent[port >> 6] >>> port & 1) == 0) {
        udpAsked[port >> 6] |= 1L << port;
      }
    }
  }

  private void learn(long seen, int tag, boolean sure) {
    if (!macKnown) {
      mac = seen;
      vlan = tag;
      macKnown = sure;
    }
  }
}
