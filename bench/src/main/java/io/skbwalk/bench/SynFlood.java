// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench;

import io.skbwalk.capture.CaptureReader;
import io.skbwalk.capture.CaptureWriter;
import io.skbwalk.capture.LinkType;
import io.skbwalk.lib.Ip4;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Connections that never get further than their first segment: five SYNs each, of as many addresses
 * and ports, to the web server behind the router of bench/conversations. A thousand connections try
 * at a time. And rule sets of any length that all of them have to get past.
 */
public final class SynFlood {
  /** SYNs of a connection. */
  public static final int SYNS = 5;

  private static final int TOGETHER = 1_000;
  private static final int NETWORK = 0x2D00_0000;
  private static final int SERVER = 0xC0A8_0750;
  private static final int FIRST_PORT = 1_024;

  /** What the rules of a set ask for before one of them accepts. */
  public enum Rules {
    /** A source address and a source port each. */
    ADDRESSES {
      @Override
      String match(int rule) {
        return "-s "
            + Ip4.format(NETWORK + rule)
            + "/32 -p tcp -m tcp --sport "
            + rule % FIRST_PORT;
      }
    },

    /** Prefixes, ports and ranges of them, interfaces, negations, states and marks in turn. */
    MIXED {
      @Override
      String match(int rule) {
        String address = Ip4.format(NETWORK + rule);
        String prefix = Ip4.format(NETWORK + (rule << 8)) + "/24";
        int port = rule % FIRST_PORT;
        return switch (rule % 8) {
          case 0 -> "-s " + address + "/32 -p tcp -m tcp --sport " + port;
          case 1 -> "-s " + prefix + " -p udp -m udp --dport " + port;
          case 2 -> "-s " + prefix + " -p tcp -m tcp --sport 0:" + port;
          case 3 -> "! -i eth0 -s " + address + "/32";
          case 4 -> "-s " + prefix + " -m conntrack --ctstate RELATED,ESTABLISHED";
          case 5 -> "-s " + prefix + " -m mark --mark " + String.format("0x%x", rule);
          case 6 ->
              "-s " + prefix + " -p tcp -m multiport --sports 22,25,100:" + Math.max(101, port);
          default -> "! -d 192.168.7.80/32 -i eth0 -s " + prefix;
        };
      }
    };

    abstract String match(int rule);

    /**
     * A filter table with so many rules before the one that accepts, as iptables-save prints it.
     */
    public String text(int count) {
      StringBuilder text = new StringBuilder("*filter\n");
      text.append(":INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n");
      for (int rule = 0; rule < count; rule++) {
        text.append("-A FORWARD ").append(match(rule)).append(" -j DROP\n");
      }
      text.append("-A FORWARD -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN");
      text.append(" -m conntrack --ctstate NEW -j ACCEPT\nCOMMIT\n");
      return text.toString();
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private SynFlood() {}

  /** Writes {@value #SYNS} SYNs of each of so many connections, a microsecond apart. */
  public static void write(Path file, int connections) {
    SegmentWriter segment = new SegmentWriter();
    try (CaptureWriter writer = CaptureWriter.pcap(file, LinkType.ETHERNET)) {
      for (int first = 0; first < connections; first += TOGETHER) {
        int behind = Math.min(connections, first + TOGETHER);
        for (int i = 0; i < SYNS; i++) {
          for (int number = first; number < behind; number++) {
            long time = ConversationRouter.START + writer.frames() * 1_000;
            segment.arrives(true);
            segment.ip(client(number), SERVER, (int) writer.frames(), 0);
            int bytes =
                segment.tcp(port(number), 80, number * 64_007, 0, SegmentWriter.SYN, time, 0);
            writer.write(
                0, time, segment.frame, 0, bytes, bytes, CaptureReader.DIRECTION_UNKNOWN, null);
          }
        }
      }
    }
  }

  /** Of a connection by its number; no two have the same address and port. */
  static int client(int number) {
    return NETWORK + (number & 0xF_FFFF);
  }

  static int port(int number) {
    return FIRST_PORT + (number >>> 20) * 64 + (number & 0x3F);
  }
}
