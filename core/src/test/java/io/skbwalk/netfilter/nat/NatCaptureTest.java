// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.nat;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.skbwalk.capture.CaptureReader;
import io.skbwalk.device.NetDevice;
import io.skbwalk.host.Host;
import io.skbwalk.host.HostListener;
import io.skbwalk.language.IptablesSaveParser;
import io.skbwalk.language.IptablesSavePrinter;
import io.skbwalk.lib.Checksum;
import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackPrinter;
import io.skbwalk.skb.SkBuff;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * What arrived at a real NAT router, replayed: the model's router sends what the real one sent, and
 * ends with its counters and its connections.
 */
class NatCaptureTest {
  private static final Path PCAPS = Path.of("../pcaps");
  private static final int OUTSIDE = Ip4.parse("203.0.113.1");

  /** The port that the kernel drew when two machines used the same one. */
  private static final int DRAWN = 21802;

  private static final int SOURCE_PORT = 34;
  private static final int DESTINATION_PORT = 36;
  private static final int CHECKSUM = 50;

  private int ours = DRAWN;
  private final List<String> sent = new ArrayList<>();

  @Test
  void sendsWhatTheRouterSent() throws IOException {
    String rules = Files.readString(PCAPS.resolve("nat-router.v4"));
    Host host = null;
    List<String> expected = new ArrayList<>();
    long last = 0;
    try (CaptureReader capture = CaptureReader.open(PCAPS.resolve("nat-router.pcapng"))) {
      while (capture.next()) {
        long now = capture.timestampNanos();
        if (host == null) {
          host = new Host(NatCase.router(), IptablesSaveParser.parse(rules, "v4"), now, 1);
          host.sysctls().set("net.ipv4.icmp_ratemask", "0");
          host.setListener(new Listener());
        }
        byte[] frame = new byte[capture.capturedLength()];
        capture.copyTo(frame, 0, frame.length);
        String name = capture.interfaceName();
        if (isOwn(frame)) {
          if (isIp(frame)) {
            expected.add(name + " " + comparable(frame));
          }
          continue;
        }
        ByteBuffer bytes = ByteBuffer.wrap(frame);
        if (isIp(frame)
            && isTcp(frame)
            && bytes.getInt(30) == OUTSIDE
            && (bytes.getShort(DESTINATION_PORT) & 0xFFFF) == DRAWN) {
          replacePort(bytes, DESTINATION_PORT, ours);
        }
        host.receive(host.device(name), frame, now, null);
        last = now;
      }
    }
    assertEquals(String.join("\n", expected), String.join("\n", sent));
    assertEquals(
        body(Files.readString(PCAPS.resolve("nat-router.counters.v4"))),
        body(IptablesSavePrinter.print(host.tables().counters(), true)));
    host.advanceTo(last + 500_000_000L);
    assertEquals(
        connections(Files.readAllLines(PCAPS.resolve("nat-router.conntrack.txt"))),
        connections(lines(host.conntrack())));
  }

  private final class Listener implements HostListener {
    @Override
    public void transmitted(NetDevice dev, SkBuff skb) {
      byte[] frame = Arrays.copyOfRange(skb.head, skb.data, skb.tail);
      if (!isIp(frame)) {
        return;
      }
      ByteBuffer bytes = ByteBuffer.wrap(frame);
      int port = bytes.getShort(SOURCE_PORT) & 0xFFFF;
      if (isTcp(frame) && bytes.getInt(26) == OUTSIDE && frame[47] == 2 && port != 42120) {
        // A SYN: from port 40000, or from the one that was drawn here.
        ours = port == 40000 ? ours : port;
      }
      if (isTcp(frame) && bytes.getInt(26) == OUTSIDE && port == ours) {
        replacePort(bytes, SOURCE_PORT, DRAWN);
      }
      sent.add(dev.name + " " + comparable(frame));
    }
  }

  private static boolean isIp(byte[] frame) {
    return frame[12] == 8 && frame[13] == 0;
  }

  private static boolean isTcp(byte[] frame) {
    return frame[23] == 6;
  }

  private static boolean isOwn(byte[] frame) {
    long source = ByteBuffer.wrap(frame).getLong(4) & 0xFFFFFFFFFFFFL;
    return source == NatCase.MAC0 || source == NatCase.MAC1;
  }

  private static void replacePort(ByteBuffer frame, int at, int port) {
    int sum = frame.getShort(CHECKSUM) & 0xFFFF;
    int old = frame.getShort(at) & 0xFFFF;
    frame.putShort(CHECKSUM, (short) Checksum.replace16(sum, old, port));
    frame.putShort(at, (short) port);
  }

  /** The packet, without what the kernel draws: the IP id of ICMP errors of its own. */
  private static String comparable(byte[] frame) {
    ByteBuffer bytes = ByteBuffer.wrap(frame);
    if (frame[23] == 1 && (frame[14 + 1] & 0xFF) == 0xC0) {
      bytes.putShort(18, (short) 0).putShort(24, (short) 0);
    }
    return HexFormat.of().formatHex(frame, 14, frame.length);
  }

  private static List<String> lines(Conntrack conntrack) {
    List<String> lines = new ArrayList<>();
    for (int ct = conntrack.first(); ct != 0; ct = conntrack.next(ct)) {
      lines.add(ConntrackPrinter.list(conntrack, ct));
    }
    return lines;
  }

  /** Without timeouts, which depend on when conntrack -L was called, and the drawn port. */
  private static String connections(List<String> lines) {
    return String.join(
        "\n",
        lines.stream()
            .map(NatCase::connection)
            .map(line -> line.replaceFirst("(src=192.168.7.80 .* dport=)\\d+( \\[)", "$1*$2"))
            .sorted()
            .toList());
  }

  /** Rules and counters by table, in one order. */
  private static String body(String save) {
    List<String> tables = new ArrayList<>(List.of(save.strip().split("(?<=COMMIT)\n")));
    tables.sort(null);
    return String.join("\n", tables);
  }
}
