// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.transport;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * All sockets of a machine, and their list as {@code ss -nl -A packet,raw,udp,tcp} lays it out.
 *
 * <p>Recv-Q is what ss shows of sockets that nobody reads: bytes (payload here, memory there), and
 * for a listening TCP socket the connection requests that it got. What else each received stands in
 * the last column, where ss has further details.
 */
public final class SocketTable {
  private static final String[] HEADINGS = {
    "Netid", "State", "Recv-Q", "Send-Q", "Local Address", "Port", "Peer Address", "Port", "Process"
  };

  private final List<Sock> socks = new ArrayList<>();

  /** Who is told of each packet that a socket gets, or null. */
  SocketListener listener;

  void add(Sock sock) {
    socks.add(sock);
  }

  /** The sockets in the order in which they were made. */
  public List<Sock> sockets() {
    return Collections.unmodifiableList(socks);
  }

  /** The table with its heading, one line a socket, in ss's order of kinds. */
  public String print() {
    List<String[]> rows = new ArrayList<>();
    rows.add(HEADINGS);
    for (Sock.Kind kind :
        new Sock.Kind[] {Sock.Kind.PACKET, Sock.Kind.RAW, Sock.Kind.UDP, Sock.Kind.TCP}) {
      for (Sock sock : socks) {
        if (sock.kind == kind) {
          rows.add(row(sock));
        }
      }
    }
    int[] widths = new int[HEADINGS.length];
    for (String[] row : rows) {
      for (int i = 0; i < row.length; i++) {
        widths[i] = Math.max(widths[i], row[i].length());
      }
    }
    StringBuilder text = new StringBuilder();
    for (String[] row : rows) {
      boolean packet = row[0].startsWith("p_");
      for (int i = 0; i < 4; i++) {
        left(text, row[i], widths[i]);
        text.append(' ');
      }
      right(text, row[4], widths[4]);
      text.append(':');
      left(text, row[5], widths[5]);
      text.append(' ');
      right(text, row[6], widths[6]);
      text.append(packet ? '*' : ':');
      left(text, row[7], widths[7]);
      text.append(row[8]);
      text.setLength(text.toString().stripTrailing().length());
      text.append('\n');
    }
    return text.toString();
  }

  private static String[] row(Sock sock) {
    StringBuilder details = new StringBuilder(" packets:").append(sock.packets);
    details.append(" bytes:").append(sock.bytes);
    if (sock.drops > 0) {
      details.append(" drops:").append(sock.drops);
    }
    if (sock.checksumErrors > 0) {
      details.append(" csum-errors:").append(sock.checksumErrors);
    }
    boolean packet = sock.kind == Sock.Kind.PACKET;
    boolean tcp = sock.kind == Sock.Kind.TCP;
    return new String[] {
      sock.kind.netid,
      sock.kind.state,
      Long.toString(tcp ? sock.connections : sock.bytes),
      "0",
      sock.localAddress(),
      sock.localPort(),
      packet ? "" : "0.0.0.0",
      packet ? "" : "*",
      details.toString()
    };
  }

  private static void left(StringBuilder text, String cell, int width) {
    text.append(cell).append(" ".repeat(width - cell.length()));
  }

  private static void right(StringBuilder text, String cell, int width) {
    text.append(" ".repeat(width - cell.length())).append(cell);
  }
}
