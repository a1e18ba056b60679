// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.language.FrameBuilder;
import io.skbwalk.lib.Ip4;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;

/**
 * Conversations that announce other connections, which helpers of connection tracking listen to:
 * FTP, IRC, PPTP, SIP and TFTP, and the connections that were announced.
 */
final class RandomHelpers extends Draws {
  private static final int SYN = 0x02;
  private static final int ACK = 0x10;
  private static final int PSH = 0x08;

  private final RandomScenario scenario;
  private final RandomScenario.Flow flow;

  /** By which address the other side knows each: its own, or the machine's when that translates. */
  private final int[] seen = new int[2];

  private final int[] address = new int[2];
  private final int[] port = new int[2];
  private final int[] next = new int[2];

  RandomHelpers(RandomScenario scenario, Random random) {
    super(random);
    this.scenario = scenario;
    flow = scenario.flow();
    address[0] = flow.client();
    address[1] = flow.server();
    seen[0] = isInside(address[0]) && oneIn(2) ? RandomHost.OUTSIDE : address[0];
    seen[1] = isInside(address[1]) && oneIn(2) ? RandomHost.OUTSIDE : address[1];
    port[0] = oneIn(3) ? 4000 : 1024 + random.nextInt(60_000);
  }

  private static boolean isInside(int address) {
    return address >>> 8 == RandomHost.INSIDE >>> 8;
  }

  private int somePort() {
    return oneIn(6) ? random.nextInt(65_536) : 1024 + random.nextInt(60_000);
  }

  /** A conversation that the rules attach a helper to, if they do so to one. */
  void talk(String rules) {
    List<String> names = new ArrayList<>();
    for (String name : new String[] {"ftp", "irc", "pptp", "sip", "tftp"}) {
      if (rules.contains("-j CT --helper " + name)) {
        names.add(name);
      }
    }
    String name =
        names.isEmpty()
            ? pick("ftp", "irc", "sip", "tftp")
            : names.get(random.nextInt(names.size()));
    switch (name) {
      case "ftp" -> ftp();
      case "irc" -> irc();
      case "pptp" -> pptp();
      case "sip" -> sip();
      default -> tftp();
    }
  }

  // ---- over TCP
  // ----------------------------------------------------------------------------------

  private void open(int serverPort) {
    port[1] = serverPort;
    next[0] = random.nextInt();
    next[1] = random.nextInt();
    segment(0, SYN, "");
    segment(1, SYN | ACK, "");
    segment(0, ACK, "");
  }

  private void segment(int side, int flags, String payload) {
    boolean opens = (flags & SYN) != 0;
    FrameBuilder builder =
        frame(side)
            .tcp(
                port[side],
                port[1 - side],
                flags,
                next[side],
                flags == SYN ? 0 : next[1 - side],
                8192,
                HexFormat.of().parseHex(opens ? "020405b401010402" : ""))
            .payload(payload.getBytes(StandardCharsets.ISO_8859_1));
    scenario.add(device(side), builder, "side " + side + " " + printable(payload));
    next[side] += payload.length() + (opens ? 1 : 0);
  }

  private String device(int side) {
    return side == 0 ? flow.clientSide() : flow.serverSide();
  }

  private FrameBuilder frame(int side) {
    return scenario.frame(device(side), address[side], seen[1 - side]);
  }

  private static String printable(String payload) {
    int end = payload.indexOf('\r');
    String line = end < 0 ? payload : payload.substring(0, end);
    return line.replaceAll("[^ -~]|[\\\\\"]", ".").substring(0, Math.min(60, line.length()));
  }

  private void line(int side, String line) {
    if (oneIn(12)) {
      // In two segments.
      int cut = 1 + random.nextInt(line.length() - 1);
      segment(side, ACK, line.substring(0, cut));
      segment(side, ACK | PSH, line.substring(cut));
    } else {
      segment(side, ACK | PSH, line);
    }
    if (oneIn(8)) {
      // Again, as when it was lost behind here.
      next[side] -= line.length();
      segment(side, ACK | PSH, line);
    }
    if (!oneIn(3)) {
      segment(1 - side, ACK, "");
    }
  }

  /** {@code side} opens a connection that was announced, and something is said. */
  private void connect(int side, int from, int to) {
    if (oneIn(5)) {
      return;
    }
    int[] ports = port.clone();
    int[] sequences = next.clone();
    port[side] = from;
    port[1 - side] = to;
    next[side] = random.nextInt();
    segment(side, SYN, "");
    if (!oneIn(4)) {
      next[1 - side] = random.nextInt();
      segment(1 - side, SYN | ACK, "");
      segment(side, ACK, "");
      segment(side, ACK | PSH, "a file");
    }
    System.arraycopy(ports, 0, port, 0, 2);
    System.arraycopy(sequences, 0, next, 0, 2);
  }

  private void ftp() {
    open(oneIn(8) ? 2121 : 21);
    line(1, "220 ready\r\n");
    line(0, "USER anonymous\r\n");
    int transfers = 1 + random.nextInt(3);
    for (int i = 0; i < transfers; i++) {
      int listens = somePort();
      int side = oneIn(2) ? 0 : 1;
      // Mostly its own address, by the one or the other name.
      int own = oneIn(10) ? Ip4.parse("192.0.2.7") : oneIn(6) ? seen[side] : address[side];
      String numbers =
          Ip4.format(own).replace('.', ',') + "," + (listens >> 8) + "," + (listens & 255);
      if (side == 0) {
        line(
            0,
            switch (random.nextInt(8)) {
              case 0 -> "EPRT |1|" + Ip4.format(own) + "|" + listens + "|\r\n";
              case 1 -> "eprt !1!" + Ip4.format(own) + "!" + listens + "!\r\n";
              case 2 -> "PORT " + numbers.substring(0, random.nextInt(numbers.length())) + "\r\n";
              case 3 -> "PORT " + numbers + ",7\r\n";
              default -> "PORT " + numbers + "\r\n";
            });
        line(1, "200 ok\r\n");
        connect(1, oneIn(4) ? somePort() : 20, listens);
      } else {
        boolean extended = oneIn(2);
        line(0, extended ? "EPSV\r\n" : "PASV\r\n");
        line(
            1,
            extended
                ? "229 Entering Extended Passive Mode (|||" + listens + "|)\r\n"
                : "227 Entering Passive Mode "
                    + pick("(" + numbers + ").", numbers, "=" + numbers)
                    + "\r\n");
        connect(0, somePort(), listens);
      }
    }
    line(1, "226 done\r\n");
  }

  private void irc() {
    open(6667);
    line(0, "NICK a\r\n");
    line(1, ":server 001 a :Hi\r\n");
    int offers = 1 + random.nextInt(3);
    for (int i = 0; i < offers; i++) {
      int listens = somePort();
      int own = oneIn(8) ? seen[0] : address[0];
      String where = Integer.toUnsignedString(own) + " " + listens;
      line(
          0,
          "PRIVMSG b :\u0001DCC "
              + pick(
                  "SEND f " + where + " 10",
                  "CHAT chat " + where,
                  "MOVE f " + where,
                  "TSEND f " + where + " 9",
                  "SEND f " + where.substring(0, 3),
                  "OTHER f " + where)
              + "\u0001\r\n");
      connect(1, somePort(), listens);
    }
  }

  private void pptp() {
    open(1723);
    int client = 1 + random.nextInt(20);
    int server = 1 + random.nextInt(20);
    line(0, control(1, 156, "01000000"));
    line(1, control(2, 156, "01000100"));
    line(0, control(7, 168, String.format("%04x0000", client)));
    line(
        1, control(8, 32, String.format("%04x%04x%s", server, client, oneIn(6) ? "0400" : "0100")));
    int packets = 1 + random.nextInt(4);
    for (int i = 0; i < packets; i++) {
      int side = random.nextInt(2);
      int call = oneIn(8) ? 99 : side == 0 ? server : client;
      byte[] header = HexFormat.of().parseHex(String.format("3001880b0004%04x%08x", call, i));
      scenario.add(
          device(side),
          frame(side).transport(47, header, -1, false).payload(HexFormat.of().parseHex("ff030021")),
          "GRE side " + side);
    }
    switch (random.nextInt(3)) {
      case 0 -> line(1, control(13, 148, String.format("%04x0100", client)));
      case 1 -> line(0, control(12, 16, String.format("%04x0000", client)));
      default -> {
        // It stays.
      }
    }
  }

  private static String control(int type, int length, String fields) {
    byte[] message = new byte[length];
    byte[] start =
        HexFormat.of().parseHex(String.format("%04x00011a2b3c4d%04x0000%s", length, type, fields));
    System.arraycopy(start, 0, message, 0, start.length);
    return new String(message, StandardCharsets.ISO_8859_1);
  }

  // ---- over UDP
  // ----------------------------------------------------------------------------------

  private void datagram(int side, int from, int to, String payload) {
    FrameBuilder builder =
        frame(side).udp(from, to).payload(payload.getBytes(StandardCharsets.ISO_8859_1));
    scenario.add(device(side), builder, "side " + side + " " + printable(payload));
  }

  private void tftp() {
    int requests = 1 + random.nextInt(2);
    for (int i = 0; i < requests; i++) {
      String operation = pick("\0\1", "\0\1", "\0\2", "\0\3", "\0");
      datagram(0, port[0], 69, operation + "f\0octet\0");
      int transfer = oneIn(4) ? 69 : somePort();
      datagram(1, transfer, oneIn(6) ? somePort() : port[0], "\0\3\0\1data");
      datagram(0, port[0], transfer, "\0\4\0\1");
    }
  }

  private void sip() {
    port[0] = oneIn(3) ? port[0] : 5060;
    String client = Ip4.format(address[0]);
    String server = Ip4.format(seen[1]);
    String id = "Call-ID: x@1\r\nCSeq: 1 ";
    String via = "Via: SIP/2.0/UDP " + client + ":" + port[0] + ";branch=z9hG4bK1";
    String people = "\r\nFrom: <sip:a@" + server + ">;tag=1\r\nTo: <sip:b@" + server + ">\r\n";
    String contact = "Contact: <sip:a@" + client + ":" + port[0] + ">\r\n";
    String known = "Via: SIP/2.0/UDP " + Ip4.format(seen[0]) + ":" + port[0] + ";branch=z9hG4bK1";
    if (!oneIn(3)) {
      String request = via + people + id + "REGISTER\r\n" + contact + "Expires: 60\r\n";
      datagram(0, port[0], 5060, "REGISTER sip:" + server + " SIP/2.0\r\n" + body(request, ""));
      String answer = known + people + id + "REGISTER\r\n" + contact + "Expires: 90\r\n";
      datagram(1, 5060, port[0], "SIP/2.0 " + pick("200 OK", "403 No") + "\r\n" + body(answer, ""));
    }
    int[] media = {somePort() & ~1, somePort() & ~1};
    int caller = oneIn(4) ? 1 : 0;
    int[] ports = {port[0], 5060};
    String request = via + people + id + "INVITE\r\n" + contact;
    datagram(
        caller,
        ports[caller],
        ports[1 - caller],
        "INVITE sip:b@"
            + Ip4.format(seen[1 - caller])
            + " SIP/2.0\r\n"
            + body(request, session(caller, media[caller])));
    String answer = known + people + id + "INVITE\r\nContact: <sip:b@" + server + ":5060>\r\n";
    datagram(
        1 - caller,
        ports[1 - caller],
        ports[caller],
        "SIP/2.0 "
            + pick("200 OK", "200 OK", "183 Progress", "100 Trying", "486 Busy")
            + "\r\n"
            + body(answer, session(1 - caller, media[1 - caller])));
    for (int i = 0; i < 4; i++) {
      int side = random.nextInt(2);
      int control = random.nextInt(2);
      datagram(side, media[side] + control, media[1 - side] + control, "media");
    }
    if (oneIn(2)) {
      String end = via + people + "Call-ID: x@1\r\nCSeq: 2 BYE\r\n";
      datagram(0, port[0], 5060, "BYE sip:b@" + server + " SIP/2.0\r\n" + body(end, ""));
    }
  }

  private String session(int side, int media) {
    String own = Ip4.format(address[side]);
    return "v=0\r\no=a 1 1 IN IP4 "
        + own
        + "\r\ns=-\r\nc=IN IP4 "
        + own
        + "\r\nt=0 0\r\n"
        + "m=audio "
        + media
        + " RTP/AVP 0\r\n"
        + (oneIn(4) ? "m=video " + (media + 2) + " RTP/AVP 31\r\n" : "");
  }

  private static String body(String headers, String body) {
    String type = body.isEmpty() ? "" : "Content-Type: application/sdp\r\n";
    return headers + type + "Content-Length: " + body.length() + "\r\n\r\n" + body;
  }
}
